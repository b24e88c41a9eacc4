#!/usr/bin/env python3
"""Measures what tenancy costs: manifest pulls with many grants beside few, audit on beside off, how soon a change of
rights counts, and a mixed load. Writes bench/TENANCY.md. bench/README.md explains."""
import argparse
import datetime
import http.client
import json
import pathlib
import random
import statistics
import tempfile
import time

from harness import content, processes, report, servers, tenancy_seed
from harness.load import Generator

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROJECT, CALLER, CALLER_PASSWORD = "bench", "caller", "Caller12345"
USERS, TENANTS, GRANTS = 10_000, 1_000, 100_000
ROW_KEYS = ("grants", "audit", "effect", "mixed")


class Api:
    """The management API as the admin, over one connection."""

    def __init__(self, server, user="admin", password=servers.PASSWORD):
        self.connection = http.client.HTTPConnection(server.endpoint, timeout=60)
        self.headers = {"Authorization": content.basic(user, password), "Content-Type": "application/json"}

    def call(self, method, path, body=None, expected=(200, 201)):
        payload = None if body is None else json.dumps(body)
        self.connection.request(method, path, body=payload, headers=self.headers)
        response = self.connection.getresponse()
        answer = response.read()
        if expected and response.status not in expected:
            raise RuntimeError(f"{method} {path}: {response.status} {answer[:300]!r}")
        return response.status, answer, response.headers


def prepare(server, things):
    """A project with images, and somebody who may pull them by one grant."""
    api = Api(server)
    api.call("POST", "/api/v2.0/users", {"username": CALLER, "password": CALLER_PASSWORD, "realname": CALLER,
                                         "email": "caller@example.test"})
    api.call("POST", "/api/v2.0/projects", {"project_name": PROJECT})
    api.call("POST", f"/api/v2.0/projects/{PROJECT}/members",
             {"role_id": 3, "member_user": {"username": CALLER}})
    pusher = content.Pusher(server, content.REPOSITORY)
    for blob in [*things.small[:content.IMAGES], things.config]:
        pusher.blob(blob)
    for i, manifest in enumerate(things.manifests):
        pusher.manifest(things.tag(i), manifest)


def token_of(server, user, password, repository, actions="pull"):
    connection = http.client.HTTPConnection(server.endpoint, timeout=60)
    connection.request("GET", server.token_path(repository, actions),
                       headers={"Authorization": content.basic(user, password)})
    return json.load(connection.getresponse())["token"]


def manifest_cell(generator, server, things, seconds):
    token = token_of(server, CALLER, CALLER_PASSWORD, content.REPOSITORY)
    paths = [f"/v2/{content.REPOSITORY}/manifests/{things.tag(i)}" for i in range(content.IMAGES)]
    command = ["fetch", "--paths", generator.file_of(paths), "--header", f"Authorization: Bearer {token}"]
    generator.run(server, command, 50, 0.2)
    seen = generator.run(server, command, 50, seconds)
    if seen["errors"]:
        raise RuntimeError(f"{server.name}: {seen['complaints']}")
    return seen["cpu"] / seen["units"] * 1e6


def pairs(generator, left, right, things, options):
    """CPU microseconds a request of the two, in interleaved rounds, each round beginning with the other one."""
    costs = {left.name: [], right.name: []}
    for turn in range(options.rounds):
        for server in ((left, right), (right, left))[turn % 2]:
            costs[server.name].append(manifest_cell(generator, server, things, options.seconds))
    return costs[left.name], costs[right.name]


def described(costs):
    return f"{statistics.median(costs):.2f} ({min(costs):.2f}–{max(costs):.2f})"


class Named(servers.Entrepot):
    def __init__(self, name, folder, binary, environment=None):
        self.name = name
        super().__init__(folder, binary)
        self.environment = environment or {}

    def run(self, command, env=None):
        super().run(command, {**(env or {}), **self.environment})


