"""A full disk, a stop while transfers run, and a database that goes away."""
import signal
import socket
import subprocess
import threading
import time
import unittest

from support import settings
from support.registry import digest_of
from support.scenario import Scenario, root_only, run
from support.server import PASSWORD, wait_until


@root_only
@unittest.skipIf(settings.foreign, "needs a server of its own")
class FullDisk(Scenario):
    def mount(self, kind):
        """A file system of 64 MB."""
        place = self.work / kind
        place.mkdir()
        if kind == "tmpfs":
            run("mount", "-t", "tmpfs", "-o", "size=64m", "entrepot-test", place)
        else:
            picture = self.work / "disk"
            with open(picture, "wb") as file:
                file.truncate(64 << 20)
            run("mkfs.ext4", "-q", "-O", "has_journal", picture)
            mounted = run("mount", "-o", "loop", picture, place, check=False)
            if mounted.returncode:
                self.skipTest("this machine mounts no loop devices")
        self.addCleanup(run, "umount", "-l", place)
        return place

    def fill_and_recover(self, kind):
        place = self.mount(kind)
        ballast = place / "ballast"
        ballast.write_bytes(b"\0" * (8 << 20))
        server = self.own_server(data=place / "data")
        client = self.client(server)
        kept = client.push_image("library/kept", "1", b"pushed while there was room")
        refused = None
        for _ in range(100):
            data = self.random.randbytes(1 << 20)
            answer = client.request("POST", f"/v2/library/full/blobs/uploads/?digest={digest_of(data)}", data)
            if answer.status != 201:
                refused = answer
                break
        self.assertIsNotNone(refused, "100 MB went into 64 MB")
        self.assertEqual(refused.status, 507, refused)
        self.assertTrue(refused.codes())
        self.assertEqual(client.pull_image("library/kept", "1"), kept)
        self.assertEqual(server.status("/healthz"), 200)
        for _ in range(20):  # also small changes are refused or done, and never hang
            data = self.random.randbytes(20_000)
            answer = client.request("POST", f"/v2/library/full/blobs/uploads/?digest={digest_of(data)}", data)
            self.assertIn(answer.status, (201, 507))
        ballast.unlink()
        recovered = []

        def pushes():
            try:
                recovered.append(client.push_image("library/after", "1", b"room again"))
            except AssertionError:
                return False
            return True
        wait_until(pushes, 20, "pushes work again once there is room")
        self.assertEqual(client.pull_image("library/after", "1"), recovered[0])

    def test_tmpfs(self):
        self.fill_and_recover("tmpfs")

    def test_ext4(self):
        self.fill_and_recover("ext4")


@unittest.skipIf(settings.foreign, "needs a server of its own")
class Drain(Scenario):
    def setUp(self):
        super().setUp()
        self.server = self.own_server()
        self.registry = self.client(self.server)
        self.data = self.random.randbytes(24 << 20)
        self.digest = self.registry.push_blob("library/large", self.data)

    def connect(self, buffer=None):
        connection = socket.socket()
        if buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", self.server.port))
        self.addCleanup(connection.close)
        return connection

    def head(self, method="GET", path=None, more=""):
        path = path or f"/v2/library/large/blobs/{self.digest}"
        return (f"{method} {path} HTTP/1.1\r\nHost: {self.server.host}\r\n"
                f"Authorization: {self.registry.basic()}\r\n{more}\r\n").encode()

    def test_a_transfer_that_progresses_finishes_and_idle_connections_close(self):
        idle = self.connect()
        idle.sendall(f"GET /healthz HTTP/1.1\r\nHost: {self.server.host}\r\n\r\n".encode())
        idle.recv(1000)
        slow = self.connect(buffer=65536)
        slow.sendall(self.head())
        received = slow.recv(65536)
        self.server.process.send_signal(signal.SIGTERM)
        self.assertEqual(idle.recv(1000), b"")
        self.assertIsNone(self.server.process.poll(), "it waits for the transfer")
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", self.server.port), timeout=5).recv(1)
            raise ConnectionError("closed")
        parts = [received]
        while part := slow.recv(1 << 20):
            parts.append(part)
        body = b"".join(parts).split(b"\r\n\r\n", 1)[1]
        self.assertEqual(digest_of(body), self.digest)
        self.assertEqual(self.server.process.wait(timeout=20), 0)

    def test_a_transfer_without_progress_is_cut(self):
        started = self.registry.expect(202, "POST", "/v2/library/large/blobs/uploads/").headers["Location"]
        path = "/" + started.split("/", 3)[3] if started.startswith("http") else started
        stalled = self.connect()
        stalled.sendall(self.head("PATCH", path, "Content-Length: 1000000\r\n") + b"x" * 1000)
        time.sleep(0.3)  # let it be read: the server must see a request under way
        start = time.monotonic()
        self.server.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.process.wait(timeout=60), 0)
        self.assertGreater(time.monotonic() - start, 2, "it was cut at once instead of being given time")


