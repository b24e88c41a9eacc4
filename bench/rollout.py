#!/usr/bin/env python3
"""Rolls images out to agents in network namespaces of this machine, over links of a given rate, and measures when each
node has all of it. `bench/rollout.py` runs every row, `bench/rollout.py one-layer plain …` some; rows go to
p2p/measured.json, from which P2P.md is written (bench/p2p.py). Needs root. README.md explains."""
import argparse
import concurrent.futures
import contextlib
import dataclasses
import datetime
import itertools
import json
import math
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests/blackbox"))
from support.networks import REGISTRY, Network  # noqa: E402  (its folder is on the path only now)

RESULTS = ROOT / "bench/p2p/measured.json"
PASSWORD = "Rollout1password"
MEGABYTE = 1_000_000
CHUNK = 262_144
# Of one hop beyond the piece's own time: announcement, request, answer, on one machine.
HOP_SECONDS = 0.001
FIXED_SECONDS = 0.05
# For an interpreter to start, of which there is one for each node: they wait for each other.
STARTUP_SECONDS = 0.15


@dataclasses.dataclass(frozen=True)
class Row:
    """One rollout: `layers` of together `megabytes`, to `agents`, whose links carry `mbit` each way."""
    name: str
    megabytes: float = 64
    layers: int = 1
    mbit: int = 32
    registry: int = 4  # its link, in links of a node
    spread: float = 0  # arrivals, over so much of the time that one image takes on a link
    die: float = 0  # share of the agents that are killed half way
    tracker_dies: bool = False
    shared: float = 0  # share of the bytes that every node has already
    plain: bool = False  # no agents: everybody pulls from the registry at once
    disk: bool = False  # more than memory holds: what is kept lies on the disk
    agents: int = 0  # 0: as many as --agents says


ROWS = (
    Row("one-layer"),
    Row("forty-layers", layers=40),
    Row("narrow-registry", registry=1),
    Row("small-image", megabytes=16),
    Row("large-image", megabytes=128),
    Row("staggered", spread=1),
    Row("a-tenth-dies", die=0.1),
    Row("tracker-dies", tracker_dies=True),
    Row("upgrade", layers=10, shared=0.9),
    # With links and nodes that leave the processor idle: what is simulated of these has to be what is measured.
    Row("twenty-nodes", agents=20),
    Row("slow", megabytes=16, mbit=8, agents=20),
    Row("slow-forty-layers", megabytes=16, mbit=8, agents=20, layers=40),
    Row("slow-narrow-registry", megabytes=16, mbit=8, agents=20, registry=1),
    Row("slow-large-image", megabytes=32, mbit=8, agents=20),
    Row("slow-staggered", megabytes=16, mbit=8, agents=20, spread=1),
    Row("slow-a-tenth-dies", megabytes=16, mbit=8, agents=20, die=0.1),
    Row("four-agents-10gb", megabytes=10_000, layers=10, mbit=400, agents=4, disk=True),
    Row("plain", plain=True, megabytes=16),
)


class Failed(Exception):
    pass


def run(*command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **more)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


class Process:
    """A program in a namespace; its own figures are read from /proc before it goes."""

    def __init__(self, network, name, log, *command, environment=None):
        with open(log, "ab") as output:
            # ip netns exec replaces itself with the command, so the pid is the program's.
            self.process = subprocess.Popen(network.inside(name, *command), stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, env={**os.environ, **(environment or {})})
        self.log = log

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self, peak=False):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:" if peak else "VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Failed("no memory figures")

    def alive(self):
        return self.process.poll() is None

    def kill(self, number=signal.SIGKILL):
        if self.alive():
            self.process.send_signal(number)
        self.process.wait()


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


