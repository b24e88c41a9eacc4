"""bench/P2P.md, from the runs that bench/p2p.py keeps: {scenario: {date, machine, runs: [as `entrepot simulate` tells]}}."""
import collections
import csv

from .report import table

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
GRID = "talk-grid"
FLAT = 0.05  # of the time, between least and most
HEAD = """# Images to nodes

What is **measured** are agents, registry and pulling clients in network namespaces of one machine, over links of the rate given
(`bench/rollout.py`). What is **simulated** is the agents' and the tracker's own code with simulated links and time (`entrepot
simulate`, `bench/p2p.py`): its results are the same on every machine, what the runs cost is not. [README.md](README.md) says
how to read it, [Simulating a rollout](../docs/simulate.md) what is left out. Times are from each node's own arrival, of
ordinary nodes that live to the end, as multiples of the bound.
"""


def size(count):
    for unit, word in ((1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{count / unit:.3g} {word}"
    return f"{count} bytes"


def multiple(value):
    return "never" if value is None else f"{value:.3f}"


def milliseconds(value):
    return "never" if value is None else f"{value * 1000:.0f} ms"


def title(name, run):
    return name if not run.get("label") else f"{name}: {run['label']}"


def summary(name, run):
    done = run["result"]["done_of_bound"]
    return f"{title(name, run)}: {', '.join(f'{key} {multiple(done[key])}' for key in ('p50', 'p99', 'last'))} of the bound"


def verdict(name, done):
    words = []
    for goal, key in zip(GOALS.get(name, (None, None)), ("p99", "last")):
        if goal is not None:
            reached = done[key] is not None and done[key] <= goal
            words.append(f"{key} ≤ {goal}: {'reached' if reached else 'missed'}")
    return ", ".join(words) or "–"


def each(kept):
    """All runs but the grid's: name, what was kept with it, run."""
    for name, entry in sorted(kept.items()):
        if name != GRID:
            for run in entry["runs"]:
                yield name, entry, run


def rollouts(kept):
    yield "\n## Rollouts (simulated)"
    body = []
    for name, _, run in each(kept):
        result, scenario = run["result"], run["scenario"]
        done, first = result["done_of_bound"], result["first_byte_seconds"]
        body.append((
            title(name, run),
            f"{scenario['nodes']:,}, {size(result['image_bytes'])}, {size(scenario['node']['up'])}/s",
            f"{scenario['origin']['instances']} × {size(scenario['origin']['up'])}/s",
            f"{result['bound_seconds']:.3g} s",
            *(multiple(done[key]) for key in ("p50", "p99", "last")),
            verdict(name, done),
            f"{milliseconds(first['p50'])}, {milliseconds(first['p99'])}",
            f"{result['streamable_share']:.0%}",
            f"{result['origin_copies']:.2f}",
        ))
    yield from table(("scenario", "nodes, image, a node's link", "the registry", "bound", "p50", "p99", "last", "goal",
                      "first byte p50, p99", "can be streamed", "copies from the registry"), body)


def runs(kept):
    yield "\n## What the runs cost"
    machines = sorted({entry["machine"] for entry in kept.values()})
    letters = {one: chr(ord("A") + at) for at, one in enumerate(machines)}
    yield from (f"{letters[one]}: {one}.  " for one in machines)
    yield ""
    body = []
    for name, entry in sorted(kept.items()):
        results = [run["result"] for run in entry["runs"]]
        events = sum(result["events"] for result in results)
        processor = sum(result["cost"]["processor_seconds"] for result in results)
        peak = max(result["cost"]["peak_bytes"] for result in results)
        body.append((name, str(len(results)), f"{events / 1e6:.3g} M", f"{processor:.3g} s", f"{round(events / processor, -3):,.0f}",
                     size(peak), entry["date"], letters[entry["machine"]]))
    yield from table(("scenario", "runs", "events", "CPU", "events per second of CPU", "memory at most", "date", "machine"), body)


def copies_by_zone(file, image_bytes):
    """Of a run's nodes as CSV: for each zone its nodes, and the copies that nodes elsewhere and the registry sent to it."""
    zones = collections.defaultdict(lambda: {"nodes": 0, "across": 0.0, "origin": 0.0})
    with open(file, newline="") as rows:
        for row in csv.DictReader(rows):
            zone = zones[int(row["zone"])]
            zone["nodes"] += 1
            zone["across"] += int(row["across"]) / image_bytes
            zone["origin"] += int(row["from_origin"]) / image_bytes
    return [zones[zone] for zone in sorted(zones)]


def zones(kept):
    body = []
    for name, _, run in each(kept):
        for at, zone in enumerate(run.get("zones", ())):
            body.append((title(name, run), f"{at}{', the registry’s' if at == 0 else ''}", str(zone["nodes"]),
                         f"{zone['across']:.2f}", f"{zone['origin']:.2f}",
                         f"{run['result']['bytes_share']['across']:.1%}"))
    if body:
        yield "\n## Zones (simulated)"
        yield "Copies of the image that came into each zone; without any swarm it would be one for each node."
        yield ""
        yield from table(("scenario", "zone", "nodes", "copies from nodes of other zones", "copies from the registry",
                          "bytes across zones between nodes, all zones"), body)


def spread(values):
    return max(values) / min(values) - 1


def grid(kept):
    if GRID not in kept:
        return
    seconds = {}
    for run in kept[GRID]["runs"]:
        scenario, result = run["scenario"], run["result"]
        key = (scenario["node"]["up"], result["image_bytes"], len(scenario["image"]["layers"]), scenario["nodes"])
        seconds[key] = result["done_seconds"]
    ups, images, layers, nodes = (sorted(set(column)) for column in zip(*seconds))
    body, by_layers, by_nodes = [], [], []
    for up in ups:
        for image in images:
            for count in nodes:
                of = [seconds[up, image, layer, count] for layer in layers]
                by_layers.append(spread([one["p99"] for one in of]))
                body.append((f"{size(up)}/s", size(image), f"{count:,}", *(f"{one['p99']:.3f} s" for one in of),
                             *(f"{image / one['p99'] / up:.0%}" for one in of), f"{by_layers[-1]:.1%}"))
            by_nodes += (spread([seconds[up, image, layer, count]["p99"] for count in nodes]) for layer in layers)
    yield "\n## Bandwidth, layers and nodes (simulated)"
    yield "A talk on peer-to-peer distribution at NetEase had it that more and smaller layers lower the bandwidth that is used,"
    yield "and that the number of nodes changes little. Here is the time until 99 % of the nodes have the image, and how much of"
    yield "a node's link that is, the fixed 30 ms among it, where the same bytes are in more and smaller layers."
    yield ""
    for what, apart in (("Layers", by_layers), ("Nodes", by_nodes)):
        yield (f"{what}: at most {max(apart):.1%} between least and most, "
               f"within {FLAT:.0%}: {'reached' if max(apart) <= FLAT else 'missed'}.  ")
    yield ""
    words = [f"{layer} {'layer' if layer == 1 else 'layers'}" for layer in layers]
    yield from table(("a node's link", "image", "nodes", *(f"{one}: p99" for one in words), *(f"{one}: of the link" for one in words),
                      "most apart"), body)


def measured(rows):
    if not rows:
        return
    yield "\n## Rollouts (measured)"
    yield "The bound is 50 ms, the image over a node's link, and for each doubling of the nodes a chunk of 256 KiB and 1 ms; of `plain`"
    yield "(no agents) it is what the registry's link takes for all of them. A round in the middle, and all rounds' slowest nodes."
    yield ""
    body = []
    for name, one in sorted(rows.items()):
        row = one["row"]
        about = [f"{row['layers']} layers" if row["layers"] > 1 else "1 layer",
                 *([f"{row['shared']:.0%} was there"] if row["shared"] else []),
                 *([f"arrivals spread over {row['spread']:g} times the ideal"] if row["spread"] else []),
                 *([f"{row['die']:.0%} of the nodes die half way"] if row["die"] else []),
                 *(["the registry is killed half way"] if row["tracker_dies"] else [])]
        memory = f"{size(one['agent_memory_p50'])}, {size(one['agent_peak_memory'])}" if "agent_peak_memory" in one else "–"
        body.append((name, f"{one['agents']}, {row['megabytes']:g} MB, {row['mbit']} Mbit/s", ", ".join(about),
                     f"{row['registry']} ×", f"{one['bound']:.2f} s", multiple(one["p50"] / one["bound"]),
                     multiple(one["times_bound"]), f"{one['best'] / one['bound']:.2f}–{one['worst'] / one['bound']:.2f} ({one['rounds']})",
                     milliseconds(one["first_byte_p50"]), f"{one['copies_from_registry']:.2f}", str(one["failed"]),
                     f"{one['agent_cpu_p50']:.2f} s" if "agent_cpu_p50" in one else "–", memory, one["date"]))
    yield from table(("row", "nodes, image, a node's link", "", "the registry's link", "bound", "p50", "last", "last of all rounds (how many)",
                      "first byte p50", "copies from the registry", "failed pulls", "CPU of an agent p50", "its memory p50, most", "date"), body)


def calibration(rows):
    """What was measured beside the same rollouts simulated."""
    both = {name: one for name, one in sorted(rows.items()) if "simulated" in one}
    if not both:
        return
    body, apart = [], []
    for name, one in both.items():
        cells = [name, str(one["agents"]), str(one["rounds"])]
        for key in ("p50", "last"):
            cells += [f"{one[key]:.2f} s", f"{one['simulated'][key]:.2f} s", f"{one['simulated'][key] / one[key] - 1:+.1%}"]
        if name.startswith("slow"):
            apart += [abs(one["simulated"][key] / one[key] - 1) for key in ("p50", "last")]
        body.append(cells)
    yield "\n## Measured and simulated"
    yield "The same rollouts by `entrepot simulate`, with the same network for all of them: 4.5 % of the links for heads, 0.1 ms one way,"
    yield "0.3 ms for a message, 20 ms for a handshake, 100 ms before the first request. Rows that are called slow leave the processor idle; in"
    yield "the others forty nodes share two cores, which is not simulated."
    if apart:
        yield ""
        yield f"The slow ones: at most {max(apart):.1%} apart, within 10%: {'reached' if max(apart) <= 0.1 else 'missed'}."
    yield ""
    yield from table(("row", "nodes", "rounds", "p50 measured", "simulated", "apart", "last measured", "simulated", "apart"), body)


def goal(value, most, words):
    return words, "reached" if value <= most else "missed"


def streams(one):
    count = f"{one['nodes']:,} nodes"
    announced, progress, again = one["announced"], one["progress"], one["restart"]
    megabytes = max(one["memory"], one["memory_rollout"]) / 1e6
    each = f"{one['stream_bytes'] / 1024:.1f} KiB a stream, {one['memory_before'] / 1e6:.0f} MB without any"
    yield (f"{count}: memory", f"{megabytes:.0f} MB ({each})", *goal(megabytes, 512, "≤ 512 MB"))
    yield (f"{count}: without anything to say", f"{one['idle_cores']:.2f} cores", "–", "–")
    yield (f"{count}: all announce an image at once", f"{announced['cpu']:.1f} s of CPU, {announced['seconds']:.1f} s", "–", "–")
    yield (f"{count}: progress once a second ({progress['reports_a_second']:,.0f} a second)", f"{progress['cores']:.2f} cores",
           *goal(progress["cores"], 2, "≤ 2 cores"))
    yield (f"{count}: a node is certified", f"{one['enrol_cpu_ms']:.1f} ms of CPU", "–", "–")
    yield (f"{count}: a stream begins (TLS handshake, REGISTER)", f"{one['handshake_cpu_ms']:.2f} ms of CPU", "–", "–")
    yield (f"{count}: all are back after kill -9", f"{again['connect_seconds']:.0f} s, {again['cpu']:.1f} s of CPU with the start",
           "–", "–")
    # Of the tracker's own work; what tickets and TLS take isn't told apart, so only a good answer is one.
    own = "reached" if again["announce_cpu"] <= 2 else "not known"
    yield (f"{count}: the tracker knows the rollout again", f"{again['announce_cpu']:.1f} s of CPU with TLS and tickets' signatures",
           "≤ 2 s of its own", own)


def pulls(one):
    what = f"{one['clients']:,} pulls at once of an image of 1 MiB"
    peak = one["memory_peak"] / 1e6
    yield (f"{what}: failed", f"{one['failed']}, in {one['seconds']:.1f} s", *goal(one["failed"], 0, "none"))
    yield (f"{what}: memory at most", f"{peak:.0f} MB", *goal(peak, 200, "≤ 200 MB"))
    times = one["storage_bytes"] / one["image_bytes"]
    yield (f"{what}: read from storage", f"{times:.2f} × the image", *goal(times, 1.02, "each blob once"))
    yield (f"{what}: CPU", f"{one['cpu']:.1f} s", "–", "–")


def first_bytes(one):
    def ms(spread):
        return f"{spread['p50']:.1f} ms ({spread['p10']:.1f}–{spread['p90']:.1f})"

    tiny, large = one["tiny"], one["large"]
    for way, most in (("cold", 50), ("warm", 15)):
        yield (f"an image of 1 kB by an agent, {way}: more than plainly", ms(tiny[way]["more"]),
               *goal(tiny[way]["more"]["p50"], most, f"≤ {most} ms"))
    for way in ("cold", "warm"):
        yield (f"a layer of 16 MB by an agent, {way}: its first byte", ms(large[way]["first"]),
               *goal(large[way]["first"]["p50"], 100, "≤ 100 ms warm"))
    yield ("the same plainly", ms(large["plain"]["first"]), "–", "–")
    yield ("an upgrade that shares nine tenths: moved, of what is missing", f"{one['upgrade_moved']:.3f}",
           *goal(one["upgrade_moved"], 1.02, "≤ 1.02"))


def one_registry(rows):
    if not rows:
        return
    yield "\n## One registry (measured)"
    yield "Its clients are other processes of the same machine, over loopback (`bench/control_streams.py`, `bench/image_pulls.py`,"
    yield "`bench/first_bytes.py`). What takes time in the first two is theirs as well, so times say little, and CPU, memory and bytes are the"
    yield "registry's own. Times of the third are the middle one of its rounds, with a tenth of them below and above the others."
    yield ""
    body = []
    for name, lines in (("control-streams", streams), ("image-pulls", pulls), ("first-bytes", first_bytes)):
        if name in rows:
            body += [(*line, rows[name]["date"]) for line in lines(rows[name])]
    yield from table(("", "", "goal", "", "date"), body)
    notes = {name: rows[name]["note"] for name in sorted(rows) if "note" in rows[name]}
    for name, note in notes.items():
        yield f"\n{name}: {note}."


def text(kept, plots, rows, registry):
    lines = [HEAD.rstrip("\n"), *measured(rows), *calibration(rows), *one_registry(registry)]
    for part in (rollouts, zones, grid, runs):
        lines += part(kept)
    lines += ["\n## Plots (simulated)", "Which share of the nodes had the image when; the bound is dotted.", ""]
    lines += [f"![{plot.removesuffix('.svg')}](p2p/{plot})" for plot in plots]
    return "\n".join(lines) + "\n"
