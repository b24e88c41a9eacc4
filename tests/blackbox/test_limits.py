"""Slow, huge, numerous and malicious clients: each is bounded and answered by the right status, nothing leaves the API, and
the server goes on. Time limits are shortened by configuration; the tests assert that a limit acts, never how fast."""
import json
import os
import pathlib
import resource
import selectors
import socket
import time
import unittest
import urllib.parse

from support import settings
from support.registry import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, descriptor, digest_of
from support.scenario import Scenario
from support.server import Server, wait_until

HANG = 60          # seconds after which waiting for a cut has failed
CONNECTIONS = 8000 if settings.soak else 3000
SESSIONS = 2000
FOUR_MIB = 4 << 20


class Raw(Scenario):
    """Requests as bytes."""

    environment = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(environment=cls.environment)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()

    def setUp(self):
        super().setUp()
        self.registry = self.client(self.server)
        self.basic = self.registry.basic()

    def connect(self, buffer=None):
        connection = socket.socket()
        if buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.settimeout(HANG)
        connection.connect(("127.0.0.1", self.server.port))
        self.addCleanup(connection.close)
        return connection

    def head(self, method, path, *lines):
        return "\r\n".join((f"{method} {path} HTTP/1.1", f"Host: {self.server.host}", f"Authorization: {self.basic}",
                            *lines, "", "")).encode("latin-1")

    def read_to_end(self, connection):
        """Until the server closes; a server that never does fails by the socket's time limit."""
        parts = []
        try:
            while part := connection.recv(1 << 20):
                parts.append(part)
        except ConnectionError:
            pass
        return b"".join(parts)

    def once(self, data):
        """The answer to one request that asks for a close, or is refused with one."""
        connection = self.connect()
        try:
            connection.sendall(data)
        except ConnectionError:
            pass
        try:
            return self.read_to_end(connection)
        finally:
            connection.close()

    def status(self, answer):
        self.assertTrue(answer.startswith(b"HTTP/1.1 "), answer[:200])
        return int(answer[9:12])

    def goes_on(self):
        self.assertEqual(self.server.status("/readyz"), 200)


@unittest.skipIf(settings.foreign, "needs a server of its own")
class SlowClients(Raw):
    environment = {"ENTREPOT_HTTP_HEADER_TIMEOUT": "2s", "ENTREPOT_HTTP_IDLE_TIMEOUT": "3s",
                   "ENTREPOT_HTTP_LEAST_BODY_RATE": "100000"}

    def drip(self, connection, data, pause=0.1):
        """Sends byte by byte until the server has closed; true when it did."""
        for start in range(len(data)):
            try:
                connection.sendall(data[start:start + 1])
            except OSError:
                return True
            time.sleep(pause)
        return False

    def test_nothing_sent(self):
        self.read_to_end(self.connect())
        self.goes_on()

    def test_half_a_head(self):
        connection = self.connect()
        connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        self.assertNotIn(b"HTTP/1.1 200", self.read_to_end(connection))
        self.goes_on()

    def test_a_head_byte_by_byte(self):
        connection = self.connect()
        self.assertTrue(self.drip(connection, b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 600), "never cut")
        self.goes_on()

    def test_the_second_head_of_a_connection_is_bounded_too(self):
        connection = self.connect()
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(self.status(connection.recv(4096)), 200)
        self.assertTrue(self.drip(connection, b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 600), "never cut")

    def test_an_idle_connection(self):
        connection = self.connect()
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        self.read_to_end(connection)

    def test_bodies_too_slow_and_a_reader_that_does_not_read(self):
        """All at once, because the rate is averaged over ten seconds."""
        repository = f"{self.project}/slow"
        data = self.random.randbytes(24 << 20)
        digest = self.registry.push_blob(repository, data)
        begin = f"/v2/{repository}/blobs/uploads/"
        locations = [self.registry.expect(202, "POST", begin).headers["Location"] for _ in range(3)]
        stops, drips, chunks, reader = self.connect(), self.connect(), self.connect(), self.connect(buffer=4096)
        stops.sendall(self.head("PATCH", locations[0], "Content-Length: 1000000") + b"x" * 1000)
        drips.sendall(self.head("PATCH", locations[1], "Content-Length: 1000000"))
        chunks.sendall(self.head("PATCH", locations[2], "Transfer-Encoding: chunked"))
        reader.sendall(self.head("GET", f"/v2/{repository}/blobs/{digest}"))
        self.assertTrue(reader.recv(100).startswith(b"HTTP/1.1 200"))
        cut, deadline = set(), time.monotonic() + HANG
        while len(cut) < 2 and time.monotonic() < deadline:
            for connection, piece in ((drips, b"y"), (chunks, b"1\r\nz\r\n")):
                try:
                    connection.sendall(piece)
                except OSError:
                    cut.add(connection)
            time.sleep(0.1)
        self.assertEqual(cut, {drips, chunks}, "a body of ten bytes a second was never cut")
        answer = self.read_to_end(stops)
        self.assertFalse(answer.startswith(b"HTTP/1.1 202"), answer[:200])
        # The kernel's table says when the server gave the connection up: nothing is read before.
        wait_until(lambda: not self.established(reader), HANG, "the connection is cut")
        self.assertLess(len(self.read_to_end(reader)), len(data))
        self.goes_on()

    def established(self, connection):
        """Whether the server's end of this connection is open."""
        ours, theirs = connection.getsockname()[1], self.server.port
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            local, remote, state = line.split()[1:4]
            if int(local.split(":")[1], 16) == theirs and int(remote.split(":")[1], 16) == ours:
                return state == "01"
        return False