class Rollout:
    """One row: its network, registry and agents, from start to end."""

    def __init__(self, options, row, folder):
        self.options, self.row, self.folder = options, row, folder
        self.nodes = row.agents or options.agents
        self.random = random.Random(7)
        self.stack = contextlib.ExitStack()
        self.registry_url = f"http://{Network.address(REGISTRY)}:5000"
        self.agents = {}
        self.made = itertools.count()

    def __enter__(self):
        try:
            self.network = Network(self.nodes, self.row.mbit, self.row.mbit * self.row.registry)
            self.stack.callback(self.network.close)
            self.start_registry()
            self.image = self.push(self.row.layers, self.row.megabytes)
            if not self.row.shared:
                for name in self.layers:
                    name.unlink()
            if not self.row.plain:
                self.token_file = self.folder / "token"
                self.token_file.write_text(self.made_token())
                with concurrent.futures.ThreadPoolExecutor(8) as pool:
                    list(pool.map(self.start_agent, range(self.nodes)))
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    def start_registry(self):
        environment = {"ENTREPOT_ADMIN_PASSWORD": PASSWORD, "ENTREPOT_SWARM_ENABLED": "true"}
        self.registry = Process(self.network, REGISTRY, self.folder / "registry.log", self.options.binary, "serve", "--listen",
                                "0.0.0.0:5000", "--data", self.folder / "registry", environment=environment)
        self.stack.callback(lambda: self.registry.kill(signal.SIGTERM))
        wait_until(lambda: subprocess.run(self.network.inside(REGISTRY, "curl", "-fsS", "-o", "/dev/null", self.registry_url + "/readyz"),
                                          capture_output=True, check=False).returncode == 0, 30, "the registry answers")

    def restart_registry(self):
        self.registry.kill()
        time.sleep(1)
        self.start_registry()

    def made_token(self):
        environment = {**os.environ, "ENTREPOT_URL": self.registry_url, "ENTREPOT_USER": "admin", "ENTREPOT_PASSWORD": PASSWORD}
        text = run(*self.network.inside(REGISTRY, self.options.binary, "ctl", "node-token", "create", "--nodes", "1000", "-o", "json"),
                   env=environment)
        return json.loads(text)["token"]

    def push(self, layers, megabytes, keep=()):
        """Pushed from the registry's own namespace: by a small program in it. The manifest's digest."""
        count = int(megabytes * MEGABYTE / layers)
        files = [*keep, *(self.folder / f"layer-{next(self.made)}" for _ in range(layers - len(keep)))]
        for name in files[len(keep):]:
            with open(name, "wb") as file:
                for at in range(0, count, MEGABYTE):
                    file.write(self.random.randbytes(min(MEGABYTE, count - at)))
        program = ("import sys; sys.path.insert(0, sys.argv[1])\n"
                   "from support.registry import Registry\n"
                   "client, name = Registry(sys.argv[2], 'admin', sys.argv[3], timeout=600), 'library/rollout'\n"
                   "print(client.push_image_of(name, 'latest', [client.push_file(name, file) for file in sys.argv[4:]]))\n")
        digest = run(*self.network.inside(REGISTRY, sys.executable, "-c", program, ROOT / "tests/blackbox",
                                          f"{Network.address(REGISTRY)}:5000", PASSWORD, *files)).strip()
        self.layers = files
        return digest

    def start_agent(self, number):
        home = self.folder / f"agent-{number}"
        home.mkdir()
        agent = Process(self.network, number, home / "log", self.options.binary, "agent", "--registry", self.registry_url,
                        "--listen", "127.0.0.1:5001", "--peer-listen", f"{Network.address(number)}:7402",
                        "--data", home / "data", "--node", f"node-{number}", "--zone", "z",
                        "--bootstrap-token-file", self.token_file, "--metrics-listen", "127.0.0.1:5002",
                        "--rate-up", str(self.row.mbit))
        self.agents[number] = agent
        self.stack.callback(agent.kill)

        def connected():
            if not agent.alive():
                raise Failed(f"agent {number} ended: {(home / 'log').read_text()[-2000:]}")
            done = subprocess.run(self.network.inside(number, "curl", "-fsS", "http://127.0.0.1:5001/healthz"),
                                  capture_output=True, text=True, check=False)
            return done.returncode == 0 and json.loads(done.stdout)["swarm_connected"]

        wait_until(connected, 60, f"agent {number} is in the swarm")

    def metric(self, number, name, label=""):
        text = run(*self.network.inside(number, "curl", "-fsS", "http://127.0.0.1:5002/metrics"))
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith((name + " ", name + "{")) and label in line)

    def pull(self, number, at):
        """Seconds from its beginning to its last byte, and to its first; None where it failed."""
        host = "127.0.0.1:5001" if not self.row.plain else f"{Network.address(REGISTRY)}:5000"
        done = subprocess.run(self.network.inside(number, sys.executable, ROOT / "bench/pull_image.py", host, PASSWORD,
                                                  "library/rollout", self.image, str(at)),
                              capture_output=True, text=True, check=False)
        if done.returncode:
            return {"error": done.stderr[-500:]}
        return json.loads(done.stdout)

    def everybody_pulls(self):
        """All at once or spread; what each saw, and what it took."""
        row = self.row
        ideal = row.megabytes * MEGABYTE * 8 / (row.mbit * 1e6)
        numbers = list(range(self.nodes))
        victims = set(self.random.sample(numbers, round(row.die * len(numbers))))
        start = time.monotonic() + 1 + STARTUP_SECONDS * len(numbers)
        times = {number: start + (row.spread * ideal * number / len(numbers)) for number in numbers}
        before = self.network.sent(REGISTRY)
        cpu = {number: agent.cpu_seconds() for number, agent in self.agents.items()}
        registry_cpu = self.registry.cpu_seconds()
        events = []
        if victims:
            def kill_some():
                time.sleep(max(0, start + ideal / 2 - time.monotonic()))
                for number in victims:
                    self.agents[number].kill()
            events.append(threading.Thread(target=kill_some))
        if row.tracker_dies:
            def kill_registry():
                time.sleep(max(0, start + ideal / 2 - time.monotonic()))
                self.restart_registry()
            events.append(threading.Thread(target=kill_registry))
        for event in events:
            event.start()
        with concurrent.futures.ThreadPoolExecutor(len(numbers)) as pool:
            seen = dict(zip(numbers, pool.map(lambda number: self.pull(number, times[number]), numbers)))
        for event in events:
            event.join()
        living = [number for number in numbers if number not in victims]
        failed = [seen[number]["error"] for number in living if "error" in seen[number]]
        good = [seen[number] for number in living if "error" not in seen[number]]
        if not good:
            raise Failed(f"nobody got the image: {failed[:1]}")
        # A registry that was killed began to count anew.
        sent = self.network.sent(REGISTRY) - before
        return self.figures(good, failed, sent, ideal, cpu, registry_cpu)

    def figures(self, good, failed, sent, ideal, cpu, registry_cpu):
        row = self.row
        ends = sorted(one["whole"] for one in good)
        image_bytes = row.megabytes * MEGABYTE * (1 - row.shared)
        agents = [agent for agent in self.agents.values() if agent.alive()]
        piece = CHUNK * 8 / (row.mbit * 1e6)
        hops = math.ceil(math.log2(self.nodes + 1))
        bound = FIXED_SECONDS + ideal * (1 - row.shared) + hops * (piece + HOP_SECONDS)
        if row.plain:
            bound = self.nodes * ideal / row.registry
        figures = {
            "row": dataclasses.asdict(row), "agents": self.nodes, "bound": bound,
            "p50": statistics.median(ends), "last": ends[-1], "times_bound": ends[-1] / bound,
            "first_byte_p50": statistics.median(one["first"] for one in good),
            "manifest_p50": statistics.median(one["manifest"] for one in good), "failed": len(failed), "errors": failed[:3],
            "copies_from_registry": sent / image_bytes if image_bytes else 0,
            "registry_cpu": self.registry.cpu_seconds() - (0 if row.tracker_dies else registry_cpu),
            "date": datetime.date.today().isoformat(),
        }
        if agents:
            figures["agent_cpu_p50"] = statistics.median(
                agent.cpu_seconds() - cpu[number] for number, agent in self.agents.items() if agent.alive())
            figures["agent_peak_memory"] = max(agent.resident(peak=True) for agent in agents)
            alive = [number for number, agent in self.agents.items() if agent.alive()]
            for name, metric in (("fallbacks", "entrepot_agent_fallbacks_total"), ("refills", "entrepot_agent_swarm_refills_total")):
                figures[name] = sum(self.metric(number, metric) for number in alive)
            # In images: by the registry's HTTP, from it as a seed, from each other.
            sources = (("by_http", "entrepot_agent_bytes_total", 'source="registry"'), ("passed_on", "entrepot_agent_bytes_total", 'source="passed"'),
                       ("from_seed", "entrepot_agent_swarm_received_bytes_total", 'from="registry"'),
                       ("from_nodes", "entrepot_agent_swarm_received_bytes_total", 'from="zone"'))
            for name, metric, label in sources:
                figures[name] = sum(self.metric(number, metric, label) for number in alive) / (row.megabytes * MEGABYTE)
            figures["agent_memory_p50"] = statistics.median(agent.resident() for agent in agents)
        return figures

    def measure(self):
        if not self.row.shared:
            return self.everybody_pulls()
        # What was there before, and then what shares most of it.
        self.everybody_pulls()
        keep = round(self.row.shared * self.row.layers)
        self.image = self.push(self.row.layers, self.row.megabytes, self.layers[:keep])
        return self.everybody_pulls()


