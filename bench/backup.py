#!/usr/bin/env python3
"""Measures backup and restore: fills a SQLite registry past the server with artifacts (a manifest, a tag, a small blob of
its own and three that it shares), then a first backup while images are pushed, a second one, a restore of the metadata
beside the blobs, which are all looked at, and a restore of everything. Writes BACKUP.md."""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from harness import processes
from harness.servers import PASSWORD

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests/blackbox"))
from support.registry import Registry  # noqa: E402  (its folder is on the path only now)

SHARED = 3
SHARED_SIZE = 1 << 20
MEDIA = "application/vnd.oci.image.manifest.v1+json"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=int, default=1_000_000)
    parser.add_argument("--repositories", type=int, default=1000)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/entrepot")
    parser.add_argument("--folder", type=pathlib.Path, help="where it all goes: a disk like that of the registry")
    parser.add_argument("--no-report", dest="report", action="store_false", help="leave BACKUP.md as it is")
    return parser.parse_args()


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def own_blob(number):
    return b'{"config of":%d}' % number


def write_blobs(store, count, shared):
    for data in shared:
        path_of(store, digest_of(data)).write_bytes(data)
    for number in range(count):
        data = own_blob(number)
        descriptor = os.open(path_of(store, digest_of(data)), os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(descriptor, data)
        os.close(descriptor)


def path_of(store, digest):
    return store / "sha256" / digest[7:9] / digest[7:]


def body_of(number, shared):
    def part(data):
        return {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest_of(data), "size": len(data)}
    return json.dumps({"schemaVersion": 2, "mediaType": MEDIA, "config": part(own_blob(number)),
                       "layers": [part(data) for data in shared]}).encode()


def fill(file, project, options, shared):
    """The rows that pushes would have left."""
    database = sqlite3.connect(file)
    for pragma in ("synchronous = OFF", "journal_mode = MEMORY", "cache_size = -500000", "temp_store = MEMORY"):
        database.execute("PRAGMA " + pragma)
    now = int(time.time() * 1e6)
    many, each = database.executemany, options.artifacts // options.repositories

    def next_id(table):
        return database.execute(f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table}").fetchone()[0]
    repository, blob, manifest = next_id("repositories"), next_id("blobs"), next_id("manifests")
    numbers = range(options.artifacts)
    many("INSERT INTO repositories (id, project_id, name, created_at, updated_at, artifact_count) VALUES (?, ?, ?, 1, 1, ?)",
         ((repository + i, project, f"bench/r{i}", each) for i in range(options.repositories)))
    many("INSERT INTO blobs (id, digest, size, created_at) VALUES (?, ?, ?, ?)",
         ((blob + i, digest_of(data), len(data), now) for i, data in enumerate(shared)))
    first = blob + SHARED
    many("INSERT INTO blobs (id, digest, size, created_at) VALUES (?, ?, ?, ?)",
         ((first + i, digest_of(own_blob(i)), len(own_blob(i)), now) for i in numbers))
    many("INSERT INTO repository_blobs (repository_id, blob_id, linked_at) VALUES (?, ?, ?)",
         ((repository + i, blob + j, now) for i in range(options.repositories) for j in range(SHARED)))
    many("INSERT INTO repository_blobs (repository_id, blob_id, linked_at) VALUES (?, ?, ?)",
         sorted((repository + i % options.repositories, first + i, now) for i in numbers))
    database.execute("INSERT INTO project_blobs (project_id, blob_id, links) SELECT ?, blob_id, COUNT(*) "
                     "FROM repository_blobs WHERE repository_id >= ? GROUP BY blob_id", (project, repository))
    example = body_of(0, shared)
    size = len(example)
    parts = example.split(digest_of(own_blob(0)).encode())

    def body(i):
        return parts[0] + digest_of(own_blob(i)).encode() + parts[1]
    many("INSERT INTO manifests (id, repository_id, digest, media_type, artifact_type, size, annotations, pushed_at, "
         "pushed_by, body) VALUES (?, ?, ?, ?, '', ?, '{}', ?, 1, ?)",
         ((manifest + i, repository + i % options.repositories, digest_of(body(i)), MEDIA, size, now, body(i))
          for i in numbers))
    many("INSERT INTO manifest_blobs (manifest_id, blob_id, repository_id) VALUES (?, ?, ?)",
         ((manifest + i, part, repository + i % options.repositories)
          for i in numbers for part in (*range(blob, first), first + i)))
    database.execute(
        "INSERT INTO artifacts (manifest_id, repository_id, project_id, digest, media_type, config_media_type, "
        "artifact_type, type, size, subject_digest, accessory_type, parents, listed, pushed_at, pulled_at, pull_count, "
        "icon, extra, annotations, children, accessories, tag_count, tags, labels) SELECT id, repository_id, ?, digest, "
        "media_type, '', '', 'IMAGE', size, NULL, '', 0, 1, pushed_at, 0, 0, '', '{}', '{}', '[]', 0, 1, NULL, '[]' "
        "FROM manifests WHERE id >= ?", (project, manifest))
    many("INSERT INTO tags (repository_id, name, manifest_id, pushed_at, pushed_by) VALUES (?, ?, ?, ?, 1)",
         sorted((repository + i % options.repositories, f"v{i}", manifest + i, now) for i in numbers))
    database.execute("INSERT INTO tag_history (repository_id, tag, digest, previous, at, until, user_id, how) SELECT "
                     "t.repository_id, t.name, m.digest, '', t.pushed_at, 0, 1, 'push' FROM tags t JOIN manifests m "
                     "ON m.id = t.manifest_id")
    for kind in ("repository", "project"):
        database.execute(f"INSERT INTO list_chunks (list, id, chunk, entries) SELECT '{kind}', {kind}_id, "
                         "manifest_id / 4096, COUNT(*) FROM artifacts GROUP BY 2, 3")
    database.execute("UPDATE projects SET artifact_count = ?, repository_count = ?, bytes = (SELECT SUM(size) FROM manifests "
                     "WHERE id >= ?) + (SELECT SUM(b.size) FROM project_blobs x JOIN blobs b ON b.id = x.blob_id WHERE "
                     "x.project_id = ?) WHERE id = ?",
                     (options.artifacts, options.repositories, manifest, project, project))
    database.commit()
    database.execute("PRAGMA journal_mode = WAL")
    database.close()


def measured(*words):
    """Seconds, peak memory in MB, and what it printed."""
    begun = time.monotonic()
    command = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
    peak = 0
    while command.poll() is None:
        found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{command.pid}/status").read_text())
        peak = max(peak, int(found[1]) if found else 0)
        time.sleep(0.05)
    said = command.stdout.read()
    if command.returncode:
        raise RuntimeError(f"{words} ended with {command.returncode}: {said}")
    print(f"{words[1]} {said.strip()}", flush=True)
    return time.monotonic() - begun, peak / 1024, said


class Pusher:
    """Pushes small images for as long as it lives."""

    def __init__(self, host):
        self.registry = Registry(host, password=PASSWORD)
        self.times, self.stopping = [], threading.Event()
        self.thread = threading.Thread(target=self.push, daemon=True)
        self.thread.start()

    def push(self):
        while not self.stopping.is_set():
            begun = time.monotonic()
            self.registry.push_image("library/busy", f"t{len(self.times)}", os.urandom(1000))
            self.times.append(time.monotonic() - begun)

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.registry.close()
        return sorted(self.times)


def serve(options, data, log):
    host = f"127.0.0.1:{processes.free_port()}"
    command = [options.binary, "serve", "--listen", host, "--data", data]
    process = processes.Process(list(map(str, command)), log, {"ENTREPOT_ADMIN_PASSWORD": PASSWORD})
    process.wait_until(lambda: processes.answers(f"http://{host}/v2/"))
    return host, process


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="entrepot-backup-", dir=options.folder) as name:
        folder = pathlib.Path(name)
        data, target = folder / "data", folder / "backups"
        _, server = serve(options, data, folder / "log")
        server.stop()
        database = sqlite3.connect(data / "entrepot.db")
        project = database.execute("INSERT INTO projects (name, is_public, bytes, owner_id, created_at, updated_at) VALUES "
                                   "('bench', 0, 0, 1, 1, 1) RETURNING id").fetchone()[0]
        database.commit()
        database.close()
        shared = [bytes([number]) * SHARED_SIZE for number in range(SHARED)]
        print(f"filling {options.artifacts} artifacts", flush=True)
        fill(data / "entrepot.db", project, options, shared)
        write_blobs(data / "blobs", options.artifacts, shared)
        os.sync()
        size = (data / "entrepot.db").stat().st_size
        host, server = serve(options, data, folder / "log")
        binary = options.binary
        alone = Pusher(host)
        time.sleep(5)
        quiet = alone.stop()
        pusher = Pusher(host)
        first = measured(binary, "backup", "--data", data, "--to", target)
        during = pusher.stop()
        second = measured(binary, "backup", "--data", data, "--to", target)
        verified = measured(binary, "backup", "verify", "--quick", "--from", target)
        server.stop()
        chunks = sum(file.stat().st_size for file in (target / "chunks").rglob("*") if file.is_file())
        rescued, whole = folder / "rescued", folder / "whole"
        rescued.mkdir()
        (data / "blobs").rename(rescued / "blobs")
        beside = measured(binary, "restore", "--from", target, "--data", rescued, "--metadata-only")
        everything = measured(binary, "restore", "--from", target, "--data", whole)
        assert " 0 missing" in beside[2] and " 0 missing" in everything[2]
    figures = (options.artifacts, size / 1e6, chunks / 1e6, first, second, verified, beside, everything, quiet, during)
    print(row_of(figures))
    if options.report:
        write(figures)


