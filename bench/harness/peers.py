"""Further registries from pinned Go modules. Where one cannot be had, the reason goes into the results."""
import os
import re
import shutil
import subprocess

MODULES = {
    "distribution-v3": ("github.com/distribution/distribution/v3/cmd/registry", "v3.0.0", "registry"),
    "zot": ("zotregistry.dev/zot/v2/cmd/zot", "v2.1.8", "zot"),
}
OLDEST_GO = (1, 24)
LONGEST_BUILD = 1200


def go_is_new_enough():
    go = shutil.which("go")
    if not go:
        return False
    found = re.search(r"go(\d+)\.(\d+)", subprocess.run([go, "version"], capture_output=True, text=True).stdout)
    return bool(found) and tuple(map(int, found.groups())) >= OLDEST_GO


def install(name, folder):
    """(binary, None) or (None, why not)."""
    module, version, binary = MODULES[name]
    path = folder / "bin" / binary
    if path.exists():
        return path, None
    if not go_is_new_enough():
        return None, "needs Go %d.%d or later" % OLDEST_GO
    print(f"building {name} {version} …", flush=True)
    environment = dict(os.environ, GOBIN=str(path.parent), GOFLAGS="-buildvcs=false", CGO_ENABLED="0")
    try:
        done = subprocess.run(["go", "install", f"{module}@{version}"], env=environment, capture_output=True, text=True,
                              timeout=LONGEST_BUILD)
    except subprocess.TimeoutExpired:
        return None, f"was not built within {LONGEST_BUILD} s"
    if done.returncode != 0 or not path.exists():
        return None, f"go install of {version} failed"
    return path, None
