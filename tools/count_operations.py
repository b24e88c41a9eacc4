#!/usr/bin/env python3
"""count_operations.py [--missing]: how many of Harbor's operations docs/api/openapi.yaml has.

Method and path count, whatever the parts of the path are called. That what the file has is served and answers as
described is what tests/blackbox/test_openapi.py is for."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def shape(method, path):
    return method, re.sub(r"\{\w+\}", "{}", path.rstrip("/"))


def of_harbor():
    lines = (ROOT / "tests/blackbox/harbor_operations.txt").read_text().splitlines()
    return {shape(*line.split()): line for line in lines if line and not line.startswith("#")}


def of_file():
    """Of the file's paths without a YAML parser: two spaces before a path, four before a method."""
    found, path = set(), None
    for line in (ROOT / "docs/api/openapi.yaml").read_text().splitlines():
        if match := re.fullmatch(r"  (/\S*):", line):
            path = match[1]
        elif path and (match := re.fullmatch(r"    (get|head|post|put|patch|delete):", line)):
            found.add(shape(match[1].upper(), path))
        elif line == "components:":
            break
    return found


def main():
    harbor, ours = of_harbor(), of_file()
    here = harbor.keys() & ours
    print(f"{len(here)} of Harbor's {len(harbor)} operations")
    print(f"{len(ours - harbor.keys())} operations of our own")
    if "--missing" in sys.argv:
        print(*(harbor[one] for one in sorted(harbor.keys() - ours, key=lambda one: one[::-1])), sep="\n")


if __name__ == "__main__":
    main()
