"""Clients that Debian does not have, built by Go from pinned modules into build/tools and kept there."""
import fcntl
import functools
import os
import re
import shutil
import subprocess
import time

from . import settings

LEAST_GO = (1, 24)
# name → package; the version and the checksums are pinned in tests/blackbox/tools/NAME/go.mod and go.sum.
PACKAGES = {
    "crane": "github.com/google/go-containerregistry/cmd/crane",
    "oras": "oras.land/oras/cmd/oras",
    "regctl": "github.com/regclient/regclient/cmd/regctl",
    "helm": "helm.sh/helm/v3/cmd/helm",
    "goharbor": ".",
    "distribution": ".",
    "cri": ".",
}


@functools.cache
def have_go():
    if not shutil.which("go"):
        return False
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"go(\d+)\.(\d+)", said)
    return bool(found) and (int(found[1]), int(found[2])) >= LEAST_GO


@functools.cache
def tool(name):
    """Path of the built client."""
    module = settings.ROOT / "tests/blackbox/tools" / name
    binary = settings.TOOLS / name
    stamp = settings.TOOLS / f"{name}.sum"
    pinned = b"".join(path.read_bytes() for path in (module / "go.sum", *sorted(module.glob("*.go"))))
    settings.TOOLS.mkdir(parents=True, exist_ok=True)
    with open(settings.TOOLS / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run may build it just now
        build(name, module, binary, stamp, pinned)
    return binary


def build(name, module, binary, stamp, pinned):
    if not binary.exists() or not stamp.exists() or stamp.read_bytes() != pinned:
        start = time.monotonic()
        done = subprocess.run(["go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, PACKAGES[name]], cwd=module,
                              env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"},
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"{name} does not build:\n{done.stderr[-3000:]}")
        stamp.write_bytes(pinned)
        print(f"built {name} in {time.monotonic() - start:.0f} s", flush=True)
