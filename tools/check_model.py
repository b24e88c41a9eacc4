#!/usr/bin/env python3
"""check_model.py: has spin check docs/model/garbage_collection.pml, and find the mistake in each of its variants.

Needs spin and a C compiler. Prints one line a check, then the steps to a mistake that should not be there."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

MODEL = pathlib.Path(__file__).resolve().parent.parent / "docs/model/garbage_collection.pml"
# (what is checked, definitions, property, whether it holds)
CHECKS = [
    ("two pushers", ["PUSHES=1"], "safe", True),
    ("a pusher and a mount", ["MOUNTS"], "safe", True),
    ("garbage goes", ["SMALL", "PUSHES=1"], "progress", True),
    ("NO_SWEEPS", ["NO_SWEEPS"], "safe", False),
    ("NO_LOOK", ["NO_LOOK"], "safe", False),
    ("NO_LEAVING", ["NO_LEAVING"], "safe", False),
    ("NO_REVIVAL", ["NO_REVIVAL"], "safe", False),
    ("NO_COMPARE", ["NO_COMPARE"], "safe", False),
    ("NO_COMMIT_CHECK", ["NO_COMMIT_CHECK"], "safe", False),
    ("NO_CLAIM_CHECK", ["NO_CLAIM_CHECK"], "safe", False),
    ("NO_REMOVER", ["NO_REMOVER"], "safe", False),
]


# Minutes: with ENTREPOT_SOAK=1.
LONG = [("two pushers that push twice", ["PUSHES=2"], "safe", True)]


def run(command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def check(definitions, claim, folder):
    """Whether the claim holds, and the steps that break it."""
    defined = [f"-D{each}" for each in definitions]
    model = ["spin", *defined]
    if not (folder / "model.pml").exists():
        (folder / "model.pml").write_text(MODEL.read_text())
    made = run([*model, "-a", "model.pml"], folder)
    if made.returncode:
        sys.exit(f"spin can't read the model:\n{made.stdout}{made.stderr}")
    lives = claim == "progress"
    built = run(["cc", "-O2", "-w", *([] if lives else ["-DSAFETY"]), "-o", "pan", "pan.c"], folder)
    if built.returncode:
        sys.exit(f"the checker does not compile:\n{built.stderr}")
    searched = run(["./pan", *(["-a", "-f"] if lives else []), "-m1000000", "-N", claim], folder)
    if "max search depth too small" in searched.stdout or "errors:" not in searched.stdout:
        sys.exit(f"the search is not complete:\n{searched.stdout}{searched.stderr}")
    if "errors: 0" in searched.stdout:
        return True, ""
    return False, run([*model, "-t", "-p", "-g", "model.pml"], folder).stdout


def main():
    wrong = 0
    for name, definitions, claim, holds in CHECKS + (LONG if os.environ.get("ENTREPOT_SOAK") else []):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found, steps = check(definitions, claim, pathlib.Path(folder))
        good = found == holds
        wrong += not good
        said = "holds" if found else "is broken"
        print(f"{'ok' if good else 'WRONG'}: {name}: {claim} {said} ({time.monotonic() - began:.0f} s)", flush=True)
        if not good and steps:
            print(steps)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