# What is the same for all rows: heads of TCP, IP and TLS; one way on one machine; what a node does before its first request.
SIMULATED_NETWORK = {"goodput": "95.5%", "latency": "100 us", "handling": "300 us", "fixed": "100 ms", "handshake": "20 ms"}


def simulated(options, row, folder):
    """The same rollout, simulated: seconds until half of the nodes and the last one have the image."""
    ideal = row.megabytes * MEGABYTE * 8 / (row.mbit * 1e6)
    scenario = {
        "name": row.name, "nodes": row.agents or options.agents, "image": {"size": f"{row.megabytes:g} MB", "layers": row.layers},
        "node": {"up": f"{row.mbit} Mbit/s"}, "origin": {"up": f"{row.mbit * row.registry} Mbit/s"}, "network": SIMULATED_NETWORK,
    }
    if row.spread:
        scenario["arrivals"] = {"kind": "spread", "over": f"{row.spread * ideal:g} s"}
    if row.die:
        scenario["faults"] = {"dying": {"share": f"{row.die:.0%}", "at": f"{ideal / 2:g} s"}}
    file = folder / "scenario.yaml"
    file.write_text(json.dumps(scenario))
    done = json.loads(run(options.binary, "simulate", "--quiet", "--json", "-", file))["runs"][0]["result"]["done_seconds"]
    return {"p50": done["p50"], "last": done["last"]}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", help=", ".join(row.name for row in ROWS))
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--agents", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-report", dest="report", action="store_false")
    options = parser.parse_args()
    options.binary = options.build.resolve() / "entrepot"
    known = {row.name: row for row in ROWS}
    if unknown := set(options.rows) - set(known):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    options.rows = [known[name] for name in options.rows] or list(ROWS)
    return options