def grants_row(generator, folder, options, things):
    few, many = Named("one grant", folder, options.binary), Named("many grants", folder, options.binary)
    with few, many:
        prepare(few, things)
        prepare(many, things)
        many.stop()
        tenancy_seed.fill(many.folder / "data/entrepot.db", tenants=TENANTS, users=USERS, grants=GRANTS,
                          measured_project=PROJECT, caller=CALLER)
        many.start()
        left, right = pairs(generator, few, many, things, options)
        memory = processes.resident_mb(many.pids[0])
    ratio = statistics.median(r / l for l, r in zip(left, right))
    return [f"manifest GET by tag, token checked, {USERS:,} users, {TENANTS:,} tenants, {GRANTS:,} grants",
            "≤ 1.1x the CPU with one grant",
            f"{ratio:.3f}x: {described(right)} against {described(left)} µs CPU a request, {options.rounds} rounds; "
            f"resident {memory:.0f} MB", ratio <= 1.1]


def audit_row(generator, folder, options, things):
    on, off = Named("audit on", folder, options.binary), Named("audit off", folder, options.binary,
                                                               {"ENTREPOT_AUDIT_PULLS": "false"})
    with on, off:
        prepare(on, things)
        prepare(off, things)
        right, left = pairs(generator, on, off, things, options)
    ratio = statistics.median(r / l for l, r in zip(left, right))
    return ["audit of pulls on against off, manifest GET", "≤ 15 % more CPU",
            f"{(ratio - 1) * 100:+.1f} %: {described(right)} against {described(left)} µs CPU a request, "
            f"{options.rounds} rounds", ratio <= 1.15]


def pulls(server, token):
    connection = http.client.HTTPConnection(server.endpoint, timeout=60)
    connection.request("HEAD", f"/v2/{content.REPOSITORY}/manifests/v00000",
                       headers={"Authorization": f"Bearer {token}"})
    return connection.getresponse().status == 200


def effect_row(_generator, folder, options, things):
    """On the instance of the change by the next request; on another one on the same PostgreSQL by asking until it
    shows."""
    first = servers.EntrepotOnPostgres(folder, options.binary)
    first.start()
    second = Named("second", folder, options.binary)
    second.database = first.database
    try:
        prepare(first, things)
        # The keys that seal are those of the first.
        (second.folder / "data").mkdir(parents=True, exist_ok=True)
        (second.folder / "data/master.key").write_bytes((first.folder / "data/master.key").read_bytes())
        (second.folder / "data/master.key").chmod(0o600)
        second.folder.joinpath("data/blobs").symlink_to(first.folder / "data/blobs")
        second.start()
        api, token = Api(first), token_of(first, CALLER, CALLER_PASSWORD, content.REPOSITORY)
        here, there = 0, []
        for _ in range(20):
            members = json.loads(api.call("GET", f"/api/v2.0/projects/{PROJECT}/members?entityname={CALLER}")[1])
            api.call("DELETE", f"/api/v2.0/projects/{PROJECT}/members/{members[0]['id']}")
            began = time.monotonic()
            here += not pulls(first, token)
            while pulls(second, token):
                pass
            there.append(time.monotonic() - began)
            api.call("POST", f"/api/v2.0/projects/{PROJECT}/members",
                     {"role_id": 3, "member_user": {"username": CALLER}})
            here += pulls(first, token)
            while not pulls(second, token):
                pass
    finally:
        second.stop()
        first.stop()
    return ["a permission change to its effect", "the next request; ≤ 1 s on other instances",
            f"here {here} of 40 on the next request; elsewhere {statistics.median(there) * 1e3:.0f} ms "
            f"(at most {max(there) * 1e3:.0f} ms)", here == 40 and max(there) <= 1]


