"""What a proxy in front of us could be made to misread is refused, and every legal form is answered."""
import re
import socket
import unittest
import urllib.parse

from support import settings
from support.scenario import Scenario
from support.server import PASSWORD

HOST = b"Host: registry.test\r\n"

# name: (what is sent, the statuses allowed, whether the connection must be closed after the answer)
REFUSED = {
    "two lengths that differ": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", {400}),
    "a list of lengths that differ": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3, 4\r\n\r\nabcd", {400}),
    "a negative length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", {400}),
    "a signed length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +4\r\n\r\nabcd", {400}),
    "a hexadecimal length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 0x4\r\n\r\nabcd", {400}),
    "a length beyond 64 bits": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999999\r\n\r\n", {400, 413}),
    "an empty length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length:\r\n\r\n", {400}),
    "both length forms": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    "an unknown transfer coding": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n", {400, 501}),
    "a coding before chunked": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "chunked twice": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "chunked with a vertical tab": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "chunked in HTTP/1.0": (b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "a bare LF after the request line": (b"GET /healthz HTTP/1.1\nHost: registry.test\r\n\r\n", {400}),
    "a bare LF between headers": (b"GET /healthz HTTP/1.1\r\nHost: registry.test\nX: y\r\n\r\n", {400}),
    "a bare LF at the end": (b"GET /healthz HTTP/1.1\r\nHost: registry.test\r\n\n", {400}),
    "a bare CR in a value": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\rb\r\n\r\n", {400}),
    "a NUL in a value": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n", {400}),
    "a space before the colon": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length : 0\r\n\r\n", {400}),
    "a folded header": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n", {400}),
    "white space before the first header": (b"GET /healthz HTTP/1.1\r\n Host: registry.test\r\n\r\n", {400}),
    "a header without a name": (b"GET /healthz HTTP/1.1\r\n" + HOST + b": x\r\n\r\n", {400}),
    "a header without a colon": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n", {400}),
    "no Host": (b"GET /healthz HTTP/1.1\r\n\r\n", {400}),
    "two Hosts": (b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n", {400}),
    "a Host that is none": (b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n", {400}),
    "two spaces in the request line": (b"GET  /healthz HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "a tab in the request line": (b"GET\t/healthz HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "a control character in the target": (b"GET /health\x01z HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "no version": (b"GET /healthz\r\n\r\n", {400}),
    "HTTP/2.0 in text": (b"GET /healthz HTTP/2.0\r\n" + HOST + b"\r\n", {400, 505}),
    "HTTP/1.1 in lower case": (b"GET /healthz http/1.1\r\n" + HOST + b"\r\n", {400}),
    "a method that is no token": (b"G@T /healthz HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 64 + b"\r\n\r\n", {400}),
    "a header of 70 KB": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 70_000 + b"\r\n\r\n", {400, 431}),
    "500 headers": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 500 + b"\r\n", {400, 431}),
    "a target of 70 KB": (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", {400, 414, 431}),
}

BAD_CHUNKS = {
    "no hexadecimal size": b"zz\r\nabc\r\n0\r\n\r\n",
    "a signed size": b"+3\r\nabc\r\n0\r\n\r\n",
    "a size with 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "a size beyond 64 bits": b"11111111111111111\r\nabc\r\n0\r\n\r\n",
    "an empty size": b"\r\nabc\r\n0\r\n\r\n",
    "a bare LF after the size": b"3\nabc\r\n0\r\n\r\n",
    "data longer than said": b"3\r\nabcd\r\n0\r\n\r\n",
    "a bare LF after the data": b"3\r\nabc\n0\r\n\r\n",
    "white space before the size": b" 3\r\nabc\r\n0\r\n\r\n",
    "a control character in an extension": b"3;a=\x01\r\nabc\r\n0\r\n\r\n",
}


@unittest.skipIf(settings.foreign, "about our own server")
class Http(Scenario):
    def connect(self):
        host, port = self.host.split(":")
        connection = socket.create_connection((host, int(port)), timeout=10)
        self.addCleanup(connection.close)
        return connection

    def exchange(self, sent):
        """Sends, and reads until the server closes or is silent: the bytes, and whether it closed."""
        connection = self.connect()
        connection.settimeout(3)
        received = b""
        try:
            connection.sendall(sent)
        except ConnectionError:
            pass  # an answer may stand in the buffer all the same
        try:
            while part := connection.recv(65536):
                received += part
            return received, True
        except TimeoutError:
            return received, False
        except ConnectionError:
            return received, True

    @staticmethod
    def statuses(received):
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]

    def alive(self):
        received, _ = self.exchange(b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        self.assertEqual(self.statuses(received), [200])

    def test_what_could_be_misread_is_refused_and_the_connection_closed(self):
        smuggled = b"GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n"
        for name, (sent, allowed) in REFUSED.items():
            with self.subTest(name):
                received, closed = self.exchange(sent + smuggled)
                found = self.statuses(received)
                self.assertEqual(len(found), 1, f"one answer and no second: {received[:300]}")
                self.assertIn(found[0], allowed)
                self.assertTrue(closed, "the connection has to be closed")
        self.alive()

    def test_bad_chunks_are_refused(self):
        head = b"POST /service/token HTTP/1.1\r\n" + HOST + (
            b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n")
        for name, body in BAD_CHUNKS.items():
            with self.subTest(name):
                received, closed = self.exchange(head + body)
                self.assertEqual(self.statuses(received), [400])
                self.assertTrue(closed, "the connection has to be closed")
        self.alive()

    def form(self):
        return urllib.parse.urlencode({"grant_type": "password", "service": self.service(), "username": "admin",
                                       "password": PASSWORD, "client_id": "test"}).encode()

    def service(self):
        challenge = self.client().raw("GET", "/v2/").headers["WWW-Authenticate"]
        return challenge.split('service="')[1].split('"')[0]

    def test_chunked_with_extensions_and_trailers_is_read(self):
        form = self.form()
        half = len(form) // 2
        body = b"%x;name=value;other=\"quoted\"\r\n%s\r\n%X\r\n%s\r\n0;last\r\nX-Trailer: yes\r\n\r\n" % (
            half, form[:half], len(form) - half, form[half:])
        received, _ = self.exchange(
            b"POST /service/token HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Transfer-Encoding: Chunked\r\nConnection: close\r\n\r\n" + body)
        self.assertEqual(self.statuses(received), [200], received)

    def test_pipelined_requests_are_answered_in_order(self):
        received, closed = self.exchange(
            (b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n") * 20 + b"GET /nowhere HTTP/1.1\r\n" + HOST
            + b"Connection: close\r\n\r\n")
        self.assertEqual(self.statuses(received), [200] * 20 + [404])
        self.assertTrue(closed)

    def test_http_1_0_closes_unless_it_asks_to_be_kept(self):
        received, closed = self.exchange(b"GET /healthz HTTP/1.0\r\n\r\n")
        self.assertEqual(self.statuses(received), [200])
        self.assertTrue(closed)
        received, closed = self.exchange(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2)
        self.assertEqual(self.statuses(received), [200, 200])
        self.assertFalse(closed)
        self.assertIn(b"connection: keep-alive", received.lower())

    def test_an_absolute_target_is_understood(self):
        received, _ = self.exchange(b"GET http://registry.test/healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        self.assertEqual(self.statuses(received), [200])

    def test_100_continue_is_sent_before_the_body(self):
        form = self.form()
        connection = self.connect()
        connection.sendall(b"POST /service/token HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
                           b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(form))
        self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 100 "))
        connection.sendall(form)
        self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 200 "))

    def test_head_has_no_body(self):
        received, _ = self.exchange(b"HEAD /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        self.assertTrue(received.endswith(b"\r\n\r\n"), received)

    def test_bytes_may_come_one_by_one(self):
        connection = self.connect()
        for byte in b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n":
            connection.sendall(bytes([byte]))
        self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 200 "))

    def test_no_header_can_be_injected_through_a_name(self):
        for path in (b"/v2/a%0d%0aX-Injected:%20yes/tags/list", b"/v2/a/manifests/x%0d%0aX-Injected:%20yes",
                     b"/v2/a/blobs/uploads/?mount=%0d%0aX-Injected:%20yes&from=b"):
            received, _ = self.exchange(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
            head = received.split(b"\r\n\r\n")[0].lower()
            self.assertNotIn(b"\nx-injected", head)
