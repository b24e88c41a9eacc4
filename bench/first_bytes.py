#!/usr/bin/env python3
"""first_bytes.py --binary ENTREPOT [--rounds 40]: what an agent adds to a pull, over loopback.

A registry, and a node that has each image before another asks for it. In each round the same new image is pulled plainly from
the registry, by an agent that has been in its swarm for long (warm), and by one that has just come and knows nobody (cold);
tokens are fetched before. Measures what a tiny image takes more than plainly, when the first byte of a layer is there, and what
is moved for an image that shares nine tenths with one that is there. Prints JSON; kept with --keep FILE, from where
bench/harness/p2p_report.py takes it."""
import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/blackbox"))
from harness.report import keep_row

REPOSITORY = "library/first"
MEGABYTE = 1_000_000
SHARED_LAYERS, LAYERS = 18, 20
RECEIVED = ("entrepot_agent_bytes_total", {"source": "registry"}), ("entrepot_agent_swarm_received_bytes_total", {})
PUBLISHED_SECONDS = 2  # an agent's numbers are of its last look at its swarms


def pull(host, client, digest):
    """Seconds until the first byte of the first layer, and until the last of all."""
    from support.registry import ANY_MANIFEST
    begun = time.monotonic()
    manifest = client.expect(200, "GET", f"/v2/{REPOSITORY}/manifests/{digest}", headers={"Accept": ANY_MANIFEST}).json()
    first = None
    for part in (*manifest["layers"], manifest["config"]):
        headers = {"Authorization": f"Bearer {next(iter(client._tokens.values()))}"}
        connection = client._connection
        connection.request("GET", f"/v2/{REPOSITORY}/blobs/{part['digest']}", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise SystemExit(f"{host}: {answer.status} {answer.read(300)}")
        count = len(answer.read(1))
        first = first or time.monotonic() - begun
        count += len(answer.read())
        if count != part["size"]:
            raise SystemExit(f"{host}: {count} of {part['size']} bytes")
    return first, time.monotonic() - begun


class Bench:
    def __init__(self, binary, folder, stack):
        # After the environment is set: what they import reads it.
        os.environ["ENTREPOT_BINARY"] = str(binary)
        from support.registry import Registry
        from support.server import PASSWORD, Server
        from support.swarm import SWARM, Agent, NodeClient
        self.binary, self.folder, self.password = binary, folder, PASSWORD
        self.Agent, self.NodeClient = Agent, NodeClient
        self.random, self.nodes = random.Random(11), 0
        self.stack = stack
        self.server = Server(folder / "registry", environment=SWARM)
        stack.callback(self.server.stop)
        self.server.start()
        self.direct = Registry(self.server.host, "admin", PASSWORD)
        stack.callback(self.direct.close)
        self.token_file = folder / "token"
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "ENTREPOT_URL": f"http://{self.server.host}",
                       "ENTREPOT_USER": "admin", "ENTREPOT_PASSWORD": PASSWORD}
        made = subprocess.run([binary, "ctl", "node-token", "create", "--nodes", "1000", "-o", "json"], env=environment,
                              capture_output=True, text=True, check=True)
        self.token_file.write_text(json.loads(made.stdout)["token"])

    def agent(self):
        self.nodes += 1
        agent = self.Agent(self.folder / f"node-{self.nodes}", f"http://{self.server.host}", self.token_file, f"node-{self.nodes}")
        self.stack.callback(agent.stop)
        return agent.start()

    def client(self, agent):
        """With a token: what logging in takes is the registry's, with and without agents."""
        client = self.NodeClient(agent.host, "admin", self.password)
        client.expect(200, "GET", f"/v2/{REPOSITORY}/tags/list")
        client.expect(404, "GET", f"/v2/{REPOSITORY}/manifests/none")
        return client

    def push(self, *sizes, keep=()):
        layers = [*keep, *(self.random.randbytes(size) for size in sizes)]
        return self.direct.push_image(REPOSITORY, "latest", *layers), layers

    def round(self, size, source, warm):
        """Each way's (first byte, last byte), in seconds."""
        digest, _ = self.push(size)
        pull(source[0].host, source[1], digest)
        seen = {"plain": pull(self.server.host, self.direct, digest), "warm": pull(warm[0].host, warm[1], digest)}
        agent = self.agent()
        client = self.client(agent)
        seen["cold"] = pull(agent.host, client, digest)
        client.close()
        agent.stop()
        shutil.rmtree(agent.home)
        return seen

    def received(self, agent):
        time.sleep(PUBLISHED_SECONDS)
        return sum(agent.metric(name, **labels) for name, labels in RECEIVED)

    def upgrade(self, source, warm):
        """Bytes that came to a node for an image of which it has nine tenths, as a multiple of what it lacks."""
        size = MEGABYTE
        digest, layers = self.push(*[size] * LAYERS)
        for agent, client in (source, warm):
            pull(agent.host, client, digest)
        digest, _ = self.push(*[size] * (LAYERS - SHARED_LAYERS), keep=layers[:SHARED_LAYERS])
        pull(source[0].host, source[1], digest)
        before = self.received(warm[0])
        pull(warm[0].host, warm[1], digest)
        return (self.received(warm[0]) - before) / (size * (LAYERS - SHARED_LAYERS))


def spread(values):
    """Milliseconds."""
    ordered = sorted(values)
    at = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000
    return {"p50": at(0.5), "p10": at(0.1), "p90": at(0.9)}


def measure(arguments, folder, stack):
    bench = Bench(arguments.binary.resolve(), folder, stack)
    bench.push(1000)
    pairs = []
    for _ in range(2):
        agent = bench.agent()
        pairs.append((agent, bench.client(agent)))
    source, warm = pairs
    bench.direct.expect(200, "GET", f"/v2/{REPOSITORY}/tags/list")
    result = {"rounds": arguments.rounds}
    for name, size in (("tiny", 1000), ("large", 16 * MEGABYTE)):
        rounds = [bench.round(size, source, warm) for _ in range(arguments.rounds + 2)][2:]
        row = {way: {"first": spread(seen[way][0] for seen in rounds), "whole": spread(seen[way][1] for seen in rounds)}
               for way in ("plain", "warm", "cold")}
        for way in ("warm", "cold"):
            row[way]["more"] = spread(seen[way][1] - seen["plain"][1] for seen in rounds)
        result[name] = row
    result["upgrade_moved"] = statistics.median(bench.upgrade(source, warm) for _ in range(5))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, required=True, help="a release build")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--keep", type=pathlib.Path, help="JSON of measured rows, to which this one is written")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="entrepot-first-") as home, contextlib.ExitStack() as stack:
        keep_row(arguments.keep, "first-bytes", measure(arguments, pathlib.Path(home), stack))


if __name__ == "__main__":
    main()
