#!/usr/bin/env python3
"""Measures retention: a dry run over many tags, its time and the server's memory, and then how fast tags go. Fills a
SQLite database with rows past the server (a manifest and a tag each, ten repositories' worth or one) and writes
RETENTION.md."""
import argparse
import base64
import datetime
import http.client
import json
import pathlib
import re
import sqlite3
import tempfile
import time

from harness import processes
from harness.servers import PASSWORD

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = {"Authorization": "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode(),
           "Content-Type": "application/json"}
BODY = ('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":'
        '"application/vnd.oci.empty.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e83'
        '10c060f61caaff8a"},"layers":[]}')

FILL = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :repositories)
INSERT INTO repositories (project_id, name, created_at, updated_at, artifact_count)
    SELECT :project, 'bench/r' || i, 1, 1, :each FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :tags)
INSERT INTO manifests (repository_id, digest, media_type, artifact_type, size, annotations, pushed_at, pushed_by, body)
    SELECT :first + i % :repositories, printf('sha256:%064x', i), 'application/vnd.oci.image.manifest.v1+json', '',
        length(:body), '{}', :now - (i * 86400000000) / 1000, 1, CAST(:body AS BLOB) FROM n;
INSERT INTO artifacts (manifest_id, repository_id, project_id, digest, media_type, config_media_type, artifact_type, type,
        size, subject_digest, accessory_type, parents, listed, pushed_at, pulled_at, pull_count, icon, extra, annotations,
        children, accessories, tag_count, tags, labels)
    SELECT id, repository_id, :project, digest, media_type, '', '', 'IMAGE', size, NULL, '', 0, 1, pushed_at, 0, 0, '',
        '{}', '{}', '[]', 0, 1, NULL, '[]' FROM manifests;
INSERT INTO tags (repository_id, name, manifest_id, pushed_at, pushed_by)
    SELECT repository_id, printf('v%d.%d.%d', id % 5, id % 97, id), id, pushed_at, 1 FROM manifests
    ORDER BY repository_id, 2;
INSERT INTO tag_history (repository_id, tag, digest, previous, at, until, user_id, how)
    SELECT t.repository_id, t.name, m.digest, '', t.pushed_at, 0, 1, 'push' FROM tags t JOIN manifests m ON
    m.id = t.manifest_id;
INSERT INTO list_chunks (list, id, chunk, entries)
    SELECT 'repository', repository_id, manifest_id / 4096, COUNT(*) FROM artifacts GROUP BY 2, 3;
INSERT INTO list_chunks (list, id, chunk, entries)
    SELECT 'project', project_id, manifest_id / 4096, COUNT(*) FROM artifacts GROUP BY 2, 3;
UPDATE projects SET artifact_count = :tags, repository_count = :repositories, bytes = :tags * length(:body)
    WHERE id = :project;
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tags", type=int, default=1_000_000)
    parser.add_argument("--repositories", type=int, default=1000)
    parser.add_argument("--removals", type=float, default=30, help="seconds of a run that really removes")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/entrepot")
    parser.add_argument("--no-report", dest="report", action="store_false", help="leave RETENTION.md as it is")
    return parser.parse_args()


class Server:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.host = f"127.0.0.1:{processes.free_port()}"

    def start(self):
        command = [self.binary, "serve", "--listen", self.host, "--data", self.folder / "data"]
        self.process = processes.Process(list(map(str, command)), self.folder / "log",
                                         {"ENTREPOT_ADMIN_PASSWORD": PASSWORD, "ENTREPOT_LOG_ACCESS": "false"})
        self.process.wait_until(lambda: processes.answers(f"http://{self.host}/v2/"))

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request(method, "/api/v2.0" + path, json.dumps(body) if body is not None else None, HEADERS)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text}")
        location = answer.getheader("Location")
        connection.close()
        return int(location.rsplit("/", 1)[-1]) if location else json.loads(text or "null")

    def memory(self, field):
        text = pathlib.Path(f"/proc/{self.process.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", text)[1]) / 1024


