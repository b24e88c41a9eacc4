#!/usr/bin/env python3
"""run.py BINARY: builds the OCI conformance suites, runs them against a fresh server on SQLite, and closes with
`N passed, N failed`. A test that a suite skips must be explained in skips.txt, else it counts as failed.

Three runs: the suite of the specification's branch head with all that is merged but not released (`dev`), the same held
to the released text (`1.1`), and the suite that came with release 1.1.1 (`released`). Reports: build/conformance."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "blackbox"))

from support import settings, tools  # noqa: E402
from support.server import PASSWORD, Server  # noqa: E402

HEAD = "github.com/opencontainers/distribution-spec/conformance"  # pinned in head/go.mod
RELEASED = HEAD + "@v0.0.0-20250123160558-a139cc423184"  # the commit of tag v1.1.1
REPORTS = settings.ROOT / "build/conformance"

HEAD_ENVIRONMENT = {
    "OCI_TLS": "disabled", "OCI_REPO1": "conformance/one", "OCI_REPO2": "conformance/two", "OCI_USERNAME": "admin",
    "OCI_LOG": "warn", "OCI_DATA_SHA512": "true", "OCI_DATA_SPARSE": "true",
}
DEV = {name: "true" for name in (
    "OCI_API_BLOBS_UPLOAD_CANCEL", "OCI_API_BLOBS_DIGEST_HEADER", "OCI_API_BLOBS_MOUNT_ANONYMOUS",
    "OCI_API_MANIFESTS_DIGEST_HEADER", "OCI_API_MANIFESTS_TAG_PARAM")}


def go(*arguments, folder, readonly=True):
    return subprocess.run(["go", *arguments], cwd=folder, check=False, capture_output=True, text=True,
                          env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off",
                               "GOFLAGS": "-mod=readonly -buildvcs=false" if readonly else ""})


def head_suite():
    binary = settings.TOOLS / "conformance-head"
    built = go("build", "-o", binary, HEAD, folder=HERE / "head")
    if built.returncode:
        sys.exit(f"the head suite does not build:\n{built.stderr}")
    return binary


def unchanged(folder):
    """Whether a folder holds the suite of 1.1.1, by the checksums in released.sha256."""
    return folder.is_dir() and subprocess.run(["sha256sum", "--quiet", "--strict", "-c", HERE / "released.sha256"],
                                              cwd=folder, check=False, capture_output=True).returncode == 0


def released_suite():
    """The binary, or None where neither the module proxy nor ENTREPOT_CONFORMANCE_SOURCE has the sources."""
    binary = settings.TOOLS / "conformance-released"
    if binary.exists():
        return binary
    given = os.environ.get("ENTREPOT_CONFORMANCE_SOURCE")
    if given:
        source = pathlib.Path(given)
    else:
        said = go("mod", "download", "-json", RELEASED, folder="/", readonly=False).stdout
        source = pathlib.Path(json.loads(said or "{}").get("Dir") or "/nonexistent")
    if not unchanged(source):
        return None
    copy = settings.TOOLS / "conformance-released.source"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(source, copy, copy_function=shutil.copyfile)
    copy.chmod(0o755)
    built = go("test", "-c", "-o", binary, folder=copy)
    if built.returncode:
        sys.exit(f"the released suite does not build:\n{built.stderr}")
    return binary


def explanations(suite):
    for line in (HERE / "skips.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            of, pattern, why = (part.strip() for part in line.split(" | ", 2))
            if re.fullmatch(of, suite):
                yield re.compile(pattern), why


def verdict(suite, report, log):
    """Reads junit.xml; prints what failed and what was skipped; returns (passed, failed)."""
    if not report.exists():
        print(f"{suite}: no report; {log.read_text()[-2000:]}")
        return 0, 1
    known = list(explanations(suite))
    passed = failed = skipped = 0
    for case in xml.parse(report).getroot().iter("testcase"):
        name, status = case.get("name"), case.get("status")
        if status == "passed":
            passed += 1
        elif status in ("skipped", "disabled", "pending"):
            why = next((why for pattern, why in known if pattern.fullmatch(name)), None)
            skipped += 1
            failed += why is None
            print(f"{suite}: skipped: {name}: {why or 'UNEXPLAINED'}")
        else:
            failed += 1
            print(f"{suite}: FAILED: {name}")
    print(f"{suite}: {passed} passed, {failed} failed, {skipped} skipped")
    return passed, failed


def run(suite, binary, host_variables):
    # The head suite's sparse data pushes an image without one of its layers; the default refuses that.
    sparse = {"ENTREPOT_MANIFESTS_ACCEPT_SPARSE": "true"} if suite != "released" else {}
    with Server(database="", environment=sparse) as server:
        reports = REPORTS / suite
        shutil.rmtree(reports, ignore_errors=True)
        reports.mkdir(parents=True)
        environment = {**os.environ, **host_variables(server.host), "OCI_PASSWORD": PASSWORD}
        with open(reports / "log", "w", encoding="utf-8") as log:
            subprocess.run([binary], cwd=reports, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
                           timeout=600, env={**environment, "OCI_RESULTS_DIR": str(reports),
                                             "OCI_REPORT_DIR": str(reports)})
        return verdict(suite, reports / "junit.xml", reports / "log")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    settings.binary = pathlib.Path(sys.argv[1]).resolve()
    if not tools.have_go():
        sys.exit("the conformance suites need Go 1.24 or later")
    settings.TOOLS.mkdir(parents=True, exist_ok=True)
    head = head_suite()
    results = [
        run("dev", head, lambda host: {**HEAD_ENVIRONMENT, **DEV, "OCI_VERSION": "dev", "OCI_REGISTRY": host}),
        run("1.1", head, lambda host: {**HEAD_ENVIRONMENT, "OCI_VERSION": "1.1", "OCI_REGISTRY": host}),
    ]
    released = released_suite()
    if released:
        results.append(run("released", released, lambda host: {
            "OCI_ROOT_URL": f"http://{host}", "OCI_NAMESPACE": "conformance/one", "OCI_USERNAME": "admin",
            "OCI_CROSSMOUNT_NAMESPACE": "conformance/two", "OCI_AUTOMATIC_CROSSMOUNT": "1",
            # Its client answers one challenge a request, and a mount without a source gets a second one.
            "OCI_AUTH_SCOPE": "repository:conformance/one:pull,push,delete repository:conformance/two:pull,push,delete",
            "OCI_TEST_PULL": "1",
            "OCI_TEST_PUSH": "1", "OCI_TEST_CONTENT_DISCOVERY": "1", "OCI_TEST_CONTENT_MANAGEMENT": "1"}))
    else:
        print("released: LEFT OUT: the module proxy does not serve the suite of 1.1.1; "
              "ENTREPOT_CONFORMANCE_SOURCE can name a checkout's conformance folder")
    passed, failed = (sum(part) for part in zip(*results))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
