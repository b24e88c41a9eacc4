#!/usr/bin/env python3
"""Measures how long after a push a webhook's receiver on the same machine has it: from the moment the last request of
the push is sent, so with the commit in it. Writes EVENTS.md."""
import argparse
import base64
import datetime
import hashlib
import http.client
import http.server
import json
import pathlib
import platform
import statistics
import sys
import tempfile
import threading
import time

from harness import processes
from harness.servers import PASSWORD

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASIC = {"Authorization": "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
TARGET = 0.250


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pushes", type=int, default=500)
    parser.add_argument("--rate", type=float, default=20, help="pushes a second")
    parser.add_argument("--database", default="", help="postgresql://…; otherwise SQLite")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/entrepot")
    parser.add_argument("--no-report", dest="report", action="store_false", help="leave EVENTS.md as it is")
    return parser.parse_args()


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    arrived = {}

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        tag = body["event_data"]["resources"][0]["tag"]
        self.arrived.setdefault(tag, time.monotonic())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Client:
    def __init__(self, host):
        self.connection = http.client.HTTPConnection(host, timeout=30)

    def __call__(self, method, path, body=None, media_type="application/json", status=(200, 201, 202)):
        headers = {**BASIC, **({"Content-Type": media_type} if body is not None else {})}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status not in status:
            raise AssertionError(f"{method} {path}: {answer.status} {data[:300]}")
        return answer


def push_blob(client, repository, data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    location = client("POST", f"/v2/{repository}/blobs/uploads/").headers["Location"]
    client("PUT", location + ("&" if "?" in location else "?") + "digest=" + digest, data, "application/octet-stream")
    return {"mediaType": "application/octet-stream", "digest": digest, "size": len(data)}


def measure(options, host, receiver):
    client = Client(host)
    client("POST", "/api/v2.0/projects/library/webhook/policies", json.dumps({
        "name": "bench", "event_types": ["PUSH_ARTIFACT"], "targets": [{
            "type": "http", "address": f"http://127.0.0.1:{receiver.server_port}/", "secret": "signs"}]}))
    config, layer = push_blob(client, "library/app", b"{}"), push_blob(client, "library/app", b"layer")
    sent, pushed = {}, []
    began = time.monotonic()
    for number in range(options.pushes):
        time.sleep(max(0.0, began + number / options.rate - time.monotonic()))
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer],
                               "annotations": {"number": str(number)}}).encode()
        sent[f"t{number}"] = time.monotonic()
        client("PUT", f"/v2/library/app/manifests/t{number}", manifest, MANIFEST)
        pushed.append(time.monotonic() - sent[f"t{number}"])
    deadline = time.monotonic() + 60
    while len(Receiver.arrived) < options.pushes and time.monotonic() < deadline:
        time.sleep(0.05)
    missing = sent.keys() - Receiver.arrived.keys()
    if missing:
        sys.exit(f"{len(missing)} of {options.pushes} pushes never arrived")
    return sorted(Receiver.arrived[tag] - at for tag, at in sent.items()), sorted(pushed)


def percentile(values, part):
    return values[min(len(values) - 1, int(len(values) * part))]


def row(options, latencies, pushed):
    engine = "PostgreSQL" if options.database else "SQLite"
    p99 = percentile(latencies, 0.99)
    shown = (f"p50 {statistics.median(latencies) * 1000:.0f}, p99 {p99 * 1000:.0f}, most {latencies[-1] * 1000:.0f} ms; "
             f"of that the push itself p50 {statistics.median(pushed) * 1000:.0f}, p99 {percentile(pushed, 0.99) * 1000:.0f} ms")
    return (f"| webhook latency from push, {engine}, {options.pushes} pushes at {options.rate:g}/s | p99 < 250 ms | {shown} | "
            f"{'reached' if p99 < TARGET else 'missed'} | {datetime.date.today()} |")


def report(line, engine):
    path = ROOT / "bench/EVENTS.md"
    old = path.read_text().splitlines() if path.exists() else []
    rows = [one for one in old if one.startswith("| webhook") and f", {engine}," not in one] + [line]
    machine = platform.processor() or platform.machine()
    cores = len(__import__("os").sched_getaffinity(0))
    path.write_text("\n".join([
        "# What events cost", "", "Written by bench/events.py; [README.md](README.md) says how to read it.", "",
        "| work | target | measured |  | date |", "|---|---|---|---|---|", *sorted(rows), "",
        f"Machine: {machine}, {cores} cores, Linux {platform.release()}. Receiver and registry share it.", ""]))


def main():
    options = arguments()
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        host = f"127.0.0.1:{processes.free_port()}"
        command = [options.binary, "serve", "--listen", host, "--data", pathlib.Path(folder, "data")]
        if options.database:
            command += ["--database", options.database]
        server = processes.Process(list(map(str, command)), pathlib.Path(folder, "log"), {
            "ENTREPOT_ADMIN_PASSWORD": PASSWORD, "ENTREPOT_OUTBOUND_ALLOW": "127.0.0.0/8"})
        try:
            server.wait_until(lambda: processes.answers(f"http://{host}/v2/"))
            line = row(options, *measure(options, host, receiver))
        finally:
            server.stop()
    print(line)
    if options.report:
        report(line, "PostgreSQL" if options.database else "SQLite")


if __name__ == "__main__":
    main()
