#!/usr/bin/env python3
"""image_pulls.py --binary ENTREPOT [--clients 5000]: that many pulls of one image of 1 MB at once, from one registry.

All connections are open before the first request leaves. Measures failures, the registry's peak of memory and its CPU, and
how many bytes it read from storage: the blobs' pages are taken out of the page cache first. Prints one line of JSON; kept
with --keep FILE, from where bench/harness/p2p_report.py takes it."""
import argparse
import hashlib
import json
import os
import pathlib
import resource
import select
import socket
import sys
import tempfile
import time

from control_streams import Registry, push_image
from harness.report import keep_row

SPACE = memoryview(bytearray(1 << 18))


class Pull:
    """One client: manifest, config and layers, one after the other on one connection."""

    def __init__(self, number, port, head):
        self.port, self.head = port, head
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.bind((f"127.0.3.{1 + number // 1000}", 0))
        self.socket.connect_ex(("127.0.0.1", port))
        self.wanted, self.buffer = [], bytearray()
        # The others count bytes: comparing all of them would take the processors from what is measured.
        self.whole = number % 20 == 0
        self.got = 0
        self.whole = number % 20 == 0  # the others count bytes: hashing all of it would take the processors away
        self.got = 0
        self.failure, self.done = None, False

    def ask(self, path, digest):
        self.path, self.digest = path, digest
        self.socket.send(f"GET {path} HTTP/1.1\r\n{self.head}\r\n".encode())

    def read(self):
        """False: it is over, well or not."""
        try:
            while True:
                length = self.socket.recv_into(SPACE)
                if not length:
                    return self.fail(f"the connection has ended {'in' if self.got else 'before'} an answer")
                self.got += length
                if self.whole or len(self.buffer) < 4096:
                    self.buffer += SPACE[:length]
        except BlockingIOError:
            pass
        except OSError as error:
            return self.fail(str(error))
        split = self.buffer.find(b"\r\n\r\n")
        if split < 0:
            return True
        lines = self.buffer[:split].decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        if " 200" not in lines[0]:
            return self.fail(lines[0])
        if self.got < split + 4 + int(fields["content-length"]):
            return True
        return self.took(bytes(self.buffer[split + 4:]))

    def took(self, body):
        self.buffer.clear()
        self.got = 0
        if self.whole and "sha256:" + hashlib.sha256(body).hexdigest() != self.digest:
            return self.fail("other bytes")
        if "/manifests/" in self.path:
            manifest = json.loads(body)
            self.wanted = [one["digest"] for one in (manifest["config"], *manifest["layers"])]
        if not self.wanted:
            self.done = True
            return False
        digest = self.wanted.pop(0)
        self.ask(f"/v2/library/app/blobs/{digest}", digest)
        return True

    def fail(self, why):
        self.failure = why
        return False


def bytes_read(pid):
    fields = dict(line.split(": ") for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(fields["read_bytes"])


def forget_pages(folder):
    os.sync()
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def measure(arguments, registry, work):
    registry.start()
    digest, basic = push_image(registry, 1)
    head = f"Host: 127.0.0.1\r\nAuthorization: {basic['Authorization']}\r\n"
    # What was just written is in the registry's memory as well.
    registry.process.terminate()
    registry.process.wait()
    registry.start()
    forget_pages(work / "data" / "blobs")
    memory, cpu, read = registry.memory(), registry.cpu(), bytes_read(registry.process.pid)
    poll = select.epoll()
    pulls = {}
    for number in range(arguments.clients):
        pull = Pull(number, registry.port, head)
        pulls[pull.socket.fileno()] = pull
        if number % 200 == 199:
            time.sleep(0.02)
    for descriptor in pulls:
        select_one = select.poll()
        select_one.register(descriptor, select.POLLOUT)
        select_one.poll(10_000)
        poll.register(descriptor, select.EPOLLIN)
    begun, peak = time.monotonic(), memory
    for pull in pulls.values():
        pull.ask(f"/v2/library/app/manifests/{digest}", digest)
    left, looked = len(pulls), 0.0
    while left and time.monotonic() - begun < 300:
        for descriptor, _ in poll.poll(0.1, 512):
            if not pulls[descriptor].read():
                poll.unregister(descriptor)
                left -= 1
        if time.monotonic() - looked > 0.1:
            looked = time.monotonic()
            peak = max(peak, registry.memory())
    failures = [pull.failure or "not in time" for pull in pulls.values() if not pull.done]
    for why in sorted(set(failures)):
        print(f"{failures.count(why)}: {why}", file=sys.stderr)
    return {
        "clients": arguments.clients, "failed": len(failures), "seconds": time.monotonic() - begun,
        "cpu": registry.cpu() - cpu, "memory_before": memory, "memory_peak": peak,
        "storage_bytes": bytes_read(registry.process.pid) - read, "image_bytes": (1 << 20) + 2,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, required=True, help="a release build")
    parser.add_argument("--clients", type=int, default=5_000)
    parser.add_argument("--keep", type=pathlib.Path, help="JSON of measured rows, to which this one is written")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="entrepot-pulls-") as home:
        registry = Registry(arguments.binary, pathlib.Path(home))
        try:
            result = measure(arguments, registry, pathlib.Path(home))
        finally:
            registry.process.kill()
            registry.process.wait()
    keep_row(arguments.keep, "image-pulls", result)
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
