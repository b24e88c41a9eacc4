#!/usr/bin/env python3
"""Measures what goes between two registries: planning with nothing to do, many small images beside skopeo, a proxy's
cold and warm pulls, and a copy over a line that breaks. `bench/exchange.py planning images` measures some of them.
Writes EXCHANGE.md; README.md explains. All but `planning` and `hits` need root."""
import argparse
import concurrent.futures
import contextlib
import datetime
import gzip
import hashlib
import http.client
import json
import os
import pathlib
import platform
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from harness import content, downloads, links, processes
from harness.servers import PASSWORD

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASIC = {"Authorization": content.basic("admin", PASSWORD)}
PORT = 5000
MIB = 1 << 20
ROWS = {}


def row(name):
    def note(function):
        ROWS[name] = function
        return function
    return note


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="row", help=f"of {', '.join(ROWS)}; none: all")
    parser.add_argument("--repositories", type=int, default=100_000, help="planning: in both")
    parser.add_argument("--images", type=int, default=2_000, help="images: for us")
    parser.add_argument("--peer-images", type=int, default=100, help="images: for skopeo, whose time is scaled up")
    parser.add_argument("--clients", type=int, default=50, help="cold: at once")
    parser.add_argument("--megabytes", type=int, default=1_000, help="cold: of the image")
    parser.add_argument("--gigabytes", type=float, default=10, help="breaks: of the blob")
    parser.add_argument("--every", type=float, default=20, help="breaks: seconds between them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hit-rounds", type=int, default=20, help="hits: rounds")
    parser.add_argument("--seconds", type=float, default=2, help="hits: of one cell")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--scratch", type=pathlib.Path, help="a folder with room for four times the largest blob")
    parser.add_argument("--no-report", dest="report", action="store_false", help="leave EXCHANGE.md as it is")
    options = parser.parse_args()
    options.rows = options.rows or list(ROWS)
    if unknown := set(options.rows) - ROWS.keys():
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    options.binary = options.build / "entrepot"
    return options


class Api:
    """The management API and pushes as the admin, over one connection."""

    def __init__(self, host):
        self.connection = http.client.HTTPConnection(host, timeout=600)

    def call(self, method, path, body=None, media_type="application/json", status=(200, 201, 202), headers=None):
        if body is not None and media_type == "application/json":
            body = json.dumps(body)
        self.connection.request(method, path, body, {**(headers or BASIC), "Content-Type": media_type})
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status not in status:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
        return answer, data

    def get(self, path):
        return json.loads(self.call("GET", "/api/v2.0" + path)[1])

    def made(self, path, body):
        answer, _ = self.call("POST", "/api/v2.0" + path, body)
        return int(answer.headers["Location"].rpartition("/")[2])

    def token(self, repository, actions="pull,push"):
        scope = urllib.parse.quote(f"repository:{repository}:{actions}", safe=":/,")
        _, data = self.call("GET", f"/service/token?service=entrepot&scope={scope}")
        return {"Authorization": "Bearer " + json.loads(data)["token"]}

    def blob(self, repository, token, data, digest=None):
        """`data`: bytes, or an open file with its digest."""
        digest = digest or content.digest_of(data)
        if isinstance(data, bytes):
            self.call("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", data, "application/octet-stream", headers=token)
            return
        started, _ = self.call("POST", f"/v2/{repository}/blobs/uploads/", b"", "application/octet-stream", headers=token)
        place = urllib.parse.urlsplit(started.headers["Location"])
        query = "&".join(filter(None, [place.query, "digest=" + digest]))
        self.call("PUT", f"{place.path}?{query}", data, "application/octet-stream", headers=token)

    def endpoint(self, host, kind="entrepot"):
        return self.made("/registries", {
            "name": f"e{random.getrandbits(32):x}", "url": "http://" + host, "type": kind,
            "credential": {"type": "basic", "access_key": "admin", "access_secret": PASSWORD}})

    def policy(self, endpoint, pattern="**"):
        return self.made("/replication/policies", {
            "name": f"p{random.getrandbits(32):x}", "enabled": True, "override": True, "trigger": {"type": "manual"},
            "dest_registry": {"id": endpoint}, "filters": [{"type": "name", "value": pattern}]})

    def execute(self, policy):
        """Seconds until all of its tasks have ended."""
        began = time.monotonic()
        number = self.made("/replication/executions", {"policy_id": policy})
        while (state := self.get(f"/replication/executions/{number}"))["status"] == "InProgress":
            time.sleep(0.02)
        if state["status"] != "Succeed":
            raise RuntimeError(f"the execution ended as {state}")
        return time.monotonic() - began, state