def fill(file, project, options):
    database = sqlite3.connect(file)
    for pragma in ("synchronous = OFF", "journal_mode = MEMORY", "cache_size = -1500000", "temp_store = MEMORY"):
        database.execute("PRAGMA " + pragma)
    first = (database.execute("SELECT MAX(id) FROM repositories").fetchone()[0] or 0) + 1
    names = {"project": project, "tags": options.tags, "repositories": options.repositories, "first": first,
             "each": options.tags // options.repositories, "body": BODY, "now": int(time.time() * 1e6)}
    for statement in FILL.split(";\n"):
        if statement.strip():
            database.execute(statement, names)
    database.commit()
    database.execute("PRAGMA journal_mode = WAL")
    database.close()


def wait(server, policy, run):
    while True:
        found = [each for each in server.call("GET", f"/retentions/{policy}/executions") if each["id"] == run][0]
        if found["status"] not in ("Pending", "Running"):
            return found
        time.sleep(0.05)


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="entrepot-retention-") as name:
        server = Server(options.binary, pathlib.Path(name))
        server.start()
        server.call("POST", "/projects", {"project_name": "bench"})
        project = server.call("GET", "/projects/bench")["project_id"]
        selectors = {"tag_selectors": [{"decoration": "matches", "pattern": "v*"}],
                     "scope_selectors": {"repository": [{"decoration": "repoMatches", "pattern": "**"}]}}
        policy = server.call("POST", "/retentions", {"scope": {"level": "project", "ref": project}, "rules": [
            {"template": "latestPushedK", "params": {"latestPushedK": 100}, **selectors},
            {"template": "nDaysSinceLastPush", "params": {"nDaysSinceLastPush": 30}, **selectors},
            {"template": "latestPatchesK", "params": {"latestPatchesK": 1}, **selectors}]})
        server.process.stop()
        print(f"filling {options.tags} tags into {options.repositories} repositories", flush=True)
        fill(server.folder / "data/entrepot.db", project, options)
        server.start()
        before = server.memory("VmRSS")
        begun = time.monotonic()
        run = server.call("POST", f"/retentions/{policy}/executions", {"dry_run": True})
        ended = wait(server, policy, run)
        seconds = time.monotonic() - begun
        peak = server.memory("VmHWM")
        result = json.loads(ended["result"])
        assert ended["status"] == "Success" and result["total"] == options.tags, ended
        print(f"dry run: {seconds:.1f} s, peak {peak:.0f} MB (before {before:.0f} MB), {result}", flush=True)
        begun = time.monotonic()
        run = server.call("POST", f"/retentions/{policy}/executions", {})
        time.sleep(options.removals)
        server.call("PATCH", f"/retentions/{policy}/executions/{run}", {"action": "stop"})
        ended = wait(server, policy, run)
        spent = time.monotonic() - begun
        removed = json.loads(ended["result"])["removed"]
        print(f"removal: {removed} tags in {spent:.1f} s", flush=True)
        server.process.stop()
    if options.report:
        write(options, seconds, before, peak, result, removed, spent)


def write(options, seconds, before, peak, result, removed, spent):
    path = ROOT / "bench/RETENTION.md"
    head = ("# Retention\n\nWritten by `bench/retention.py`: three rules (latestPushedK 100, nDaysSinceLastPush 30, "
            "latestPatchesK 1) on SQLite. Targets of\nthe dry run over 1,000,000 tags: < 60 s, < 200 MB.\n\n"
            "| date | tags | repositories | dry run | tags/s | memory before | peak | would go | removed durably |\n"
            "|---|---|---|---|---|---|---|---|---|\n")
    old = path.read_text().splitlines(True) if path.exists() else []
    rows = "".join(line for line in old if line.startswith("| 2"))
    row = (f"| {datetime.date.today()} | {options.tags:,} | {options.repositories:,} | {seconds:.1f} s | "
           f"{options.tags / seconds:,.0f} | {before:.0f} MB | {peak:.0f} MB | {result['removed']:,} | "
           f"{removed / spent:,.0f} tags/s |\n")
    path.write_text(head + rows + row)


if __name__ == "__main__":
    main()
