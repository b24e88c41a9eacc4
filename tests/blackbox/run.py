#!/usr/bin/env python3
"""run.py [--binary PATH] [--database postgres] [--registry HOST:PORT] [--share K/N] [--list] [PATTERN...]: the black-box scenarios.

Each test_*.py is one user's story told with real clients. A PATTERN chooses stories or tests whose name holds it.
--share tells one of N shares of them (by class), from 1/N to N/N: several runs at once tell all of them sooner.
--registry aims the stories that need no server of their own at another registry, to check the stories themselves.
Closes with `N passed, N failed`; what was left out is named above it."""
import argparse
import os
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
VENV = HERE.parents[1] / "build/tools/venv"


def enter_venv():
    """Goes on in the environment that tools/install-test-deps.sh made, where it is."""
    python = VENV / "bin/python"
    if python.exists() and pathlib.Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(python, [python, *sys.argv])


class Verdicts(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.passed = 0
        self.causes = []  # of failures, a line each
        self._start = 0.0

    def startTest(self, test):
        super().startTest(test)
        self._start = time.monotonic()

    def say(self, verdict, test, why=""):
        name = test.id().removeprefix("test_")
        print(f"{verdict:4} {name} ({time.monotonic() - self._start:.1f} s){why}", flush=True)

    def say_failed(self, test, err, trace):
        self.say("FAIL", test, "\n" + trace)
        self.causes.append(f"failed: {test.id()}: {err[0].__name__}: {err[1]}".replace("\n", " | ")[:600])

    def addSuccess(self, test):
        self.passed += 1
        self.say("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.say_failed(test, err, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.say_failed(test, err, self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.say_failed(subtest, err, self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say("left", test, f": {reason}")


def tests_of(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_of(item)
        else:
            yield item


def share_of(tests, share):
    """Classes have servers of their own, so they stay whole."""
    number, count = (int(part) for part in share.split("/"))
    classes = sorted({type(test).__qualname__ + type(test).__module__ for test in tests})
    mine = set(classes[number - 1::count])
    return [test for test in tests if type(test).__qualname__ + type(test).__module__ in mine]


def main():
    enter_venv()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary")
    parser.add_argument("--database", default="", choices=("", "postgres"))
    parser.add_argument("--registry", default="")
    parser.add_argument("--share", default="1/1", metavar="K/N")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("pattern", nargs="*")
    options = parser.parse_args()
    if options.binary:
        os.environ["ENTREPOT_BINARY"] = options.binary
    if options.database:
        os.environ["ENTREPOT_BLACKBOX_DATABASE"] = options.database
    if options.registry:
        os.environ["ENTREPOT_BLACKBOX_REGISTRY"] = options.registry
    sys.path.insert(0, str(HERE))

    from support import scenario, tools  # after the environment is set
    found = list(tests_of(unittest.defaultTestLoader.discover(str(HERE), pattern="test_*.py", top_level_dir=str(HERE))))
    chosen = [test for test in found if not options.pattern or any(word in test.id() for word in options.pattern)]
    chosen = share_of(chosen, options.share)
    if options.list:
        print(*(test.id() for test in chosen), sep="\n")
        return 0
    if not tools.have_go():
        print("left out, for want of Go 1.24 or later: crane, oras, regctl, helm, containerd by CRI")
    verdicts = Verdicts()
    try:
        unittest.TestSuite(chosen).run(verdicts)
    finally:
        scenario.close_shared_server()
    failed = len(verdicts.failures) + len(verdicts.errors)
    if verdicts.skipped:
        print(f"{len(verdicts.skipped)} left out, each named above")
    for cause in verdicts.causes:
        print(cause)
    print(f"{verdicts.passed} passed, {failed} failed")
    return 1 if failed or not verdicts.passed else 0


if __name__ == "__main__":
    sys.exit(main())
