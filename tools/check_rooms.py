#!/usr/bin/env python3
"""check_rooms.py ROOT: holds ARCHITECTURE.md to the source.

Fails when a file of src/ includes a room that its own room may not see, when a folder of src/ is in no room, when two
headers define a type of the same name (all share one namespace: the linker would mix them up without a word), and when
the size budget is broken (no file over 500 lines, nine in ten at most 300; tests not counted)."""
import pathlib
import re
import sys

VERBS = ("registry", "tenancy", "upkeep", "exchange", "assurance", "events")
BASE = {"oci", "core"}

# A room is named by its folder; the longest name that fits a path counts.
MAY_INCLUDE = {
    "core": set(),
    "oci": {"core"},
    "access": BASE,
    "ports": {"access", *BASE},
    **{verb: {"ports", "access", *BASE} for verb in VERBS},
    "swarm": {"core"},
    "swarm/net": {"swarm", "client", "ports", "access", *BASE},
    "delivery": {"swarm", "swarm/net", "ports", "access", *BASE},
    "agent": {"http", "client", "swarm", "swarm/net", "drivers/chunk_files", *BASE},
    "http": {"core"},
    "client": {"core"},
    "drivers/memory": {"ports", "access", *BASE},
    "drivers/filesystem": {"ports", "access", *BASE},
    "drivers/audit_files": {"ports", "access", *BASE},
    "drivers/chunk_files": {"swarm", "core"},
    "drivers/syslog": {"ports", "access", *BASE},
    "drivers/sql": {"ports", "access", *BASE},
    "drivers/sqlite": {"drivers/sql", "ports", "access", *BASE},
    "drivers/postgres": {"drivers/sql", "ports", "access", *BASE},
    "drivers/layers": {"ports", "access", *BASE},
    **{f"drivers/{name}": {"ports", "access", "client", *BASE}
       for name in ("s3", "swift", "upstream", "directory", "scanner", "authoriser", "outbound")},
    "api": {"http", *VERBS, "delivery", "swarm", "ports", "access", *BASE},
    "cli": {"client", *BASE},
    "simulator": {"swarm", "core"},
}
MAY_INCLUDE["app"] = set(MAY_INCLUDE)
MAY_INCLUDE["main.cpp"] = {"app"}

LONGEST_FILE = 500
MOST_FILES = 300

TYPE = re.compile(r"(?:class|struct|enum class|enum) (\w+)(?: final)?(?: : [^;]*)?(?: \{.*)?$")
INCLUDE = re.compile(r'\s*#\s*include\s*"([^"]+)"')


def room_of(path):
    """The room that a path below src/ belongs to, or None."""
    parts = path.split("/")
    for length in range(len(parts), 0, -1):
        name = "/".join(parts[:length])
        if name in MAY_INCLUDE:
            return name
    return None


def is_test(path):
    return path.stem.endswith("_test")


def forbidden_includes(root):
    for path in sorted(root.rglob("*.[ch]pp")):
        inside = path.relative_to(root).as_posix()
        room = room_of(inside)
        if room is None:
            yield f"{path}:1: {inside.rsplit('/', 1)[0]}/ is no room of ARCHITECTURE.md"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            if not found or found[1].startswith("tests/") and is_test(path):
                continue
            seen = room_of(found[1])
            if seen is None:
                yield f'{path}:{number}: "{found[1]}" is in no room; include it as "room/file.hpp"'
            elif seen != room and seen not in MAY_INCLUDE[room]:
                yield f"{path}:{number}: {room}/ may not include {seen}/"


def types_with_one_name(root):
    """Only what stands at the margin of a header: in namespace entrepot, and not nested."""
    first = {}
    for path in sorted(root.rglob("*.hpp")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = TYPE.match(line)
            if found and first.setdefault(found[1], path) != path:
                yield f"{path}:{number}: {found[1]} is also defined in {first[found[1]]}"


def broken_budget(root):
    sizes = []
    for path in sorted(root.rglob("*.[ch]pp")):
        if not is_test(path):
            lines = len(path.read_text().splitlines())
            sizes.append(lines)
            if lines > LONGEST_FILE:
                yield f"{path}:{LONGEST_FILE + 1}: {lines} lines; the budget is {LONGEST_FILE}"
    sizes.sort()
    if sizes and sizes[(len(sizes) * 9 + 9) // 10 - 1] > MOST_FILES:
        yield f"{root}:1: a tenth of the files is longer than {MOST_FILES} lines"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1]) / "src"
    if not root.is_dir():
        sys.exit(f"{root} is no folder")
    problems = [*forbidden_includes(root), *types_with_one_name(root), *broken_budget(root)]
    print(*problems, sep="\n", end="\n" if problems else "")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