@unittest.skipIf(settings.foreign, "needs a server of its own")
class ManyClients(Raw):
    def test_thousands_of_connections_are_held_and_served(self):
        """By default one client address may have 8,000."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        count = min(CONNECTIONS, hard - 500)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + 500)), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        connections = [self.connect() for _ in range(count)]
        selector = selectors.DefaultSelector()
        for connection in connections:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            selector.register(connection, selectors.EVENT_READ)
        answered, deadline = 0, time.monotonic() + HANG
        while answered < count and time.monotonic() < deadline:
            for key, _ in selector.select(1):
                selector.unregister(key.fileobj)
                answered += key.fileobj.recv(4096).startswith(b"HTTP/1.1 200")
        self.assertEqual(answered, count)
        # All of them are still open and the server still takes work.
        self.registry.push_image(f"{self.project}/many", "1", b"while all are connected")
        for connection in connections[::100]:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(self.status(connection.recv(4096)), 200)

    def test_two_thousand_upload_sessions_of_one_user(self):
        locations = [self.registry.expect(202, "POST", f"/v2/{self.project}/sessions/blobs/uploads/").headers["Location"]
                     for _ in range(SESSIONS)]
        self.assertEqual(len(set(locations)), SESSIONS)
        for location in self.random.sample(locations, 20):
            data = self.random.randbytes(1000)
            self.registry.expect(202, "PATCH", location, data)
            self.registry.expect(201, "PUT", f"{location}?digest={digest_of(data)}")
        for location in locations[:5]:
            self.assertIn(self.registry.request("DELETE", location).status, (204, 404))

    def test_open_uploads_hold_no_descriptors(self):
        path = f"/proc/{self.server.pid()}/fd"
        before = len(os.listdir(path))
        for _ in range(100):
            location = self.registry.expect(202, "POST", f"/v2/{self.project}/open/blobs/uploads/").headers["Location"]
            self.registry.expect(202, "PATCH", location, b"a part")
        self.assertLess(len(os.listdir(path)), before + 50)


@unittest.skipIf(settings.foreign, "needs a server of its own")
class TooMany(Raw):
    environment = {"ENTREPOT_HTTP_CONNECTIONS_PER_CLIENT": "50", "ENTREPOT_UPLOADS_PER_USER": "10"}

    def test_connections_beyond_the_limit_are_refused_and_later_ones_served(self):
        first = [self.connect() for _ in range(40)]
        for connection in first:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(self.status(connection.recv(4096)), 200)
        refused = 0
        for _ in range(30):
            extra = self.connect()
            try:
                extra.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                answer = extra.recv(4096)
            except ConnectionError:
                answer = b""
            if not answer.startswith(b"HTTP/1.1 200"):
                self.assertTrue(not answer or self.status(answer) in (429, 503), answer[:100])
                refused += 1
            first.append(extra)
        self.assertGreaterEqual(refused, 15)
        for connection in first:
            connection.close()
        wait_until(lambda: self.server.status("/healthz") == 200, 20, "served again once the others have gone")

    def test_uploads_beyond_the_limit_are_refused_until_one_ends(self):
        path = f"/v2/{self.project}/uploads/blobs/uploads/"
        locations = [self.registry.expect(202, "POST", path).headers["Location"] for _ in range(10)]
        refused = self.registry.expect(429, "POST", path)
        self.assertEqual(refused.codes(), ["TOOMANYREQUESTS"])
        self.assertTrue(refused.headers["Retry-After"])
        self.registry.expect(204, "DELETE", locations[0])
        locations.append(self.registry.expect(202, "POST", path).headers["Location"])
        for location in locations[1:]:
            self.registry.expect(204, "DELETE", location)


@unittest.skipIf(settings.foreign, "needs a server of its own")
class HugeInput(Raw):
    def put_manifest(self, data, media_type=OCI_MANIFEST, reference=None):
        path = f"/v2/{self.project}/huge/manifests/{reference or digest_of(data)}"
        return self.registry.request("PUT", path, data, {"Content-Type": media_type})

    def test_a_manifest_over_4_mib_is_413_in_both_length_forms(self):
        data = b'{"schemaVersion":2}' + b" " * FOUR_MIB
        answer = self.put_manifest(data)
        self.assertEqual(answer.status, 413, answer)
        self.assertTrue(answer.codes())
        chunked = self.head("PUT", f"/v2/{self.project}/huge/manifests/x", f"Content-Type: {OCI_MANIFEST}",
                            "Transfer-Encoding: chunked", "Connection: close")
        answer = self.once(chunked + b"%x\r\n" % len(data) + data + b"\r\n0\r\n\r\n")
        self.assertEqual(self.status(answer), 413)
        # Announced only: it has not to be sent to be refused.
        announced = self.head("PUT", f"/v2/{self.project}/huge/manifests/x", f"Content-Type: {OCI_MANIFEST}",
                              "Content-Length: 99999999999", "Expect: 100-continue")
        self.assertEqual(self.status(self.once(announced)), 413)
        self.goes_on()

    def test_a_head_too_large_is_431(self):
        for lines in (["X-Large: " + "a" * 100_000], [f"X-{number}: a" for number in range(1000)]):
            self.assertEqual(self.status(self.once(self.head("GET", "/v2/", *lines))), 431)
        self.assertIn(self.status(self.once(self.head("GET", "/v2/" + "a" * 100_000))), (414, 431))
        self.goes_on()

    def test_json_bombs_are_400(self):
        deep = 1_000_000
        bombs = {
            "arrays": b"[" * deep + b"]" * deep,
            "objects": b'{"a":' * (deep // 2) + b"1" + b"}" * (deep // 2),
            "deep in a manifest": b'{"schemaVersion":2,"config":' + b"[" * deep + b"]" * deep + b"}",
            "never closed": b"[" * (3 << 20),
            "a number of a million digits": b'{"schemaVersion":' + b"9" * 1_000_000 + b"}",
            "a huge exponent": b'{"schemaVersion":1e999999999}',
            "a size beyond 64 bits": json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [], "config": {
                "mediaType": OCI_CONFIG, "digest": digest_of(b"{}"), "size": 1 << 70}}).encode(),
            "a negative size": json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [], "config": {
                "mediaType": OCI_CONFIG, "digest": digest_of(b"{}"), "size": -1}}).encode(),
        }
        for name, bomb in bombs.items():
            with self.subTest(name):
                answer = self.put_manifest(bomb)
                self.assertEqual(answer.status, 400, answer)
                self.assertEqual(answer.codes(), ["MANIFEST_INVALID"])
                self.goes_on()

    def test_a_manifest_of_very_many_layers_is_bounded(self):
        self.registry.push_blob(f"{self.project}/huge", b"{}")
        layers = [descriptor(OCI_LAYER, b"%d" % number) for number in range(20_000)]
        data = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, b"{}"),
                           "layers": layers}).encode()
        self.assertLess(len(data), FOUR_MIB)
        answer = self.put_manifest(data)
        self.assertEqual(answer.status, 404, answer)
        self.assertIn("MANIFEST_BLOB_UNKNOWN", answer.codes())
        self.assertLess(len(answer.body), 1 << 20)

    def test_pages(self):
        self.registry.push_blob(f"{self.project}/huge", b"{}")
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, b"{}"), "layers": []}
        for tag in ("a", "b", "c"):
            self.registry.push_manifest(f"{self.project}/huge", tag, manifest)
        for path in (f"/v2/{self.project}/huge/tags/list", "/v2/_catalog", f"/v2/{self.project}/huge/referrers/{digest_of(b'')}"):
            for value in ("1000000000", "9223372036854775807", "0"):
                with self.subTest(f"{path}?n={value}"):
                    self.assertEqual(self.registry.request("GET", f"{path}?n={value}").status, 200)
            for value in ("-1", "abc", "1e3", "0x10", "+1", " 1", "1 ", "99999999999999999999999", "18446744073709551615", "%31%00", "1.0", ""):
                with self.subTest(f"{path}?n={value}"):
                    answer = self.registry.request("GET", f"{path}?n={urllib.parse.quote(value, safe='%')}")
                    self.assertEqual(answer.status, 400, answer)
                    self.assertEqual(answer.codes(), ["PAGINATION_NUMBER_INVALID"])
            for last in ("a" * 10_000, "%00", "../../etc", "'; DROP TABLE tags; --", "\u00e4", "%ff"):
                with self.subTest(f"{path}?last={last[:30]}"):
                    answer = self.registry.request("GET", f"{path}?last={urllib.parse.quote(last, safe='%')}")
                    self.assertIn(answer.status, (200, 400, 414), answer)
        self.goes_on()


TRAVERSALS = [
    "/v2/../../etc/passwd", "/v2/%2e%2e/%2e%2e/etc/passwd", "/v2/..%2f..%2fetc%2fpasswd", "/../../../../etc/passwd",
    "/v2/a/blobs/../../../../etc/passwd", "/v2/a/blobs/sha256:..%2f..%2f..%2fetc%2fpasswd", "/v2/a/b/blobs/sha256:../../lock",
    "/v2/a/manifests/../../../../../etc/passwd", "/v2/a/manifests/..%2f..%2f..%2f..%2fetc%2fpasswd", "/v2//etc/passwd",
    "/v2/a/blobs/uploads/..%2f..%2f..%2fentrepot.db", "/v2/a/blobs/uploads/%2e%2e", "/v2/a/blobs/uploads/../../../master.key",
    "//etc/passwd", "/%2f%2fetc/passwd", "/v2/a%00b/manifests/latest", "/v2/a/manifests/%00", "/v2/a/blobs/sha256:%00",
    "/v2/a/manifests/..%5c..%5cmaster.key", "/v2/\\..\\..\\etc\\passwd", "/v2/%252e%252e/%252e%252e/etc/passwd", "/v2/./../x/tags/list",
    "/v2/a/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd/tags/list", "/service/../../etc/passwd", "/metrics/../../etc/passwd",
    "/healthz/../../etc/passwd", "/api/v2.0/../../../etc/passwd", "/api/v2.0/projects/..%2f..%2fmaster.key",
]
SECRETS = (b"root:", b"SQLite format", b"daemon:")


@unittest.skipIf(settings.foreign, "needs a server of its own")
class Malice(Raw):
    def harmless(self, answer, what):
        status = self.status(answer)
        self.assertIn(status, (400, 401, 404, 405), f"{what}: {answer[:300]!r}")
        for secret in SECRETS:
            self.assertNotIn(secret, answer, what)

    def test_no_path_leaves_the_api(self):
        before = sorted(path.name for path in self.server.data.iterdir())
        for method in ("GET", "PUT", "PATCH", "DELETE", "POST", "HEAD"):
            for path in TRAVERSALS:
                with self.subTest(f"{method} {path}"):
                    length = "Content-Length: 4" if method in ("PUT", "PATCH", "POST") else "X: y"
                    body = b"evil" if method in ("PUT", "PATCH", "POST") else b""
                    answer = self.once(self.head(method, path, length, "Connection: close",
                                                 f"Content-Type: {OCI_MANIFEST}") + body)
                    self.harmless(answer, f"{method} {path}")
        self.goes_on()
        self.assertEqual(sorted(path.name for path in self.server.data.iterdir()), before)
        self.assertEqual(list(self.server.data.rglob("passwd*")), [])

    def test_bytes_that_are_no_request(self):
        for data in (b"GET /v2/\0 HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /v2/a\0/tags/list HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"GET /v2/\xff\xfe/tags/list HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"\0" * 4096 + b"\r\n\r\n",
                     b"GET http:///v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                     b"GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                     b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                     b"GET * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            with self.subTest(data[:40]):
                answer = self.once(data)
                if answer:
                    self.assertIn(self.status(answer), (400, 401, 404, 405, 431, 501, 505), answer[:200])
        self.goes_on()

    def injected(self, answer, what):
        head = answer.split(b"\r\n\r\n")[0].lower()
        for line in head.split(b"\r\n")[1:]:
            self.assertFalse(line.startswith(b"injected") or line.startswith(b"set-cookie"), f"{what}: {head[:500]!r}")
        self.assertNotIn(b"\n", head.replace(b"\r\n", b""), what)
        self.assertNotIn(b"\r", head.replace(b"\r\n", b""), what)

    def test_nothing_is_injected_through_names_tags_queries_or_headers(self):
        breaks = ("%0d%0aInjected:%20yes", "%0d%0a%0d%0aInjected", "%0aInjected:yes", "%0dInjected:yes",
                  "%E5%98%8A%E5%98%8DInjected:yes", "%250d%250aInjected:yes")
        repository = f"{self.project}/inject"
        self.registry.push_image(repository, "1", b"layer")
        digest = digest_of(b"layer")
        for attempt in breaks:
            for method, path in (("GET", f"/v2/{repository}{attempt}/tags/list"), ("GET", f"/v2/{repository}/manifests/1{attempt}"),
                                 ("GET", f"/v2/{repository}/blobs/{digest}{attempt}"), ("POST", f"/v2/{repository}{attempt}/blobs/uploads/"),
                                 ("GET", f"/v2/{repository}/tags/list?n=1&last={attempt}"),
                                 ("GET", f"/v2/{repository}/referrers/{digest}?artifactType={attempt}"),
                                 ("POST", f"/v2/{repository}/blobs/uploads/?mount={digest}&from={attempt}"),
                                 ("GET", f"/v2/_catalog?n=1&last={attempt}"), ("GET", f"/service/token?service={attempt}&scope={attempt}"),
                                 ("GET", f"/v2/{repository}/manifests/1?ns={attempt}")):
                with self.subTest(f"{method} {path}"):
                    answer = self.once(self.head(method, path, "Connection: close", "Content-Length: 0"))
                    self.injected(answer, path)
                    self.assertLess(self.status(answer), 500)

    def test_host_and_forwarded_headers_can_not_break_the_challenge(self):
        for name in ("X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For", "X-Request-Id", "traceparent", "Forwarded"):
            for value in ('a"b', 'evil", injected="yes', "a\tb", "a\\", "a,b", "\x7f", "\xff", "a" * 5000):
                with self.subTest(f"{name}: {value[:20]}"):
                    request = (f"GET /v2/ HTTP/1.1\r\nHost: registry.test\r\n{name}: {value}\r\nConnection: close\r\n\r\n").encode("latin-1")
                    answer = self.once(request)
                    self.assertIn(self.status(answer), (400, 401))
                    self.injected(answer, name)
                    self.assertNotIn(b'injected="yes"', answer)
        for host in ('a"b', "a b", "a/b", "a@b", "a\\b", "evil\", injected=\"yes"):
            with self.subTest(f"Host: {host}"):
                answer = self.once(f"GET /v2/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                self.assertIn(self.status(answer), (400, 401))
                self.assertNotIn(b'injected="yes"', answer)

    def test_media_types_come_back_as_sent_or_are_refused(self):
        repository = f"{self.project}/media"
        self.registry.push_blob(repository, b"{}")
        manifest = {"schemaVersion": 2, "config": descriptor(OCI_CONFIG, b"{}"), "layers": []}
        for media_type in ("text/html", "a", "a/b; charset=utf-8", "a/b\tc", "\xe4/b", "a" * 10_000, "<script>", 'a"b', ""):
            with self.subTest(media_type[:30]):
                data = json.dumps({**manifest, "annotations": {"for": media_type}}).encode()
                request = self.head("PUT", f"/v2/{repository}/manifests/{digest_of(data)}", f"Content-Type: {media_type}",
                                    f"Content-Length: {len(data)}", "Connection: close")
                answer = self.once(request + data)
                self.assertIn(self.status(answer), (201, 400))
                self.injected(answer, media_type)
                if answer.startswith(b"HTTP/1.1 201"):
                    back = self.once(self.head("GET", f"/v2/{repository}/manifests/{digest_of(data)}", "Connection: close"))
                    self.assertEqual(self.status(back), 200)
                    self.injected(back, media_type)
                    self.assertTrue(back.endswith(data))

    def test_a_manifest_can_not_inject_through_what_it_names(self):
        repository = f"{self.project}/media"
        self.registry.push_blob(repository, b"{}")
        subject = descriptor(OCI_MANIFEST, b"absent")
        for evil in ("a\r\nInjected: yes", "a\nInjected: yes", 'a","injected":"yes', "a\u0000b", "\ud800"):
            with self.subTest(repr(evil)):
                data = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": evil, "layers": [],
                                   "config": descriptor(OCI_CONFIG, b"{}"), "subject": subject,
                                   "annotations": {evil: evil}}).encode()
                answer = self.registry.request("PUT", f"/v2/{repository}/manifests/{digest_of(data)}", data,
                                               {"Content-Type": OCI_MANIFEST})
                self.assertIn(answer.status, (201, 400), answer)
                listed = self.registry.request("GET", f"/v2/{repository}/referrers/{subject['digest']}")
                self.assertEqual(listed.status, 200)
                self.assertIsInstance(listed.json()["manifests"], list)
                query = urllib.parse.quote(evil.encode("utf-8", "surrogatepass"))
                filtered = self.once(self.head("GET", f"/v2/{repository}/referrers/{subject['digest']}?artifactType={query}",
                                               "Connection: close"))
                self.injected(filtered, evil)


if __name__ == "__main__":
    unittest.main()