@unittest.skipIf(settings.foreign, "needs a server of its own")
class PostgresGone(Scenario):
    def setUp(self):
        super().setUp()
        from support.postgres import Postgres
        self.cluster = Postgres().start()
        self.addCleanup(self.cluster.close)
        self.server = self.own_server(database=self.cluster.fresh_database())
        self.registry = self.client(self.server)
        self.pushed = self.registry.push_image("library/app", "1", b"layer")
        self.registry.pull_image("library/app", "1")

    def test_it_says_so_and_comes_back(self):
        self.cluster.stop("immediate")
        wait_until(lambda: self.server.status("/readyz") == 503, 10, "/readyz says that the database is gone")
        self.assertEqual(self.server.status("/healthz"), 200)
        for method, path, body in (("GET", "/v2/library/app/tags/list", None),
                                   ("POST", "/v2/library/app/blobs/uploads/", None),
                                   ("PUT", "/v2/library/app/manifests/2", b"{}")):
            with self.subTest(f"{method} {path}"):
                start = time.monotonic()
                answer = self.registry.request(method, path, body)
                if method != "PUT" or answer.status != 400:
                    self.assertEqual(answer.status, 503, answer)
                    self.assertTrue(answer.headers["Retry-After"])
                self.assertLess(time.monotonic() - start, 6, "an answer has to come within 5 s")
        self.cluster.start()
        wait_until(lambda: self.server.status("/readyz") == 200, 12, "ready within 10 s after the database is back")
        self.assertEqual(self.registry.pull_image("library/app", "1"), self.pushed)
        self.registry.push_image("library/app", "2", b"another layer")

    def test_it_starts_before_its_database(self):
        self.assertEqual(self.server.stop(), 0)
        self.cluster.stop()
        self.server.start(ready=False)
        started = threading.Thread(target=self.cluster.start)
        started.start()
        started.join()
        if self.server.process.poll() is not None:  # it may also end with an error, for systemd to start it again
            self.assertNotEqual(self.server.process.returncode, 0)
            self.server.start()
        wait_until(lambda: self.server.status("/readyz") == 200, 15, "ready once the database is there")


@unittest.skipIf(settings.foreign, "needs a server of its own")
class StartUp(Scenario):
    def call(self, *arguments, **environment):
        return subprocess.run([settings.binary, *arguments], capture_output=True, text=True, timeout=30, check=False,
                              env={"PATH": "/usr/bin:/bin", **environment})

    def test_an_unknown_key_is_an_error_with_its_line(self):
        file = self.work / "entrepot.yaml"
        file.write_text("# a comment\nno_such_key: 1\n")
        done = self.call("check-config", "--config", str(file))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no_such_key", done.stdout + done.stderr)
        self.assertRegex(done.stdout + done.stderr, r"\b2\b")

    def test_unknown_flags_and_missing_files_are_errors(self):
        self.assertNotEqual(self.call("serve", "--no-such-flag").returncode, 0)
        self.assertNotEqual(self.call("serve", "--config", str(self.work / "none.yaml")).returncode, 0)
        self.assertNotEqual(self.call("serve", "--listen", "nonsense", "--data", str(self.work / "d")).returncode, 0)

    def test_version_and_help(self):
        self.assertRegex(self.call("version").stdout, r"\d+\.\d+\.\d+")
        said = self.call("serve", "--help").stdout
        for flag in ("--config", "--listen", "--tls-listen", "--tls-cert", "--tls-key", "--data", "--database"):
            self.assertIn(flag, said)

    def test_a_weak_first_password_is_refused(self):
        done = self.call("serve", "--listen", "127.0.0.1:0", "--data", str(self.work / "d"),
                         ENTREPOT_ADMIN_PASSWORD="weak")
        self.assertNotEqual(done.returncode, 0)

    def test_without_a_password_one_is_generated_and_printed_once(self):
        server = self.own_server(environment={"ENTREPOT_ADMIN_PASSWORD": ""})
        first = server.log_path.read_text()
        self.assertIn("admin", first)
        words = {word.strip("'\"`.,;()") for word in first.split()}
        works = [word for word in words if 8 <= len(word) <= 128 and
                 self.client(server, password=word).raw("GET", "/v2/", headers={
                     "Authorization": self.client(server, password=word).basic()}).status == 200]
        self.assertEqual(len(works), 1, first)
        server.stop()
        server.start()
        self.assertEqual(server.log_path.read_text().count(works[0]), first.count(works[0]))
        self.assertNotIn(PASSWORD, first)
