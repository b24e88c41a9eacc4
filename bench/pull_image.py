#!/usr/bin/env python3
"""pull_image.py HOST PASSWORD REPOSITORY DIGEST [AT]: pulls an image as a runtime does, three layers at a time, and throws it away: run in a node's namespace by
rollout.py. AT, on the monotonic clock, is when it begins: the start of forty interpreters is no part of a rollout."""
import concurrent.futures
import http.client
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/blackbox"))
from support.registry import ANY_MANIFEST  # noqa: E402
from support.swarm import NodeClient  # noqa: E402

AT_ONCE = 3  # containerd's default
PATIENCE = 600  # seconds for one read


def drain(host, path, token, size, began, first):
    connection = http.client.HTTPConnection(host, timeout=PATIENCE)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {answer.read(300)}")
    buffer, count = bytearray(262_144), 0
    while got := answer.readinto(buffer):
        if not count:
            first.append(time.monotonic() - began)
        count += got
    if count != size:
        raise SystemExit(f"{path}: {count} of {size} bytes")
    connection.close()


def main(host, password, repository, digest, at="0"):
    time.sleep(max(0.0, float(at) - time.monotonic()))
    began = time.monotonic()
    client = NodeClient(host, "admin", password, timeout=PATIENCE)
    manifest = json.loads(client.expect(200, "GET", f"/v2/{repository}/manifests/{digest}", headers={"Accept": ANY_MANIFEST}).body)
    token = next(iter(client._tokens.values()))
    manifest_came = time.monotonic() - began
    first = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        parts = [pool.submit(drain, host, f"/v2/{repository}/blobs/{part['digest']}", token, part["size"], began, first)
                 for part in (manifest["config"], *manifest["layers"])]
        for part in parts:
            part.result()
    print(json.dumps({"whole": time.monotonic() - began, "first": min(first), "manifest": manifest_came}))


if __name__ == "__main__":
    main(*sys.argv[1:])