def row_of(figures):
    artifacts, size, chunks, first, second, verified, beside, everything, quiet, during = figures

    def run(measure):
        return f"{measure[0]:.0f} s, {measure[1]:.0f} MB"
    written = re.search(r"written: (\d+) chunks, (\d+) bytes", second[2])

    def pushes(times):
        return f"{1000 * times[len(times) // 2]:.0f} / {1000 * times[len(times) * 99 // 100]:.0f} ms"
    return (f"| {datetime.date.today()} | {artifacts:,} | {size:,.0f} MB | {chunks:,.0f} MB | {run(first)} | {run(second)}, "
            f"{int(written[2]) / 1e6:.1f} MB in {written[1]} chunks | {run(verified)} | {run(beside)} | {run(everything)} | "
            f"{pushes(quiet)} | {pushes(during)} |\n")


def write(figures):
    path = ROOT / "bench/BACKUP.md"
    head = ("# Backup and restore\n\nWritten by `bench/backup.py`: a SQLite registry of artifacts with a small blob of their "
            "own each and three of 1 MB that all\nshare. Each run: time and peak memory of the command. Target: metadata "
            "of 1,000,000 artifacts restored and each blob\nlooked at in < 10 min, nothing missing, while pushes go on "
            "during the backup. A push is an image of three requests:\nmedian / 99th percentile, alone and while the "
            "first backup runs.\nRows of 2026-11-22: two cores, a build with -O1, and other builds on the same machine.\n\n"
            "| date | artifacts | database | chunks | first backup | second, after the pushes | verify --quick | "
            "restore --metadata-only | restore | push alone | push meanwhile |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
    old = path.read_text().splitlines(True) if path.exists() else []
    rows = "".join(line for line in old if line.startswith("| 2"))
    path.write_text(head + rows + row_of(figures))


if __name__ == "__main__":
    main()
