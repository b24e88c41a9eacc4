"""SIGTERM while transfers run in both directions: those that progress finish whole, those that stand still are cut, idle
connections close at once, nobody new is let in, exit code 0. SIGINT does the same. SIGHUP reads certificates again."""
import os
import signal
import socket
import ssl
import threading
import time
import unittest

from support import settings
from support.registry import digest_of
from support.scenario import Scenario, run
from support.server import Server, free_port, wait_until

STALLED = 10     # seconds; the default of shutdown.stalled
GENEROUS = 40    # more than any of these takes on a busy machine, less than shutdown.longest
STEP = 64 * 1024


class Peer:
    """A raw connection to the server."""

    def __init__(self, server, basic, buffer=STEP):
        self.server = server
        self.basic = basic
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(GENEROUS + 20)
        self.socket.connect(("127.0.0.1", server.port))

    def head(self, method, path, more=""):
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\nHost: {self.server.host}\r\nAuthorization: {self.basic}\r\n"
                            f"{more}\r\n".encode())

    def read_to_end(self, pause=0.0):
        parts = []
        try:
            while part := self.socket.recv(STEP):
                parts.append(part)
                time.sleep(pause)
        except ConnectionError:
            pass
        return b"".join(parts)

    def until_closed(self):
        """Seconds until the server closed this connection."""
        start = time.monotonic()
        self.read_to_end()
        return time.monotonic() - start


@unittest.skipIf(settings.foreign, "needs a server of its own")
class Stop(Scenario):
    def setUp(self):
        super().setUp()
        self.server = self.own_server()
        self.registry = self.client(self.server)
        self.data = self.random.randbytes(32 << 20)
        self.digest = self.registry.push_blob("library/large", self.data)
        self.registry.close()

    def peer(self):
        peer = Peer(self.server, self.registry.basic())
        self.addCleanup(peer.socket.close)
        return peer

    def idle(self):
        peer = self.peer()
        peer.head("GET", "/v2/")
        self.assertTrue(peer.socket.recv(STEP).startswith(b"HTTP/1.1 200"))
        return peer

    def slow_download(self):
        peer = self.peer()
        peer.head("GET", f"/v2/library/large/blobs/{self.digest}")
        self.assertTrue(peer.socket.recv(100).startswith(b"HTTP/1.1 200"))
        return peer

    def upload(self, length):
        location = self.registry.expect(202, "POST", "/v2/library/large/blobs/uploads/").headers["Location"]
        self.registry.close()
        peer = self.peer()
        return peer, location, length

    def test_what_progresses_finishes_and_what_is_idle_closes_at_once(self):
        body = self.random.randbytes(1 << 20)
        uploader, location, _ = self.upload(len(body))
        uploader.head("PUT", f"{location}?digest={digest_of(body)}", f"Content-Length: {len(body)}\r\n")
        uploader.socket.sendall(body[:1000])
        idle, silent, downloader = self.idle(), self.peer(), self.slow_download()
        time.sleep(0.2)  # the server has begun to read the body
        self.server.process.send_signal(signal.SIGTERM)
        finished = threading.Event()
        pulled = []

        def download():
            pulled.append(downloader.read_to_end(pause=0.002))
        reader = threading.Thread(target=download)
        reader.start()

        def send():
            for start in range(1000, len(body), 20_000):
                uploader.socket.sendall(body[start:start + 20_000])
                time.sleep(0.1)
            finished.set()
        sender = threading.Thread(target=send)
        sender.start()
        idle.until_closed()
        silent.until_closed()
        self.assertFalse(finished.is_set(), "an idle connection was held until the transfers had ended")
        self.assertEqual(self.server.status("/healthz"), 0, "a new connection was served")
        sender.join()
        answer = uploader.read_to_end()
        self.assertTrue(answer.startswith(b"HTTP/1.1 201"), answer[:300])
        reader.join()
        self.assertTrue(pulled[0].endswith(self.data[-1000:]))
        self.assertEqual(self.server.process.wait(timeout=GENEROUS), 0)
        self.server.start()
        self.assertEqual(self.registry.pull_blob("library/large", digest_of(body)), body)

    def test_what_stands_still_is_cut_both_ways(self):
        uploader, location, _ = self.upload(1 << 20)
        uploader.head("PATCH", location, f"Content-Length: {1 << 20}\r\n")
        uploader.socket.sendall(b"x" * 5000)
        downloader = self.slow_download()
        half_head = self.peer()
        half_head.socket.sendall(b"GET /v2/ HTTP/1.1\r\nHost: a")
        time.sleep(0.2)
        start = time.monotonic()
        self.server.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.process.wait(timeout=GENEROUS), 0)
        self.assertGreater(time.monotonic() - start, STALLED / 2, "they were cut without being given time")
        uploader.read_to_end()
        self.assertLess(len(downloader.read_to_end()), len(self.data))
        # What had arrived of the upload is kept.
        self.server.start()
        status = self.registry.expect(204, "GET", location)
        self.assertIn(status.headers["Range"], ("0-0", "0-4999"))

    def test_ctrl_c_stops_it_too(self):
        self.idle()
        self.server.process.send_signal(signal.SIGINT)
        self.assertEqual(self.server.process.wait(timeout=GENEROUS), 0)

    def test_a_second_signal_while_it_drains_does_no_harm(self):
        downloader = self.slow_download()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM):
            self.server.process.send_signal(number)
            time.sleep(0.05)
        self.assertTrue(downloader.read_to_end().endswith(self.data[-1000:]))
        self.assertEqual(self.server.process.wait(timeout=GENEROUS), 0)

    def test_a_second_process_on_the_same_data_says_why_it_refuses(self):
        second = Server(data=self.server.data, database=self.server.database)
        second.start(ready=False)
        self.assertNotEqual(second.process.wait(timeout=GENEROUS), 0)
        self.assertIn("in use by another process", second.log_tail())
        self.assertIn(str(self.server.data), second.log_tail())
        second.log_path.unlink()
        self.assertEqual(self.server.status("/readyz"), 200)


