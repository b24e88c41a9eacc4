#!/usr/bin/env python3
"""Measures the lists of the management API: server CPU a page and its latency at a fixed rate, every page another one,
while tags come and go. Fills a database with entrepot_seed first (SQLite, or --database postgresql://… that is empty)
and writes the "lists" section of RESULTS.md."""
import argparse
import base64
import http.client
import json
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from harness import processes, report
from harness.servers import PASSWORD

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = {"Authorization": "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()}
PAGE = 100
BEGIN, END = "<!-- lists: written by bench/lists.py -->", "<!-- end of lists -->"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=int, default=100_000)
    parser.add_argument("--projects", type=int, default=10)
    parser.add_argument("--repositories", type=int, default=10, help="in each project")
    parser.add_argument("--empty-projects", type=int, default=10_000, help="beside the others")
    parser.add_argument("--more-repositories", type=int, default=10_000, help="in one more project")
    parser.add_argument("--rate", type=float, default=300, help="pages a second")
    parser.add_argument("--seconds", type=float, default=10, help="of one row")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--writes", type=float, default=20, help="tags added or removed a second meanwhile")
    parser.add_argument("--database", default="", help="postgresql://…; otherwise SQLite")
    parser.add_argument("--data", type=pathlib.Path, help="a folder to keep the filled database in, and to find it in")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/entrepot")
    parser.add_argument("--seed", type=pathlib.Path, default=ROOT / "build/release/entrepot_seed")
    parser.add_argument("--no-report", dest="report", action="store_false", help="leave RESULTS.md as it is")
    return parser.parse_args()


class Instance:
    def __init__(self, options, folder):
        self.options, self.data = options, folder / "data"
        self.port = processes.free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        command = [self.options.binary, "serve", "--listen", self.host, "--data", self.data]
        if self.options.database:
            command += ["--database", self.options.database]
        self.process = processes.Process(list(map(str, command)), self.data.parent / "log",
                                         {"ENTREPOT_ADMIN_PASSWORD": PASSWORD, "ENTREPOT_LOG_ACCESS": "false"})
        self.process.wait_until(lambda: processes.answers(f"http://{self.host}/v2/"))

    def stop(self):
        self.process.stop()

    def fill(self):
        """The first start makes the schema and the admin; the seeder needs the database for itself."""
        self.start()
        self.stop()
        database = self.options.database or next(self.data.glob("*.db"), None) or next(self.data.glob("*.sqlite*"))
        began = time.monotonic()
        subprocess.run([self.options.seed, "--database", database, "--artifacts", str(self.options.artifacts),
                        "--projects", str(self.options.projects), "--repositories", str(self.options.repositories),
                        "--empty-projects", str(self.options.empty_projects),
                        "--more-repositories", str(self.options.more_repositories)],
                       check=True, stderr=subprocess.DEVNULL)
        print(f"filled with {self.options.artifacts:,} artifacts in {time.monotonic() - began:.0f} s", flush=True)


