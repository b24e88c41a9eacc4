#!/usr/bin/env python3
"""run_tests.py BUILD_DIR [--only REGEX] [--stories BINARY]: runs what ctest knows there, then the black-box stories with
that binary, and closes with one line `N passed, N failed`. A gtest binary counts by its cases, any other test as one."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS_AT_ONCE = 3  # they wait for the disk more than they work
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed$")


def ctest(build, only):
    """Runs ctest; returns (passed, failed)."""
    results = build / "test-results"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    choose = ["-R", only] if only else []
    known = json.loads(subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1", *choose],
                                      check=True, capture_output=True, text=True).stdout)["tests"]
    environment = {**os.environ, "GTEST_OUTPUT": f"xml:{results}/", "GTEST_BRIEF": "1"}
    subprocess.run(["ctest", "--test-dir", build, "--parallel", str(PROGRAMS_AT_ONCE), "--output-on-failure", "--no-tests=error", *choose,
                    "--output-junit", results / "ctest.junit"], env=environment, check=False)
    outcome = {case.get("name"): case.get("status") == "run"
               for case in xml.parse(results / "ctest.junit").getroot().iter("testcase")}
    passed = failed = 0
    for test in known:
        cases = results / (pathlib.Path(test.get("command", [""])[0]).name + ".xml")
        good = outcome.get(test["name"], False)
        if good and cases.exists():
            suites = xml.parse(cases).getroot()
            passed += int(suites.get("tests")) - int(suites.get("disabled"))
        elif cases.exists():
            suites = xml.parse(cases).getroot()
            bad = max(1, int(suites.get("failures")) + int(suites.get("errors")))
            failed += bad
            passed += max(0, int(suites.get("tests")) - int(suites.get("disabled")) - bad)
        else:
            passed, failed = passed + good, failed + (not good)
    return passed, failed


# Stories that the other engine could tell otherwise; the rest know nothing of the database.
ON_POSTGRES = ["--database", "postgres", "auth", "bad_input", "abuse", "restart.Restart", "skopeo", "matrix", "tenan",
               "projects", "virtual", "artifacts", "people", "robots", "replication_api", "two_of_ours_compare", "synchronous",
               "harborapi", "harbor_clients", "cves", "lists",
               "idempot", "audit", "apply", "quota", "environments", "rebuild.Rebuild.test_all", "rebuild.Rebuild.test_killed",
               "openapi.TheContract.test_every", "swarm_instances"]


def blackbox(binary, *more):
    """Runs the scenarios; their own closing line is taken into the sum instead of shown."""
    process = subprocess.Popen([sys.executable, ROOT / "tests/blackbox/run.py", "--binary", binary, *more],
                               stdout=subprocess.PIPE, text=True)
    counts = None
    for line in process.stdout:
        found = CLOSING.match(line.rstrip("\n"))
        if found:
            counts = int(found[1]), int(found[2])
        else:
            print(line, end="", flush=True)
    code = process.wait()
    if counts is None:
        return 0, 1
    return counts if code == 0 or counts[1] else (counts[0], 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--only")
    parser.add_argument("--stories", type=pathlib.Path, metavar="BINARY")
    options = parser.parse_args()
    start = time.monotonic()
    passed, failed = ctest(options.build.resolve(), options.only)
    print(f"the programs took {time.monotonic() - start:.0f} s", flush=True)
    if options.stories:
        # Stories wait more than they work, so several are told at once.
        with concurrent.futures.ThreadPoolExecutor() as threads:
            runs = [threads.submit(blackbox, options.stories.resolve(), *more)
                    for more in (["--share", "1/2"], ["--share", "2/2"], ON_POSTGRES)]
        for counts in (run.result() for run in runs):
            passed, failed = passed + counts[0], failed + counts[1]
    print(f"all tests took {time.monotonic() - start:.0f} s")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
