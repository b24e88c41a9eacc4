"""bench/RESULTS.md, from build/bench/results.json, which keeps the last full measurement of each row."""
import datetime
import json
import re
import os
import pathlib
import platform

from . import figures, rows


def machine():
    cpu = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), "unknown CPU")
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 2**20
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB, Linux {platform.release().partition('-')[0]}"


def keep_row(file, name, row):
    """Puts a row, with date and machine, over the older one of that name; prints it. `file` may be None."""
    row = {**row, "date": datetime.date.today().isoformat(), "machine": machine()}
    print(json.dumps(row))
    if file:
        kept = json.loads(file.read_text()) if file.exists() else {}
        kept[name] = row
        file.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def remember(bench, file):
    """Puts this run's rows over the older ones."""
    kept = json.loads(file.read_text()) if file.exists() else {}
    today = datetime.datetime.now().strftime("%Y-%m-%d")
    for key, by_server in bench.seen.items():
        kept[key] = {"date": today, "machine": machine(), "rounds": len(next(iter(by_server.values()))),
                     "versions": {name: bench.versions[name] for name in by_server}, "absent": bench.absent,
                     "cells": by_server}
    file.write_text(json.dumps(kept))
    return kept


def table(heading, body):
    yield "| " + " | ".join(heading) + " |"
    yield "|" + "---|" * len(heading)
    for line in body:
        yield "| " + " | ".join(line) + " |"


def summary(kept):
    body = []
    for row in rows.ROWS:
        if row.key not in kept:
            continue
        cells = kept[row.key]["cells"]
        own = list(figures.verdicts(row, cells))
        other = [("", "", None)] * len(own)
        if "entrepot-pg" in cells:
            other = list(figures.verdicts(row, cells, "entrepot-pg"))
        for (wanted, measured, reached), (_, on_postgres, _) in zip(own, other):
            body.append([row.title, wanted, measured, figures.word(reached), on_postgres])
    return table(["work", "target", "measured", "", "on PostgreSQL"], body)


def without_paths(text):
    """Where programs lie on the machine that measured is nobody's business."""
    return re.sub(r"(^|\s)/\S+:?\s*", r"\1", text)


def write(kept, file):
    newest = max(kept.values(), key=lambda entry: entry["date"])
    absent = {name: why for entry in kept.values() for name, why in entry["absent"].items()}
    versions = {name: version for entry in kept.values() for name, version in entry["versions"].items()}
    text = ["# Results of `make bench`", "",
            f"Measured {newest['date']} on {newest['machine']}. Written by bench/run.py; [README.md](README.md) says",
            "how to read it. Figures are medians of interleaved rounds, with the least and the most.", "",
            "Servers: " + "; ".join(f"{name} ({without_paths(version)})" for name, version in versions.items()) + ".",
            *(f"Not measured: {name}: {without_paths(why)}." for name, why in absent.items()), "",
            "## Targets", "", *summary(kept), "", "## Figures", ""]
    for row in rows.ROWS:
        if row.key in kept:
            entry = kept[row.key]
            text += [f"### {row.title}", "", f"{entry['rounds']} rounds, {entry['date']}. {row.note}".strip(), "",
                     *table(figures.headings(row), figures.lines(row, entry["cells"])), ""]
    file.write_text("\n".join(text))