class Instance:
    """entrepot in `folder`; `inside` is what its command begins with, `host` where the script asks it."""

    def __init__(self, options, folder, host, listen=None, inside=()):
        self.options, self.folder, self.host, self.listen, self.inside = options, pathlib.Path(folder), host, listen or host, inside
        self.process = None

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [*self.inside, self.options.binary, "serve", "--listen", self.listen, "--data", self.folder / "data"]
        self.process = processes.Process(list(map(str, command)), self.folder / "log", {
            "ENTREPOT_ADMIN_PASSWORD": PASSWORD, "ENTREPOT_OUTBOUND_ALLOW": "127.0.0.0/8,10.0.0.0/8",
            "ENTREPOT_LOG_ACCESS": "false"})
        self.process.wait_until(lambda: processes.answers(f"http://{self.host}/v2/"))
        self.api = Api(self.host)
        return self

    def __exit__(self, *_):
        self.process.stop()

    @property
    def cpu(self):
        return processes.cpu_seconds(self.process.pid)

    def metric(self, name):
        with urllib.request.urlopen(f"http://{self.host}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M))


class Cost:
    """CPU-seconds of servers, and of children of this script that have ended, while it is entered."""

    def __init__(self, *instances):
        self.instances = instances

    def now(self):
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return sum(each.cpu for each in self.instances) + children.ru_utime + children.ru_stime

    def __enter__(self):
        self.seconds = -self.now()
        return self

    def __exit__(self, *_):
        self.seconds += self.now()


def spread(values, unit="s"):
    middle = statistics.median(values)
    if len(values) == 1:
        return f"{middle:.3g} {unit}"
    return f"{middle:.3g} {unit} ({min(values):.3g} to {max(values):.3g})"


def verdict(reached):
    return "reached" if reached else "missed"


def sides(options, stack, pair, folder):
    """An instance at either end of the line, with the addresses that they have for each other."""
    return [stack.enter_context(Instance(options, folder / side, pair.control(space, PORT), f"0.0.0.0:{PORT}", pair.inside(space, [])))
            for side, space in (("left", pair.left), ("right", pair.right))]


@row("planning")
def planning(options, folder):
    hosts = [f"127.0.0.1:{processes.free_port()}" for _ in range(2)]
    with Instance(options, folder / "here", hosts[0]):
        pass  # has made the schema and the admin
    database = next((folder / "here" / "data").glob("*.db"))
    subprocess.run([options.build / "entrepot_seed", "--database", database, "--projects", "0", "--artifacts", "0",
                    "--empty-projects", "0", "--labels", "0", "--more-repositories", str(options.repositories)],
                   check=True, stderr=subprocess.DEVNULL)
    shutil.copytree(folder / "here", folder / "there")
    with Instance(options, folder / "here", hosts[0]) as here, Instance(options, folder / "there", hosts[1]) as there:
        ways = {"digests": ("entrepot", options.rounds), "lists": ("docker-registry", 1)}
        seen = {}
        for name, (kind, rounds) in ways.items():
            policy = here.api.policy(here.api.endpoint(there.host, kind), "many/**")
            seen[name] = {"wall": [], "cpu": [], "peak": [], "rest": []}
            for _ in range(rounds):
                time.sleep(3)
                seen[name]["rest"].append(processes.resident_mb(here.process.pid))
                processes.reset_peak(here.process.pid)
                with Cost(here, there) as cost:
                    wall, state = here.api.execute(policy)
                if state["total"] > 0:
                    raise RuntimeError(f"there was something to do: {state}")
                for key, value in (("wall", wall), ("cpu", cost.seconds), ("peak", processes.peak_mb(here.process.pid))):
                    seen[name][key].append(value)
    ours, lists = seen["digests"], seen["lists"]
    yield (f"planning {options.repositories:,} repositories that are there already", "< 10 s, < 100 MB",
           f"CPU of both {spread(ours['cpu'])}, wall {spread(ours['wall'])}, planner's memory {spread(ours['peak'], 'MB')}, "
           f"{spread(ours['rest'], 'MB')} before; "
           f"by lists: CPU {spread(lists['cpu'])}, wall {spread(lists['wall'])}, {spread(lists['peak'], 'MB')}",
           verdict(statistics.median(ours["wall"]) < 10 and max(ours["peak"]) < 100))


def push_small_images(api, count):
    """Images of 4 KB, a hundred in a repository; their repositories."""
    def push(numbers):
        own = Api(api.connection.host + f":{api.connection.port}")
        repository = f"small/r{numbers[0] // 100:03}"
        token = own.token(repository)
        for number in numbers:
            config = json.dumps({"architecture": "amd64", "os": "linux", "number": number}).encode()
            # skopeo would pack what isn't packed.
            layer = gzip.compress(random.Random(number).randbytes(4096), mtime=0)
            own.blob(repository, token, config)
            own.blob(repository, token, layer)
            own.call("PUT", f"/v2/{repository}/manifests/v{number}", content.manifest_of(config, layer, str(number)),
                     content.MANIFEST, headers=token)
        return repository
    api.made("/projects", {"project_name": "small"})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(push, [range(first, min(first + 100, count)) for first in range(0, count, 100)]))


