#!/usr/bin/env python3
"""Measures what goes between two registries: planning with nothing to do, many small images beside skopeo, a proxy's
cold and warm pulls, a push that three sites have to hold, and a copy over a line that breaks. `bench/exchange.py planning images` measures some of them.
Writes EXCHANGE.md; README.md explains. All but `planning` and `hits` need root."""
import argparse
import concurrent.futures
import contextlib
import datetime
import gzip
import hashlib
import json
import os
import pathlib
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from harness import content, downloads, links, processes, uploads
from harness.registries import Api, Cost, Instance
from harness.servers import PASSWORD

ROOT = pathlib.Path(__file__).resolve().parent.parent
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
    parser.add_argument("--sites", type=int, default=3, help="synchronous: besides the home")
    parser.add_argument("--layer", type=int, default=100, help="synchronous: megabytes of the image")
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


def random_file(path, size, number=0):
    """A file of random bytes, and its digest; others for another number."""
    source, digest = random.Random(size + number), hashlib.sha256()
    with open(path, "wb") as file:
        for start in range(0, size, 16 * MIB):
            piece = source.randbytes(min(16 * MIB, size - start))
            file.write(piece)
            digest.update(piece)
    return "sha256:" + digest.hexdigest()


def manifest_of_file(config, digest, size):
    """Of an image with this one layer."""
    manifest = json.loads(content.manifest_of(config, b"", digest))
    manifest["layers"][0] |= {"digest": digest, "size": size}
    return json.dumps(manifest)


def push_file(api, repository, path, digest, size):
    """An image of this one layer."""
    config = b'{"architecture":"amd64","os":"linux"}'
    token = api.token(repository)
    api.blob(repository, token, config)
    with open(path, "rb") as file:
        api.blob(repository, token, file, digest)
    api.call("PUT", f"/v2/{repository}/manifests/1", manifest_of_file(config, digest, size).encode(), content.MANIFEST, headers=token)


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


@row("synchronous")
def synchronous(options, folder):
    size, config = options.layer * 1_000_000, b'{"architecture":"amd64","os":"linux"}'
    seen = {name: {"wall": [], "cpu": []} for name in ("plain", "kept")}
    with links.Star(options.build / "entrepot_link", 1 + options.sites, 400, 0.010) as star, contextlib.ExitStack() as stack:
        client, *arms = star.arms
        home, *sites = [stack.enter_context(Instance(options, folder / space, star.control(space, PORT), f"0.0.0.0:{PORT}", links.inside(space, [])))
                        for space in (star.middle, *arms)]
        for name in seen:
            home.api.made("/projects", {"project_name": name})
        registries = [{"registry_id": home.api.endpoint(f"{star.address(arm)}:{PORT}")} for arm in arms]
        home.api.call("PUT", "/api/v2.0/projects/kept/synchronisation",
                      {"sites": registries, "required": options.sites, "timeout": 300, "home": f"http://{star.middle_from(client)}:{PORT}"})

        def push(name, number):
            digest = random_file(folder / "layer", size, number)
            repository = f"{name}/app{number}"
            order = [(star.middle_from(client), PORT), repository, home.api.token(repository), (content.digest_of(config), config.decode()),
                     (digest, str(folder / "layer")), manifest_of_file(config, digest, size), content.MANIFEST]
            with Cost(home, *sites) as cost:
                done = subprocess.run(links.inside(client, [sys.executable, uploads.__file__, json.dumps(order)]),
                                      check=True, capture_output=True, text=True)
            for site in sites if name == "kept" else ():
                site.api.call("HEAD", f"/v2/{repository}/blobs/{digest}", headers=site.api.token(repository, "pull"))
            return json.loads(done.stdout), cost.seconds
        for turn in range(-1, options.rounds):
            for name in seen if turn % 2 == 0 else reversed(seen):
                wall, cpu = push(name, turn + 1)
                if turn >= 0:  # the first ones log in
                    seen[name]["wall"].append(wall)
                    seen[name]["cpu"].append(cpu)
    factors = [kept / plain for kept, plain in zip(seen["kept"]["wall"], seen["plain"]["wall"])]
    yield (f"push of {options.layer} MB that {options.sites} sites have to hold, lines of 5 ms each way and 400 Mbit/s",
           "≤ 1.5x of the same push over one such line",
           f"CPU of all {spread(seen['kept']['cpu'])}, wall {spread(seen['kept']['wall'])}; to one registry alone: CPU "
           f"{spread(seen['plain']['cpu'])}, wall {spread(seen['plain']['wall'])}: {spread(factors, 'x')}",
           verdict(statistics.median(factors) <= 1.5))


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