def mixed_requests(api, projects=1000):
    """70 % lists and gets over a thousand projects, 20 % manifest pulls, 10 % durable writes."""
    source = random.Random(7)
    names = [f"mixed-{i:04}" for i in range(projects)]

    for name in names:
        api.call("POST", "/api/v2.0/projects", {"project_name": name})
    lines = []
    for number in range(20_000):
        name, kind = names[source.randrange(projects)], source.random()
        if kind < 0.70:
            lines.append("GET 200 " + source.choice([
                f"/api/v2.0/projects?page={source.randrange(1, 11)}&page_size=100",
                f"/api/v2.0/projects/{name}", f"/api/v2.0/projects/{name}/members",
                f"/api/v2.0/projects/{PROJECT}/repositories",
                f"/api/v2.0/projects/{PROJECT}/repositories/app/artifacts?page={source.randrange(1, 10)}",
                f"/api/v2.0/projects/{name}/summary"]))
        elif kind < 0.90:
            lines.append(f"GET 200 /v2/{content.REPOSITORY}/manifests/{content.Content.tag(source.randrange(100))}")
        elif kind < 0.95:
            lines.append(f'POST 201 /api/v2.0/labels {{"name":"l{number:06}","scope":"g","color":"#00ff00"}}')
        else:
            lines.append(f'PUT 200 /api/v2.0/projects/{name} {{"metadata":{{"public":"false","auto_scan":"true"}}}}')
    return lines


def mixed_row(generator, folder, options, things):
    server = Named("mixed", folder, options.binary)
    seen = {}
    with server:
        prepare(server, things)
        lines = mixed_requests(Api(server))
        for turn, connections in enumerate((1, 10, 50, 100, 300, 1000)):
            # Labels must be new each time.
            own = [line.replace('"name":"l', f'"name":"r{turn}l') for line in lines]
            command = ["fetch", "--mixed", generator.file_of(own),
                       "--header", "Authorization: " + content.basic("admin", servers.PASSWORD)]
            seen[connections] = generator.run(server, [*command, "--each-once"], connections)
    cells = "; ".join(f"c={c}: {s['units'] / s['seconds']:,.0f}/s, p50 {s['p50_ms']:.1f}, p99 {s['p99_ms']:.1f} ms"
                      for c, s in seen.items())
    errors = sum(s["errors"] for s in seen.values())
    best = max(s["units"] / s["seconds"] for s in seen.values())
    return ["mixed: 70 % lists and gets over 1,000 projects, 20 % manifest pulls, 10 % durable writes",
            "no failure; p99 < 20 ms at c=50; ≥ 8,500/s at saturation",
            f"{errors} failures; {cells}", errors == 0 and seen[50]["p99_ms"] < 20 and best >= 8500]


ROWS = {"grants": grants_row, "audit": audit_row, "effect": effect_row, "mixed": mixed_row}


def write(kept, file):
    text = ["# What tenancy costs", "", "Written by bench/tenancy.py; [README.md](README.md) says how to read it.", ""]
    body = [[*entry["cells"][:3], {True: "reached", False: "NOT REACHED"}[entry["cells"][3]], entry["date"]]
            for key in ROW_KEYS if (entry := kept.get(key))]
    text += report.table(["work", "target", "measured", "", "date"], body)
    file.write_text("\n".join(text) + "\n\n" + f"Machine: {report.machine()}.\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=ROW_KEYS, help="this row (repeatable)")
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=0.8, help="of one cell")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/entrepot")
    parser.add_argument("--load", type=pathlib.Path, default=ROOT / "build/release/entrepot_load")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build/bench")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    results = options.folder / "tenancy.json"
    kept = json.loads(results.read_text()) if results.exists() else {}
    things = content.make()
    for key in options.only or ROW_KEYS:
        with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
            cells = ROWS[key](Generator(options.load, scratch), pathlib.Path(scratch), options, things)
        kept[key] = {"date": datetime.date.today().isoformat(), "cells": cells}
        print(" | ".join(map(str, cells)), flush=True)
        results.write_text(json.dumps(kept))
        write(kept, ROOT / "bench/TENANCY.md")


if __name__ == "__main__":
    main()
