#!/usr/bin/env python3
"""Measures entrepot beside nginx, docker-registry and other registries; bench/README.md explains."""
import argparse
import pathlib
import sys
import tempfile

from harness import report, rows
from harness.bench import Bench
from harness.load import Generator

ROOT = pathlib.Path(__file__).resolve().parent.parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short rounds, to see that it works; no RESULTS.md")
    parser.add_argument("--only", action="append", default=[], metavar="ROW", help="this row (repeatable)")
    parser.add_argument("--servers", type=lambda text: text.split(","), help="only these, by comma")
    parser.add_argument("--rounds", type=int, help="rounds a row (5; with --quick 2)")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long one cell of a reading row takes")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="without those built from Go modules")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/entrepot")
    parser.add_argument("--load", type=pathlib.Path, default=ROOT / "build/release/entrepot_load")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build/bench", help="for data and raw results")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    return options


def choose(only):
    unknown = set(only) - {row.key for row in rows.ROWS}
    if unknown:
        sys.exit(f"no such row: {', '.join(sorted(unknown))}; --list names them")
    return [row for row in rows.ROWS if not only or row.key in only]


def main():
    options = arguments()
    if options.list:
        print("\n".join(f"{row.key:16} {row.title}" for row in rows.ROWS))
        return
    for binary in (options.load, options.binary):
        if not binary.exists():
            sys.exit(f"{binary} is missing: `make bench` builds it")
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        bench = Bench(options, options.folder, Generator(options.load, scratch))
        bench.run(choose(options.only))
    if not options.quick and not options.servers and bench.seen:
        report.write(report.remember(bench, options.folder / "results.json"), ROOT / "bench/RESULTS.md")
        print(f"\nwritten: {ROOT / 'bench/RESULTS.md'}")


if __name__ == "__main__":
    main()
