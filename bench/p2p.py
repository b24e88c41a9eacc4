#!/usr/bin/env python3
"""Simulates rollouts to nodes by the scenarios of bench/scenarios: `bench/p2p.py` those that take minutes at most,
`bench/p2p.py flash-crowd-15k …` others by name, `--large` all. Writes P2P.md and the plots in p2p/; README.md explains."""
import argparse
import datetime
import json
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "bench/scenarios"
REPORT = ROOT / "bench/P2P.md"
# Goals: (of p99, of the last node), as multiples of the bound. What stands in for larger rows has their goals.
GOALS = {
    "flash-crowd-small": (None, 1.15),
    "flash-crowd-1k": (1.15, 1.25),
    "flash-crowd-15k": (1.15, 1.25),
    "flash-crowd-15k-10gb": (1.15, 1.25),
    "staggered-1k": (1.25, None),
    "staggered-15k": (1.25, None),
    "crowd-100k": (None, 1.35),
}
SMALL = ("flash-crowd-small", "layers-40", "flash-crowd-1k", "staggered-1k", "zones-3", "deaths", "silent-and-lying", "tracker-dies")
HEAD = """# Images to nodes

Written by bench/p2p.py; [README.md](README.md) says how to read it, [Simulating a rollout](../docs/simulate.md) what is
simulated and what is left out. Times are multiples of the bound, from each node's own arrival, of ordinary nodes that
live to the end.

## Simulated
| scenario | nodes, image, a node's link | bound | p50 | p99 | last | goal | first byte p50, p99 | can be streamed | copies from the registry | across zones | the run: events, CPU, memory | date |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="names of scenarios, without .yaml")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="where entrepot is")
    parser.add_argument("--large", action="store_true", help="all scenarios; hours")
    parser.add_argument("--no-report", dest="report", action="store_false", help="leave P2P.md as it is")
    options = parser.parse_args()
    known = sorted(path.stem for path in SCENARIOS.glob("*.yaml"))
    options.names = options.names or (known if options.large else list(SMALL))
    if unknown := set(options.names) - set(known):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return options


def simulate(options, name):
    """The runs of a scenario file: its report as JSON."""
    plots = ROOT / "bench/p2p"
    plots.mkdir(exist_ok=True)
    outcome = subprocess.run(
        [options.build / "entrepot", "simulate", "--quiet", "--json", "-", "--svg", plots / f"{name}.svg", SCENARIOS / f"{name}.yaml"],
        stdout=subprocess.PIPE, text=True)
    # 3: nodes that never finished. That is a result.
    if outcome.returncode not in (0, 3):
        sys.exit(f"{name}: exit code {outcome.returncode}")
    return json.loads(outcome.stdout)["runs"]


def size(count):
    for unit, word in ((1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{count / unit:.3g} {word}"
    return f"{count} bytes"


def multiple(value):
    return "never" if value is None else f"{value:.3f}"


def milliseconds(value):
    return "never" if value is None else f"{value * 1000:.0f} ms"


def verdict(name, done):
    if name not in GOALS:
        return "–"
    words = []
    for goal, key in zip(GOALS[name], ("p99", "last")):
        if goal is not None:
            reached = done[key] is not None and done[key] <= goal
            words.append(f"{key} ≤ {goal}: {'reached' if reached else 'missed'}")
    return ", ".join(words)


def line(name, run):
    result, scenario, cost = run["result"], run["scenario"], run["result"]["cost"]
    done, first = result["done_of_bound"], result["first_byte_seconds"]
    title = name if not run.get("label") else f"{name}: {run['label']}"
    cells = (
        title,
        f"{scenario['nodes']:,}, {size(result['image_bytes'])}, {size(scenario['node']['up'])}/s",
        f"{result['bound_seconds']:.3g} s",
        *(multiple(done[key]) for key in ("p50", "p99", "last")),
        verdict(name, done),
        f"{milliseconds(first['p50'])}, {milliseconds(first['p99'])}",
        f"{result['streamable_share']:.0%}",
        f"{result['origin_copies']:.2f}",
        f"{result['bytes_share']['across']:.1%}",
        f"{result['events'] / 1e6:.3g} M, {cost['processor_seconds']:.3g} s, {cost['peak_bytes'] / 1e6:.3g} MB",
        str(datetime.date.today()),
    )
    return "| " + " | ".join(cells) + " |"


def write_report(lines):
    titles = {one.split("|")[1] for one in lines}
    old = REPORT.read_text().splitlines() if REPORT.exists() else []
    kept = [one for one in old if one.startswith("| ") and not one.startswith("| scenario ") and one.split("|")[1] not in titles]
    plots = sorted(path.name for path in (ROOT / "bench/p2p").glob("*.svg"))
    pictures = "\n".join(f"![{plot.removesuffix('.svg')}](p2p/{plot})" for plot in plots)
    REPORT.write_text(HEAD + "\n".join(sorted(kept + lines)) + "\n\n" + pictures + "\n\n"
                      f"Machine of the runs: {platform.machine()}; it changes their cost, not their result.\n")


def main():
    options = arguments()
    lines = []
    for name in options.names:
        for run in simulate(options, name):
            lines.append(line(name, run))
            print(lines[-1], flush=True)
        if options.report:
            write_report(lines)


if __name__ == "__main__":
    main()
