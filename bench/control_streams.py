#!/usr/bin/env python3
"""control_streams.py --binary ENTREPOT [--nodes 15000]: that many nodes' control streams, from this process, to one registry.

Measures the registry: memory and CPU per stream, CPU while a rollout is announced and progresses once a second, and how
long it takes until all are back after kill -9. Nodes are real to it: each has a key, a certificate that it was given for
a token, a stream of TLS 1.3, and its own ticket; what they say is docs/formats/swarm-wire.md. Prints one line of JSON; kept with
--keep FILE, from where bench/harness/p2p_report.py takes it. Needs the Python package `cryptography`."""
import argparse
import base64
import concurrent.futures
import hashlib
import http.client
import json
import os
import pathlib
import resource
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.report import keep_row

PASSWORD = "bench-Secret-123"
REGISTER, WELCOME, ANNOUNCE, NEIGHBOURS, PROGRESS, TICKET, PING, PONG = 0x40, 0x41, 0x48, 0x49, 0x4A, 0x4D, 0x03, 0x04
OF_ADDRESS = 60  # streams; the registry takes 64
TICKS = os.sysconf("SC_CLK_TCK")


def frame(kind, handle, body):
    return struct.pack("<IBBH", 4 + len(body), kind, 0, handle) + body


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Registry:
    """The process that is measured, on a directory of its own."""

    def __init__(self, binary, home):
        self.port, self.control = free_port(), free_port()
        self.command = [str(binary), "serve", "--listen", f"127.0.0.1:{self.port}", "--data", str(home / "data")]
        self.environment = {"PATH": os.environ["PATH"], "ENTREPOT_ADMIN_PASSWORD": PASSWORD, "ENTREPOT_SWARM_ENABLED": "true",
                            "ENTREPOT_SWARM_CONTROL_PORT": str(self.control), "ENTREPOT_SWARM_PEER_PORT": "0"}
        self.log = open(home / "registry.log", "ab")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, env=self.environment, stdout=self.log, stderr=self.log)
        while True:
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit("the registry has ended") from None
            time.sleep(0.02)

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        taken = answer.status, answer.read(), answer.headers
        connection.close()
        return taken

    def cpu(self):
        """Seconds of its threads since it began, in user and kernel mode."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        """Bytes that are resident now."""
        return int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()

    def metric(self, name):
        text = self.ask("GET", "/metrics")[1].decode()
        return next((float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " ")), None)


class Node:
    """One node's stream: a TLS connection that doesn't block."""

    def __init__(self, number):
        self.number = number
        self.key = ec.generate_private_key(ec.SECP256R1())
        public = self.key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.id = hashlib.sha256(public).hexdigest()
        self.context = None
        self.ticket = b""
        self.socket = None
        self.ready = False  # WELCOME has come
        self.admitted = self.named = False
        self.buffer = b""
        self.spoke = 0.0

    def enrol(self, connection, token, work):
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(self.key, hashes.SHA256())
        form = {"token": token, "name": f"node-{self.number}", "zone": f"z{self.number % 5}",
                "request": request.public_bytes(serialization.Encoding.PEM).decode()}
        connection.request("POST", "/swarm/v1/nodes", json.dumps(form), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"a node is not certified: {answer.status} {body[:300]}")
        given = json.loads(body)
        file = work / f"node-{self.number % 64}.pem"
        key = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(given["certificate"].encode() + key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE  # the registry is what is measured
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.set_alpn_protocols(["entrepot-swarm"])
        self.context.load_cert_chain(file)

    def connect(self, port):
        raw = socket.socket()
        raw.setblocking(False)
        raw.bind((f"127.0.{1 + self.number // OF_ADDRESS // 250}.{1 + self.number // OF_ADDRESS % 250}", 0))
        raw.connect_ex(("127.0.0.1", port))
        self.socket = raw
        self.ready = self.admitted = self.named = False
        self.buffer = b""

    def secure(self):
        """True when the handshake is over; False: it goes on; None: it has failed."""
        try:
            if not isinstance(self.socket, ssl.SSLSocket):
                if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0:
                    return None
                self.socket = self.context.wrap_socket(self.socket, do_handshake_on_connect=False)
            self.socket.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            return None
        name, zone = f"node-{self.number}".encode(), f"z{self.number % 5}".encode()
        endpoint = b"\x04" + bytes(4) + struct.pack("<H", 7501)
        self.send(frame(REGISTER, 0, struct.pack("<HHB", 1, 1, len(name)) + name + bytes([len(zone)]) + zone + b"\x00" + endpoint
                        + struct.pack("<IQQQ", 1, 125_000_000, 125_000_000, 1)))
        return True

    def send(self, data):
        self.spoke = time.monotonic()
        while data:
            try:
                data = data[self.socket.send(data):]
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                wait = select.poll()
                wait.register(self.socket, select.POLLOUT)
                wait.poll(1000)
            except OSError:
                return  # the next read says so

    def keep_alive(self, now):
        """As agents do: the tracker ends a stream that is silent for 90 seconds."""
        if self.ready and now - self.spoke > 30:
            self.send(frame(PING, 0, bytes(8)))

    def read(self):
        """False: the stream has ended."""
        try:
            while True:
                data = self.socket.recv(65536)
                if not data:
                    return False
                self.buffer += data
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            return False
        while len(self.buffer) >= 4 and len(self.buffer) >= 4 + struct.unpack_from("<I", self.buffer)[0]:
            length = struct.unpack_from("<I", self.buffer)[0]
            kind = self.buffer[4]
            self.ready = self.ready or kind == WELCOME
            self.admitted = self.admitted or kind == TICKET
            self.named = self.named or kind == NEIGHBOURS
            if kind == PING:
                self.send(frame(PONG, 0, self.buffer[8:16]))
            self.buffer = self.buffer[4 + length:]
        return True

    def announce(self, swarm, permille, missing):
        self.send(frame(ANNOUNCE, 1, swarm + struct.pack("<HQBBH", permille, missing, 0, 0, len(self.ticket)) + self.ticket))

    def progress(self, permille, bytes_of_second):
        self.send(frame(PROGRESS, 0, struct.pack("<HHHBBQQQQ", 1, 1, permille, 24, 0, 0, bytes_of_second, 0, bytes_of_second)))


class Crowd:
    def __init__(self, registry, nodes):
        self.registry, self.nodes = registry, nodes
        self.poll = select.epoll()
        self.by_number = {}
        self.lost = 0
        self.looked = 0.0

    def keep_alive(self):
        now = time.monotonic()
        if now - self.looked > 5:
            self.looked = now
            for node in list(self.by_number.values()):
                node.keep_alive(now)

    def heard(self, descriptor):
        node = self.by_number[descriptor]
        if not node.read():
            self.lost += 1
            self.poll.unregister(descriptor)
            del self.by_number[descriptor]
        return node

    def connect(self, at_once=1000, again=0.2):
        """Until all have been bidden welcome; how long it took."""
        waiting = list(self.nodes)
        shaking = {}
        begun = time.monotonic()
        retry = []
        missing = {node.number for node in self.nodes}
        while missing:
            self.keep_alive()
            now = time.monotonic()
            while retry and retry[0][0] <= now:
                waiting.append(retry.pop(0)[1])
            while waiting and len(shaking) < at_once:
                node = waiting.pop(0)
                node.connect(self.registry.control)
                shaking[node.socket.fileno()] = node
                self.poll.register(node.socket, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
            for descriptor, _ in self.poll.poll(0.05, 1024):
                node = shaking.get(descriptor)
                if node is None:
                    node = self.heard(descriptor)
                    if node.ready:
                        missing.discard(node.number)
                    elif descriptor not in self.by_number:
                        # The registry gave up on it before its certificate was there.
                        self.lost -= 1
                        node.socket.close()
                        retry.append((time.monotonic() + again, node))
                    continue
                over = node.secure()
                if over is False:
                    continue
                del shaking[descriptor]
                if over is None:
                    # Closing takes it from the poll too.
                    node.socket.close()
                    retry.append((time.monotonic() + again, node))
                    continue
                self.by_number[descriptor] = node
                self.poll.modify(descriptor, select.EPOLLIN | select.EPOLLET)
                node.read()
                if node.ready:
                    missing.discard(node.number)
        return time.monotonic() - begun

    def listen(self, seconds=0.0, until=None):
        end = time.monotonic() + seconds
        while True:
            for descriptor, _ in self.poll.poll(0 if until is None and time.monotonic() >= end else 0.02, 4096):
                self.heard(descriptor)
            self.keep_alive()
            if until() if until else time.monotonic() >= end:
                return

    def close(self):
        for node in self.nodes:
            node.socket.close()
        self.by_number.clear()
        self.poll.close()
        self.poll = select.epoll()


def push_image(registry, megabytes):
    basic = {"Authorization": "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()}
    layer = os.urandom(megabytes << 20)
    descriptors = []
    for data in (b"{}", layer):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        status, _, headers = registry.ask("POST", "/v2/library/app/blobs/uploads/", None, basic)
        place = headers["Location"]
        place = place[place.index("/v2/"):]
        status, body, _ = registry.ask("PUT", place + ("&" if "?" in place else "?") + "digest=" + digest, data, basic)
        assert status == 201, (status, body)
        descriptors.append({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": len(data)})
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                           "config": descriptors[0], "layers": descriptors[1:]}).encode()
    kind = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
    status, body, _ = registry.ask("PUT", "/v2/library/app/manifests/1", manifest, {**basic, **kind})
    assert status == 201, (status, body)
    return "sha256:" + hashlib.sha256(manifest).hexdigest(), basic


def in_parts(work, nodes, port, workers=4):
    """work(node, connection) for all, over a few connections."""
    def one(part):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for node in part:
            work(node, connection)
        connection.close()
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, [nodes[start::workers] for start in range(workers)]))


def get_tickets(registry, nodes, digest, basic):
    swarm = []

    def ask(node, connection):
        connection.request("GET", f"/swarm/v1/images/library/app/{digest}?node={node.id}", None, basic)
        answer = connection.getresponse()
        answer.read()
        ticket = answer.headers["Entrepot-Ticket"]
        node.ticket = base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
        swarm.append(bytes.fromhex(answer.headers["Entrepot-Swarm"]))
    in_parts(ask, nodes, registry.port)
    return swarm[0]


def rollout(registry, crowd, swarm, rounds, image_bytes):
    """All announce at once, then report once a second; CPU seconds of the registry for either."""
    count = len(crowd.nodes)
    cpu, begun = registry.cpu(), time.monotonic()
    for node in crowd.nodes:
        node.announce(swarm, 0, image_bytes)
        if node.number % 256 == 0:
            crowd.listen()
    patience = time.monotonic() + 120
    crowd.listen(until=lambda: time.monotonic() > patience or all(node.admitted and node.named for node in crowd.nodes))
    if time.monotonic() > patience:
        raise SystemExit(f"{sum(not node.named for node in crowd.nodes)} nodes are named no neighbours")
    announced = {"seconds": time.monotonic() - begun, "cpu": registry.cpu() - cpu}
    cpu, begun = registry.cpu(), time.monotonic()
    for tick in range(rounds):
        due = begun + tick
        crowd.listen(max(0.0, due - time.monotonic()))
        for node in crowd.nodes:
            node.progress(1000 * (tick + 1) // (rounds + 1), image_bytes // rounds)
            if node.number % 256 == 0:
                crowd.listen()
    crowd.listen(max(0.0, begun + rounds - time.monotonic()))
    spent = time.monotonic() - begun
    return announced, {"seconds": spent, "cpu": registry.cpu() - cpu, "reports_a_second": count * rounds / spent}


def measure(arguments, registry, work):
    registry.start()
    status, body, _ = registry.ask(
        "POST", "/api/v2.0/swarm/tokens", json.dumps({"nodes": arguments.nodes, "expires_in": 3600}),
        {"Content-Type": "application/json", "Authorization": "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()})
    if status != 201:
        raise SystemExit(f"no token for nodes: {status} {body[:300]}")
    token = json.loads(body)["token"]
    nodes = [Node(number) for number in range(arguments.nodes)]
    cpu = registry.cpu()
    in_parts(lambda node, connection: node.enrol(connection, token, work / f"part-{node.number % 4}"), nodes, registry.port)
    result = {"nodes": arguments.nodes, "enrol_cpu_ms": 1000 * (registry.cpu() - cpu) / arguments.nodes}
    digest, basic = push_image(registry, 1)
    swarm = get_tickets(registry, nodes, digest, basic)
    print(f"{arguments.nodes} nodes are certified", file=sys.stderr, flush=True)

    crowd = Crowd(registry, nodes)
    memory, cpu = registry.memory(), registry.cpu()
    result["memory_before"] = memory
    result["connect_seconds"] = crowd.connect()
    result["handshake_cpu_ms"] = 1000 * (registry.cpu() - cpu) / arguments.nodes
    print(f"all are connected after {result['connect_seconds']:.1f} s", file=sys.stderr, flush=True)
    crowd.listen(3)
    result["memory"] = registry.memory()
    result["stream_bytes"] = (result["memory"] - memory) / arguments.nodes
    cpu = registry.cpu()
    crowd.listen(5)
    result["idle_cores"] = (registry.cpu() - cpu) / 5
    result["announced"], result["progress"] = rollout(registry, crowd, swarm, arguments.rounds, 1_000_000_000)
    result["progress"]["cores"] = result["progress"]["cpu"] / result["progress"]["seconds"]
    result["memory_rollout"] = registry.memory()
    result["lost"] = crowd.lost

    registry.process.send_signal(signal.SIGKILL)
    registry.process.wait()
    crowd.close()
    begun = time.monotonic()
    registry.start()
    result["restart"] = {"start_seconds": time.monotonic() - begun, "connect_seconds": crowd.connect()}
    connected = registry.cpu()
    announced, _ = rollout(registry, crowd, swarm, 1, 1_000_000_000)
    result["restart"].update({"cpu": connected, "announce_seconds": announced["seconds"], "announce_cpu": announced["cpu"]})
    result["restart"]["nodes_known"] = registry.metric("entrepot_swarm_nodes")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, required=True, help="a release build")
    parser.add_argument("--nodes", type=int, default=15_000)
    parser.add_argument("--rounds", type=int, default=10, help="seconds of progress")
    parser.add_argument("--keep", type=pathlib.Path, help="JSON of measured rows, to which this one is written")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if arguments.nodes + 500 > hard:
        raise SystemExit(f"{arguments.nodes} streams need more than {hard} descriptors")
    with tempfile.TemporaryDirectory(prefix="entrepot-streams-") as home:
        work = pathlib.Path(home)
        for part in range(4):
            (work / f"part-{part}").mkdir()
        registry = Registry(arguments.binary, work)
        try:
            result = measure(arguments, registry, work)
        finally:
            registry.process.kill()
            registry.process.wait()
    keep_row(arguments.keep, "control-streams", result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
