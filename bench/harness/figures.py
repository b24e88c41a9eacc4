"""From what the generator saw to the figures of a table, and their medians."""
import statistics

from . import processes

UNITS = {"10k requests": "requests/s", "GB out": "MB/s", "GB in": "MB/s", "image": "images/s"}
CPU_HEADINGS = {"10k requests": "CPU-s/10k", "GB out": "CPU-s/GB", "GB in": "CPU-s/GB", "image": "CPU ms/image"}


def of_cell(row, seen):
    """None stands for a cell that could not be measured at all: it counts as an error."""
    if seen is None:
        return {"failed": 1}
    moved = seen["bytes_in"] if row.per == "GB out" else seen["bytes_out"]
    if row.per.startswith("GB"):
        amount, scale = moved / 1e6, 1e3
    elif row.per == "image":
        amount, scale = seen["units"], 1e3
    else:
        amount, scale = seen["units"], 1e4
    cell = {"rate": amount / seen["seconds"] if seen["seconds"] else 0,
            "cpu": seen["cpu"] / amount * scale if amount else 0}
    for key in ("p50_ms", "p99_ms", "peak_mb", "errors", "open_at_once", "connections"):
        cell[key] = seen.get(key, 0)
    if "flushes" in seen:
        cell["flushes_per_image"] = seen["flushes"] / seen["units"] if seen["units"] else 0
    return cell


def at_rest(server):
    return {"units": 0, "bytes_in": 0, "bytes_out": 0, "seconds": 0, "cpu": 0, "errors": 0, "complaints": "",
            "peak_mb": processes.resident_mb(server.pids[0])}


def medians(cells):
    """Of the cells that were measured; errors are the sum."""
    good = [cell for cell in cells if "failed" not in cell]
    if not good:
        return None
    summary = {key: statistics.median(cell[key] for cell in good) for key in good[0]}
    summary["errors"] = sum(cell["errors"] for cell in good) + len(cells) - len(good)
    return summary


def spread(cells, key, digits=None):
    values = [cell[key] for cell in cells if "failed" not in cell]
    middle = statistics.median(values)
    if digits is None:
        digits = 0 if middle >= 100 else 1 if middle >= 10 else 2 if middle >= 1 else 3
    return f"{middle:,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def verdicts(row, by_server, own="entrepot"):
    """(target's text, what was measured, True or False, or None where there is nothing to compare with)."""
    summary = {name: medians(cells) for name, cells in by_server.items()}
    summary = {name: found for name, found in summary.items() if found}
    for target in row.targets:
        try:
            measured, reached = target.judge(summary, own)
        except KeyError:
            yield target.text, "not measured", None
            continue
        if summary[own]["errors"]:
            measured, reached = f"{measured}; {summary[own]['errors']:.0f} errors", False
        yield target.text, measured, reached


def headings(row):
    if row.key == "rest":
        return ["server", "resident MB"]
    if row.key == "slow":
        return ["server", "peak MB", "open at once", "errors"]
    flush = ["flushes/image"] if row.per == "image" else []
    return ["server", UNITS[row.per], CPU_HEADINGS[row.per], "p50 / p99 ms", "peak MB", *flush, "errors"]


def lines(row, by_server):
    """One list of table cells a server: median (least–most)."""
    for name, cells in by_server.items():
        summary = medians(cells)
        if summary is None:
            yield [name, "failed"] + [""] * (len(headings(row)) - 2)
        elif row.key == "rest":
            yield [name, spread(cells, "peak_mb", 1)]
        elif row.key == "slow":
            yield [name, spread(cells, "peak_mb", 0), f"{summary['open_at_once']:.0f}", f"{summary['errors']:.0f}"]
        else:
            flush = [spread(cells, "flushes_per_image")] if row.per == "image" else []
            yield [name, spread(cells, "rate"), spread(cells, "cpu"),
                   f"{summary['p50_ms']:.2f} / {summary['p99_ms']:.2f}", spread(cells, "peak_mb", 0), *flush,
                   f"{summary['errors']:.0f}"]


def as_text(row, by_server):
    text = [f"\n{row.title}", "  " + " | ".join(headings(row))]
    text += ["  " + " | ".join(line) for line in lines(row, by_server)]
    for own in ("entrepot", "entrepot-pg"):
        if own in by_server:
            text += [f"  {own}: {word(reached)}: {measured} (target: {wanted})"
                     for wanted, measured, reached in verdicts(row, by_server, own)]
    return "\n".join(text)


def word(reached):
    return {True: "reached", False: "NOT REACHED", None: "not compared"}[reached]