def measured(options, row):
    """The round in the middle, and how far the others were from it."""
    rounds = []
    for _ in range(options.rounds):
        # Files in memory, where they fit: forty agents on one disk would measure the disk.
        folder = pathlib.Path(tempfile.mkdtemp(prefix="entrepot-rollout-", dir=None if row.disk else "/dev/shm"))
        try:
            with Rollout(options, row, folder) as rollout:
                rounds.append(rollout.measure())
            # A registry that is away for a second is no tracker that dies, nor is an upgrade one image.
            if not (row.plain or row.tracker_dies or row.shared):
                rounds[-1]["simulated"] = simulated(options, row, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    rounds.sort(key=lambda figures: figures["last"])
    middle = rounds[len(rounds) // 2]
    return {**middle, "rounds": len(rounds), "best": rounds[0]["last"], "worst": rounds[-1]["last"],
            "failed": sum(figures["failed"] for figures in rounds)}


def main():
    options = arguments()
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for row in options.rows:
        figures = measured(options, row)
        print(f"{row.name}: last {figures['last']:.2f} s = {figures['times_bound']:.2f} x bound {figures['bound']:.2f} s; "
              f"p50 {figures['p50']:.2f} s; copies {figures['copies_from_registry']:.2f}; failed {figures['failed']}", flush=True)
        print({name: figures[name] for name in ("simulated", "fallbacks", "refills", "by_http", "passed_on", "from_seed", "from_nodes", "agent_cpu_p50",
                                                "agent_peak_memory", "first_byte_p50", "manifest_p50") if name in figures}, flush=True)
        kept[row.name] = figures
        if options.report:
            RESULTS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