def states_of(instance):
    return json.loads(instance.api.call("GET", "/api/v2.0/tag-states?after_repository=small/&until_repository=small0"
                                               "&limit=10000&summary=true")[1])


@row("images")
def images(options, folder):
    def ours(left, _):
        left.api.execute(left.api.policy(left.api.endpoint(f"{pair.RIGHT}:{PORT}"), "small/**"))

    def skopeo(_, repositories):
        for repository in repositories:
            subprocess.run(pair.inside(pair.left, [
                "skopeo", "sync", "--src", "docker", "--dest", "docker", "--src-tls-verify=false", "--dest-tls-verify=false",
                "--src-creds", f"admin:{PASSWORD}", "--dest-creds", f"admin:{PASSWORD}",
                f"{pair.LEFT}:{PORT}/{repository}", f"{pair.RIGHT}:{PORT}/small"]), check=True, capture_output=True)

    seen = {"entrepot": [], "skopeo": []}
    peers = [("entrepot", ours, options.images), ("skopeo", skopeo, options.peer_images)]
    with links.Pair() as pair:
        pair.plug_far(options.build / "entrepot_link", 200, 0.020)
        for turn in range(options.rounds):
            for name, copy, count in (peers if turn % 2 == 0 else peers[::-1]):
                with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory(dir=folder) as fresh:
                    left, right = sides(options, stack, pair, pathlib.Path(fresh))
                    repositories = push_small_images(left.api, count)
                    right.api.made("/projects", {"project_name": "small"})
                    before = pair.received(pair.right)
                    with Cost(left, right) as cost:
                        began = time.monotonic()
                        copy(left, repositories)
                        wall = time.monotonic() - began
                    if states_of(left) != states_of(right):
                        raise RuntimeError(f"{name} has not brought everything over")
                    seen[name].append((cost.seconds / count * 1e3, wall / count * 1e3, (pair.received(pair.right) - before) / count / 1e3))
    cpu, wall, sent = ({name: [each[part] for each in rounds] for name, rounds in seen.items()} for part in range(3))
    factor = statistics.median(wall["skopeo"]) / statistics.median(wall["entrepot"])
    version = subprocess.run(["skopeo", "--version"], capture_output=True, text=True).stdout.strip()
    yield (f"{options.images:,} images of 4 KB, 20 ms round trip, 200 Mbit/s", "≥ 10x skopeo sync",
           "; ".join(f"{label}: CPU {spread(cpu[name], 'ms')}, wall {spread(wall[name], 'ms')}, {spread(sent[name], 'KB')} an image"
                     for name, label in (("entrepot", "entrepot"), ("skopeo", f"{version} ({options.peer_images} images)")))
           + f": {factor:.1f}x", verdict(factor >= 10))