def pages_of(path, entries):
    joint = "&" if "?" in path else "?"
    return [f"{path}{joint}page={page}&page_size={PAGE}" for page in range(1, entries // PAGE + 1)]


def rows(options):
    """{title: (paths, what each entry holds once)}: every path is another page, in an order without order."""
    places = options.projects * options.repositories
    of_repository, of_project = options.artifacts // places, options.artifacts // options.projects
    every = "with_tag=true&with_label=true"
    base = "/api/v2.0/projects/lists"
    found = {
        "projects": pages_of("/api/v2.0/projects", options.projects + 1 + options.empty_projects),
        "repositories of a project": pages_of("/api/v2.0/projects/many/repositories", options.more_repositories),
        "artifacts of repositories": [page for p in range(options.projects) for r in range(options.repositories)
                                      for page in pages_of(f"{base}{p}/repositories/team%252Fapp{r}/artifacts?{every}",
                                                           of_repository)],
        "artifacts of projects": [page for p in range(options.projects)
                                  for page in pages_of(f"{base}{p}/artifacts?{every}", of_project)],
    }
    for paths in found.values():
        random.Random(7).shuffle(paths)
    marks = {"projects": b'"owner_name"', "repositories of a project": b'"artifact_count"'}
    return {title: (paths, marks.get(title, b'"push_time"')) for title, paths in found.items()}


class Writer(threading.Thread):
    """Adds and removes tags in the repositories that are listed, at a steady rate."""

    def __init__(self, instance, options):
        super().__init__(daemon=True)
        self.instance, self.options, self.done, self.count, self.failed = instance, options, threading.Event(), 0, 0

    def run(self):
        connection = http.client.HTTPConnection(self.instance.host)
        digests = {}
        begin = time.monotonic()
        while not self.done.wait(max(0, begin + self.count / self.options.writes - time.monotonic())):
            number = self.count // 2 % (self.options.projects * self.options.repositories)
            path = (f"/api/v2.0/projects/lists{number % self.options.projects}/repositories/"
                    f"team%252Fapp{number // self.options.projects}/artifacts")
            if number not in digests:
                connection.request("GET", path + "?page_size=1", headers=HEADERS)
                digests[number] = json.loads(connection.getresponse().read())[0]["digest"]
            path += f"/{digests[number]}/tags"
            if self.count % 2 == 0:
                connection.request("POST", path, json.dumps({"name": "moving"}),
                                   HEADERS | {"Content-Type": "application/json"})
            else:
                connection.request("DELETE", path + "/moving", headers=HEADERS)
            response = connection.getresponse()
            response.read()
            self.failed += response.status not in (200, 201)
            self.count += 1


def ask(instance, paths, mark, options, seconds):
    """Pages at the wished rate over some connections: latencies from when each was due, sizes, failures."""
    lock, taken, latencies, sizes, failed = threading.Lock(), [0], [], [], [0]
    begin = time.monotonic() + 0.05

    def work():
        connection = http.client.HTTPConnection(instance.host)
        while True:
            with lock:
                number = taken[0]
                taken[0] += 1
            due = begin + number / options.rate
            if due - begin > seconds:
                return
            time.sleep(max(0, due - time.monotonic()))
            connection.request("GET", paths[number % len(paths)], headers=HEADERS)
            response = connection.getresponse()
            body = response.read()
            wrong = response.status != 200 or body.count(mark) < PAGE
            with lock:
                latencies.append(time.monotonic() - due)
                sizes.append(len(body))
                failed[0] += wrong

    threads = [threading.Thread(target=work) for _ in range(options.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies, sizes, failed[0]


def cpu_of(instance, options):
    """The server's, and the database's where it has one of its own on this machine."""
    total = processes.cpu_seconds(instance.process.pid)
    if options.database:
        for each in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (each / "comm").read_text().strip() == "postgres":
                    fields = processes._stat(each.name)
                    total += (int(fields[11]) + int(fields[12])) / processes.TICKS
            except OSError:
                pass
    return total


def measure(instance, paths, mark, options):
    """CPU a page is what the pages cost over the same time with the writes alone."""
    ask(instance, paths[:200], mark, options, 0.5)
    writer = Writer(instance, options)
    writer.start()
    time.sleep(0.5)
    before = cpu_of(instance, options)
    time.sleep(options.seconds / 2)
    writes = (cpu_of(instance, options) - before) / (options.seconds / 2)
    before, began = cpu_of(instance, options), time.monotonic()
    latencies, sizes, failed = ask(instance, paths, mark, options, options.seconds)
    spent = cpu_of(instance, options) - before - writes * (time.monotonic() - began)
    writer.done.set()
    writer.join()
    cuts = statistics.quantiles(latencies, n=100)
    return {"pages": len(latencies), "different": min(len(latencies), len(paths)), "cpu_ms": spent / len(latencies) * 1e3,
            "p50": cuts[49] * 1e3, "p95": cuts[94] * 1e3, "p99": cuts[98] * 1e3,
            "kb": statistics.mean(sizes) / 1024, "failed": failed + writer.failed, "writes": writer.count}


def section(options, seen):
    kind = "PostgreSQL (the database's CPU counts)" if options.database else "SQLite"
    yield f"### {options.artifacts:,} artifacts × 5 tags, {kind}"
    yield ""
    yield (f"{time.strftime('%Y-%m-%d')}, {report.machine()}; {options.projects} projects × {options.repositories} "
           f"repositories and {options.empty_projects:,} empty projects, {options.more_repositories:,} repositories in one "
           f"more, pages of {PAGE} with tags and labels at {options.rate:g}/s over {options.connections} "
           f"connections, {options.writes:g} tags added or removed a second meanwhile.")
    yield ""
    yield from report.table(
        ["list", "CPU ms/page", "p50 / p95 / p99 ms", "KB/page", "pages (different)", "failures"],
        [[title, f"{row['cpu_ms']:.2f}", f"{row['p50']:.1f} / {row['p95']:.1f} / {row['p99']:.1f}", f"{row['kb']:.0f}",
          f"{row['pages']:,} ({row['different']:,})", str(row["failed"])] for title, row in seen.items()])


def write(options, seen):
    """Puts this size's part over the older one of the same size and engine, the others stay."""
    file = ROOT / "bench/RESULTS.md"
    text = file.read_text()
    if BEGIN not in text:
        text = text.rstrip() + f"\n\n{BEGIN}\n## Lists\n\n{END}\n"
    head, rest = text.split(BEGIN)
    old, tail = rest.split(END)
    parts = {part.splitlines()[0]: part.strip() for part in re.split(r"(?m)^(?=### )", old)[1:]}
    new = "\n".join(section(options, seen))
    parts[new.splitlines()[0]] = new
    file.write_text(head + BEGIN + "\n## Lists\n\n" + "\n\n".join(parts[key] for key in sorted(parts)) + f"\n\n{END}" + tail)


def main():
    options = arguments()
    for binary in (options.binary, options.seed):
        if not binary.exists():
            sys.exit(f"{binary} is missing: cmake --preset release -DENTREPOT_BENCH=ON builds it")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.data or pathlib.Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        instance = Instance(options, folder)
        if not (folder / "filled").exists():
            instance.fill()
            (folder / "filled").touch()
        instance.start()
        try:
            seen = {}
            for title, (paths, mark) in rows(options).items():
                seen[title] = measure(instance, paths, mark, options)
                print(title, {key: round(value, 2) for key, value in seen[title].items()}, flush=True)
        finally:
            instance.stop()
    if options.report:
        write(options, seen)


if __name__ == "__main__":
    main()
