#!/usr/bin/env python3
"""Simulates rollouts to nodes by the scenarios of bench/scenarios: `bench/p2p.py` those that take minutes at most,
`bench/p2p.py flash-crowd-15k …` others by name, `--large` all. `--take FILE` takes in the result of a run that was made
by `entrepot simulate --json FILE`. Keeps every scenario's latest runs in p2p/runs.json, and writes P2P.md of all of them
and a plot for each into p2p/; README.md explains."""
import argparse
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import p2p_report  # noqa: E402
from harness.report import machine  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "bench/scenarios"
PLOTS = ROOT / "bench/p2p"
KEPT = PLOTS / "runs.json"
MEASURED = PLOTS / "measured.json"  # by rollout.py
REGISTRY = PLOTS / "one-registry.json"  # by control_streams.py and image_pulls.py
SMALL = ("flash-crowd-small", "layers-40", "flash-crowd-1k", "staggered-1k", "zones-3", "zones-unequal", "zones-trunk",
         "zones-seeds-die", "zones-cut-off", "zones-capped", "deaths", "silent", "silent-and-lying",
         "tracker-dies", "talk-grid")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="names of scenarios, without .yaml")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="where entrepot is")
    parser.add_argument("--large", action="store_true", help="all scenarios; hours")
    parser.add_argument("--take", type=pathlib.Path, action="append", default=[], metavar="FILE",
                        help="a result as JSON, of this machine; what is beside it, FILE with .svg and with .csv, comes along")
    parser.add_argument("--no-report", dest="report", action="store_false", help="leave P2P.md and p2p/ as they are")
    options = parser.parse_args()
    known = sorted(path.stem for path in SCENARIOS.glob("*.yaml"))
    if not options.names and not options.take:
        options.names = known if options.large else list(SMALL)
    if unknown := set(options.names) - set(known):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return options


def simulate(options, name, directory):
    """The runs of a scenario file, as JSON; its plot, and its nodes as CSV, are in `directory`."""
    outcome = subprocess.run(
        [options.build / "entrepot", "simulate", "--quiet", "--json", "-", "--svg", directory / f"{name}.svg",
         "--csv", directory / f"{name}.csv", SCENARIOS / f"{name}.yaml"],
        stdout=subprocess.PIPE, text=True)
    # 3: nodes that never finished. That is a result.
    if outcome.returncode not in (0, 3):
        sys.exit(f"{name}: exit code {outcome.returncode}")
    return json.loads(outcome.stdout)["runs"]


def add_zones(runs, table):
    """What came into each zone, where it is one run of several zones; `table` are its nodes as CSV."""
    zones = runs[0]["scenario"]["network"]["zones"]
    if len(runs) == 1 and table.exists() and (isinstance(zones, list) or zones > 1):
        runs[0]["zones"] = p2p_report.copies_by_zone(table, runs[0]["result"]["image_bytes"])


def plain(runs):
    """What is kept of runs: not the scheduler's numbers, which the code has, nor faults that are none."""
    for run in runs:
        run["scenario"] = {key: run["scenario"][key] for key in ("nodes", "image", "node", "origin", "network")}
    return runs


def keep(kept, name, runs, day, plot):
    kept[name] = {"date": str(day), "machine": machine(), "runs": plain(runs)}
    # Of many runs no curve can be told from another.
    if plot.exists() and len(runs) <= 4:
        (PLOTS / f"{name}.svg").write_text(plot.read_text())


def write(kept):
    PLOTS.mkdir(exist_ok=True)
    entries = []
    for name, entry in sorted(kept.items()):
        runs = ",\n".join(json.dumps(run, separators=(",", ":")) for run in entry["runs"])
        about = json.dumps({key: entry[key] for key in ("date", "machine")})
        entries.append(f"{json.dumps(name)}: {about[:-1]}, \"runs\": [\n{runs}\n]}}")
    KEPT.write_text("{\n" + ",\n".join(entries) + "\n}\n")
    plots = sorted(path.name for path in PLOTS.glob("*.svg"))
    rows = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    registry = json.loads(REGISTRY.read_text()) if REGISTRY.exists() else {}
    (ROOT / "bench/P2P.md").write_text(p2p_report.text(kept, plots, rows, registry))


def main():
    options = arguments()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for taken in options.take:
        runs = json.loads(taken.read_text())["runs"]
        add_zones(runs, taken.with_suffix(".csv"))
        keep(kept, runs[0]["name"], runs, datetime.date.fromtimestamp(taken.stat().st_mtime), taken.with_suffix(".svg"))
    with tempfile.TemporaryDirectory() as name_of_directory:
        directory = pathlib.Path(name_of_directory)
        for name in options.names:
            runs = simulate(options, name, directory)
            add_zones(runs, directory / f"{name}.csv")
            for run in runs:
                print(p2p_report.summary(name, run), flush=True)
            keep(kept, name, runs, datetime.date.today(), directory / f"{name}.svg")
            if options.report:
                write(kept)
    if options.report:
        write(kept)


if __name__ == "__main__":
    main()