@unittest.skipIf(settings.foreign, "needs a server of its own")
class Reload(Scenario):
    def make_certificate(self, name):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1", "-keyout", self.key,
            "-out", self.certificate)

    def served(self):
        """The certificate a new connection is shown."""
        return ssl.get_server_certificate(("127.0.0.1", self.port), timeout=20).split()

    def on_disk(self):
        return self.certificate.read_text().split()

    def test_sighup_reads_certificates_again_and_keeps_the_old_ones_when_they_are_bad(self):
        self.key, self.certificate = self.work / "key.pem", self.work / "certificate.pem"
        self.make_certificate("first.test")
        self.port = free_port()
        server = self.own_server(arguments=["--tls-listen", f"127.0.0.1:{self.port}", "--tls-cert", str(self.certificate),
                                            "--tls-key", str(self.key)])
        first = self.on_disk()
        self.assertEqual(self.served(), first)
        context = ssl.create_default_context(cafile=str(self.certificate))
        lasting = context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=20),
                                      server_hostname="first.test")
        self.addCleanup(lasting.close)

        self.make_certificate("second.test")
        os.kill(server.pid(), signal.SIGHUP)
        wait_until(lambda: self.served() == self.on_disk(), 20, "the new certificate is served")
        second = self.on_disk()

        self.certificate.write_text("no certificate")
        before = server.log_tail()
        os.kill(server.pid(), signal.SIGHUP)
        wait_until(lambda: "not reloaded" in server.log_tail().removeprefix(before), 20, "the log says what is wrong")
        self.assertEqual(self.served(), second)
        lasting.sendall(b"GET /healthz HTTP/1.1\r\nHost: first.test\r\n\r\n")
        self.assertTrue(lasting.recv(STEP).startswith(b"HTTP/1.1 200"), "a connection lives on with its certificate")


if __name__ == "__main__":
    unittest.main()