def download_inside(pair, address, path, headers, count):
    """The same in the right namespace, by a process of its own."""
    done = subprocess.run(pair.inside(pair.right, [sys.executable, downloads.__file__, json.dumps([address, path, headers, count])]),
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def random_file(path, size):
    """A file of random bytes, and its digest."""
    source, digest = random.Random(size), hashlib.sha256()
    with open(path, "wb") as file:
        for start in range(0, size, 16 * MIB):
            piece = source.randbytes(min(16 * MIB, size - start))
            file.write(piece)
            digest.update(piece)
    return "sha256:" + digest.hexdigest()


def push_file(api, repository, path, digest, size):
    """An image of this one layer."""
    config = b'{"architecture":"amd64","os":"linux"}'
    token = api.token(repository)
    api.blob(repository, token, config)
    with open(path, "rb") as file:
        api.blob(repository, token, file, digest)
    manifest = json.loads(content.manifest_of(config, b"", digest))
    manifest["layers"][0] |= {"digest": digest, "size": size}
    api.call("PUT", f"/v2/{repository}/manifests/1", json.dumps(manifest).encode(), content.MANIFEST, headers=token)


def proxy_of(instance, upstream, name):
    instance.api.made("/projects", {"project_name": name, "registry_id": instance.api.endpoint(upstream),
                                    "metadata": {"public": "true"}})


@row("cold")
def cold(options, folder):
    size = options.megabytes * 1_000_000
    digest = random_file(folder / "layer", size)
    seen = {"first": [], "total": [], "fetches": [], "cpu": [], "direct": [], "proxied": []}
    with links.Pair() as pair:
        pair.plug(1000)
        for _ in range(options.rounds):
            with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory(dir=folder) as fresh:
                left, right = sides(options, stack, pair, pathlib.Path(fresh))
                left.api.made("/projects", {"project_name": "big", "metadata": {"public": "true"}})
                push_file(left.api, "big/app", folder / "layer", digest, size)
                proxy_of(right, f"{pair.LEFT}:{PORT}", "hub")
                path = "/v2/{}/blobs/" + digest
                first, total = download_inside(pair, (pair.LEFT, PORT), path.format("big/app"), left.api.token("big/app", "pull"), 1)
                # Who pulls has had the manifest: the proxy gives blobs of those that it knows.
                token = right.api.token("hub/big/app", "pull")
                right.api.call("GET", "/v2/hub/big/app/manifests/1", headers=token | {"Accept": content.MANIFEST})
                before = pair.received(pair.right)
                with Cost(right) as cost:
                    firsts, totals = download_inside(pair, ("127.0.0.1", PORT), path.format("hub/big/app"), token, options.clients)
                seen["fetches"].append(right.metric("entrepot_proxy_upstream_bytes_total") / size)
                if (carried := (pair.received(pair.right) - before) / size) > 1.2:
                    print(f"the line carried {carried:.2f} times the image", file=sys.stderr)
                seen["direct"].append(first[0] * 1e3)
                seen["proxied"].append(statistics.median(firsts) * 1e3)
                seen["first"].append(statistics.median(firsts) / first[0])
                seen["total"].append(max(totals) / total[0])
                seen["cpu"].append(cost.seconds)
    good = max(seen["fetches"]) < 1.01 and statistics.median(seen["first"]) <= 1.2 and statistics.median(seen["total"]) <= 1.1
    yield (f"{options.clients} clients ask a proxy for a cold image of {size / 1e9:g} GB over 1 Gbit/s",
           "fetched 1.0 times; first byte ≤ 1.2x, the last of all ≤ 1.1x a direct pull",
           f"CPU {spread(seen['cpu'])} with the clients'; fetched {spread(seen['fetches'], 'times')}; first byte {spread(seen['first'], 'x')} "
           f"({spread(seen['proxied'], 'ms')} beside {spread(seen['direct'], 'ms')}), last {spread(seen['total'], 'x')}", verdict(good))


def instructions_of(pid, seconds):
    """What the process executes meanwhile; a function that waits for it: None where the machine doesn't count."""
    counting = subprocess.Popen(["perf", "stat", "-x,", "-e", "instructions:u,instructions:k", "-p", str(pid), "sleep", str(seconds)],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def ended():
        numbers = [line.split(",")[0] for line in counting.communicate()[1].splitlines() if "instructions" in line]
        return sum(map(int, numbers)) if numbers and all(number.isdigit() for number in numbers) else None
    return ended


@row("hits")
def hits(options, folder):
    from harness.load import Generator
    generator = Generator(options.build / "entrepot_load", folder)
    hosts = [f"127.0.0.1:{processes.free_port()}" for _ in range(2)]
    layer = random.Random(1).randbytes(64 * 1024)
    config = b'{"architecture":"amd64","os":"linux"}'
    manifest = content.manifest_of(config, layer, "hit")
    with Instance(options, folder / "up", hosts[0]) as upstream, Instance(options, folder / "proxy", hosts[1]) as proxy:
        for instance in (upstream, proxy):
            instance.api.made("/projects", {"project_name": "own", "metadata": {"public": "true"}})
            token = instance.api.token("own/app")
            for blob in (config, layer):
                instance.api.blob("own/app", token, blob)
            instance.api.call("PUT", "/v2/own/app/manifests/1", manifest, content.MANIFEST, headers=token)
        proxy_of(proxy, hosts[0], "hub")
        target = type("Target", (), {"name": "entrepot", "endpoint": hosts[1], "pids": [proxy.process.pid]})
        digest = content.digest_of(manifest)
        kinds = {"manifest": f"manifests/{digest}", "layer of 64 KB": "blobs/" + content.digest_of(layer)}
        tokens = {name: proxy.api.token(name, "pull") for name in ("own/app", "hub/own/app")}
        for name, token in tokens.items():
            for what in kinds.values():
                proxy.api.call("GET", f"/v2/{name}/{what}", headers=token | {"Accept": content.MANIFEST})

        def cell(name, what, seconds):
            paths = generator.file_of([f"/v2/{name}/{what}"])
            command = ["fetch", "--paths", paths, "--header", f"Authorization: {tokens[name]['Authorization']}"]
            seen = generator.run(target, command, 16, seconds)
            if seen["errors"]:
                raise RuntimeError(seen["complaints"])
            return seen["cpu"] / seen["units"] * 1e6
        for label, what in kinds.items():
            costs = {name: [] for name in tokens}
            for name in tokens:
                cell(name, what, 0.3)
            for turn in range(options.hit_rounds):
                for name in (list(tokens) if turn % 2 == 0 else list(tokens)[::-1]):
                    costs[name].append(cell(name, what, options.seconds))
            ratios = [hub / own for own, hub in zip(costs["own/app"], costs["hub/own/app"])]
            yield (f"a proxy's hit beside a local pull, {label}", "≤ 1.05x its CPU",
                   f"{spread(costs['hub/own/app'], 'µs')} beside {spread(costs['own/app'], 'µs')} a request: {spread(ratios, 'x')}",
                   verdict(statistics.median(ratios) <= 1.05))


@row("breaks")
def breaks(options, folder):
    size = int(options.gigabytes * 1e9)
    digest = random_file(folder / "layer", size)
    seen = {"whole": [], "broken": [], "again": [], "cpu": []}
    with links.Pair() as pair:
        pair.plug(1000)
        for _ in range(options.rounds):
            for way in ("whole", "broken"):
                with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory(dir=folder) as fresh:
                    left, right = sides(options, stack, pair, pathlib.Path(fresh))
                    left.api.made("/projects", {"project_name": "big"})
                    push_file(left.api, "big/app", folder / "layer", digest, size)
                    policy = left.api.policy(left.api.endpoint(f"{pair.RIGHT}:{PORT}"), "big/**")
                    breaking = links.Breaks(pair, options.every) if way == "broken" else contextlib.nullcontext()
                    with Cost(left, right) as cost, breaking:
                        wall, _ = left.api.execute(policy)
                    seen[way].append(wall)
                    if way == "broken":
                        again = left.metric("entrepot_replication_bytes_again_total") / MIB
                        seen["again"].append(again / max(breaking.count, 1))
                        seen["cpu"].append(cost.seconds)
                        print(f"{breaking.count} breaks, {again:.1f} MiB sent again", file=sys.stderr)
    parts = [whole / broken for whole, broken in zip(seen["whole"], seen["broken"])]
    yield (f"{options.gigabytes:g} GB over 1 Gbit/s that breaks every {options.every:g} s",
           "≥ 90 % of the uninterrupted speed; at most a chunk (64 MiB) a break sent again",
           f"CPU of both {spread(seen['cpu'])}; {spread(seen['broken'])} beside {spread(seen['whole'])}: "
           f"{spread([part * 100 for part in parts], '%')}; {spread(seen['again'], 'MiB')} a break sent again",
           verdict(statistics.median(parts) >= 0.9 and max(seen["again"]) <= 64))


def report(lines):
    path = ROOT / "bench/EXCHANGE.md"
    titles = [line.split("|")[1] for line in lines]
    old = path.read_text().splitlines() if path.exists() else []
    kept = [one for one in old if one.startswith("| ") and not one.startswith("| work") and one.split("|")[1] not in titles]
    machine = platform.processor() or platform.machine()
    path.write_text("\n".join([
        "# What goes between registries", "", "Written by bench/exchange.py; [README.md](README.md) says how to read it.", "",
        "| work | target | measured |  | date |", "|---|---|---|---|---|", *sorted(kept + lines), "",
        f"Machine: {machine}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release()}. Both registries, the line and the "
        "clients share it.", ""]))


def main():
    options = arguments()
    lines = []
    for name in options.rows:
        if name not in ("planning", "hits") and not links.is_possible():
            sys.exit(f"{name} needs root and /dev/net/tun")
        with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
            for title, target, measured, how in ROWS[name](options, pathlib.Path(folder)):
                lines.append(f"| {title} | {target} | {measured} | {how} | {datetime.date.today()} |")
                print(lines[-1], flush=True)
    if options.report:
        report(lines)


if __name__ == "__main__":
    main()
