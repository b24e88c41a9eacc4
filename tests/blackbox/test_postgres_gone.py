"""PostgreSQL is stopped, or frozen, under a running server and comes back; two instances share one database and one
storage root: an upload begun on one is finished on the other, and what one is told the other knows at once."""
import http.client
import os
import pathlib
import signal
import threading
import time
import unittest

from support import settings
from support.postgres import Postgres
from support.registry import OCI_CONFIG, OCI_MANIFEST, descriptor, digest_of
from support.scenario import Scenario
from support.server import wait_until

REFUSED_WITHIN = 5   # seconds, by the contract; the tests allow a busy machine some more
BACK_WITHIN = 10
LENIENCE = 4
MASTER_KEY = "5a" * 32  # shared by all instances


def manifest(mark, config=b"{}"):
    return (b'{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[],"annotations":{"mark":"%s"}}' % (
        OCI_MANIFEST.encode(), str(descriptor(OCI_CONFIG, config)).replace("'", '"').encode(), mark.encode()))


class OnPostgres(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Postgres().start()
        cls.addClassCleanup(cls.cluster.close)

    def setUp(self):
        super().setUp()
        self.database = self.cluster.fresh_database()

    def instance(self, name):
        return self.own_server(data=self.work / name, database=self.database, environment={
            "ENTREPOT_STORAGE_ROOT": str(self.work / "blobs"), "ENTREPOT_AUTH_MASTER_KEY": MASTER_KEY})


@unittest.skipIf(settings.foreign, "needs a server of its own")
class Gone(OnPostgres):
    def setUp(self):
        super().setUp()
        self.server = self.instance("one")
        self.registry = self.client(self.server)
        self.registry.push_blob("library/app", b"{}")
        self.pushed = self.registry.push_image("library/app", "1", b"layer")
        self.assertEqual(self.registry.pull_image("library/app", "1"), self.pushed)
        self.location = self.registry.expect(202, "POST", "/v2/library/app/blobs/uploads/").headers["Location"]

    def requests(self):
        """Everything that can't be done without the database."""
        blob = self.random.randbytes(1000)
        return [("GET", "/v2/library/app/tags/list", b""),
                ("GET", "/v2/library/app/manifests/1", b""),
                ("GET", f"/v2/library/app/referrers/{self.pushed}", b""),
                ("GET", "/v2/_catalog", b""),
                ("PUT", "/v2/library/app/manifests/2", manifest("two")),
                ("DELETE", "/v2/library/app/manifests/1", b""),
                ("DELETE", f"/v2/library/app/blobs/{digest_of(b'layer')}", b""),
                ("POST", "/v2/library/app/blobs/uploads/", b""),
                ("POST", f"/v2/library/app/blobs/uploads/?digest={digest_of(blob)}", blob),
                ("POST", f"/v2/library/new/blobs/uploads/?mount={self.pushed}&from=library/app", b""),
                ("GET", self.location, b""),
                ("PATCH", self.location, blob),
                ("PUT", f"{self.location}?digest={digest_of(blob)}", blob),
                ("DELETE", self.location, b""),
                ("POST", "/v2/unheard/of/blobs/uploads/", b"")]

    def ask(self, method, path, body, answers):
        """One request on its own connection, with a password that has been seen before."""
        connection = http.client.HTTPConnection(self.server.host, timeout=60)
        start = time.monotonic()
        try:
            connection.request(method, path, body, {"Authorization": self.registry.basic(), "Content-Type": OCI_MANIFEST})
            response = connection.getresponse()
            response.read()
            answers.append((method, path, response.status, response.headers["Retry-After"], time.monotonic() - start))
        except OSError as error:
            answers.append((method, path, repr(error), None, time.monotonic() - start))
        finally:
            connection.close()

    def all_are_refused_in_time(self):
        answers = []
        # All at once: none may wait behind the others' time limits.
        threads = [threading.Thread(target=self.ask, args=(*request, answers)) for request in self.requests()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wrong = [answer for answer in answers
                 if answer[2] != 503 or not answer[3] or answer[4] > REFUSED_WITHIN + LENIENCE]
        self.assertEqual(wrong, [], "503 with Retry-After was due within 5 s")
        self.assertEqual(self.server.status("/healthz"), 200)
        wait_until(lambda: self.server.status("/readyz") == 503, REFUSED_WITHIN + LENIENCE, "/readyz says 503")
        self.assertIsNone(self.server.process.poll())

    def works_again(self):
        def done():
            answers = []
            self.ask("PUT", "/v2/library/app/manifests/back", manifest("back"), answers)
            return answers[0][2] == 201
        wait_until(done, BACK_WITHIN + LENIENCE, "a manifest is taken within 10 s after the database is back")
        wait_until(lambda: self.server.status("/readyz") == 200, BACK_WITHIN + LENIENCE, "/readyz")
        self.assertEqual(self.registry.pull_image("library/app", "1"), self.pushed)
        self.registry.push_image("library/app", "3", b"another layer")

    def test_stopped_and_started(self):
        self.cluster.stop("immediate")
        try:
            self.all_are_refused_in_time()
            self.all_are_refused_in_time()
        finally:
            self.cluster.start()
        self.works_again()

    def test_stopped_cleanly_for_a_moment_only(self):
        for _ in range(3):
            self.cluster.stop("fast")
            self.cluster.start()
            self.works_again()

    def frozen(self):
        first = int(pathlib.Path(self.cluster.home, "data/postmaster.pid").read_text().split()[0])
        children = pathlib.Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def test_frozen_and_thawed(self):
        """It takes connections and says nothing: worse than being gone."""
        processes = self.frozen()
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            self.all_are_refused_in_time()
        finally:
            for process in reversed(processes):
                os.kill(process, signal.SIGCONT)
        self.works_again()

    def test_sigterm_while_it_is_gone(self):
        self.cluster.stop("immediate")
        self.addCleanup(self.cluster.start)
        self.server.status("/readyz")
        self.assertEqual(self.server.stop(), 0)


@unittest.skipIf(settings.foreign, "needs servers of its own")
class TwoInstances(OnPostgres):
    def setUp(self):
        super().setUp()
        self.servers = [self.instance("one"), self.instance("two")]
        self.one, self.two = (self.client(server) for server in self.servers)

    def test_an_upload_goes_on_at_the_other_instance(self):
        data = self.random.randbytes(5 << 20)
        location = self.one.expect(202, "POST", "/v2/library/app/blobs/uploads/").headers["Location"]
        # Each part goes to the other one: nothing of the upload may live in one process.
        step = 700_000
        for number, start in enumerate(range(0, len(data), step)):
            part = data[start:start + step]
            registry = (self.one, self.two)[number % 2]
            self.assertEqual(registry.expect(202, "PATCH", location, part, {
                "Content-Range": f"{start}-{start + len(part) - 1}"}).headers["Range"], f"0-{start + len(part) - 1}")
        self.two.expect(201, "PUT", f"{location}?digest={digest_of(data)}")
        for registry in (self.one, self.two):
            self.assertEqual(registry.pull_blob("library/app", digest_of(data)), data)
            registry.expect(404, "GET", location)

    def test_an_upload_survives_the_instance_it_began_on(self):
        data = self.random.randbytes(1 << 20)
        location = self.one.expect(202, "POST", "/v2/library/app/blobs/uploads/").headers["Location"]
        self.one.expect(202, "PATCH", location, data[:600_000])
        self.servers[0].kill()
        self.assertEqual(self.two.expect(204, "GET", location).headers["Range"], "0-599999")
        self.two.expect(201, "PUT", f"{location}?digest={digest_of(data)}", data[600_000:])
        self.assertEqual(self.two.pull_blob("library/app", digest_of(data)), data)

    def test_two_writers_of_one_upload_never_mix_their_bytes(self):
        mine, other = self.random.randbytes(2 << 20), self.random.randbytes(2 << 20)
        location = self.one.expect(202, "POST", "/v2/library/app/blobs/uploads/").headers["Location"]
        answers = []

        def append(registry, data):
            answers.append((registry.request("PATCH", location, data, {"Content-Range": f"0-{len(data) - 1}"}).status, data))
        for registry in (self.one, self.two):
            registry.request("GET", location)  # has its token
        threads = [threading.Thread(target=append, args=pair) for pair in ((self.one, mine), (self.two, other))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [data for status, data in answers if status == 202]
        self.assertLessEqual(len(won), 1, answers)
        self.assertLessEqual({status for status, _ in answers}, {202, 409, 416, 404, 503})
        for data in won:
            self.two.expect(201, "PUT", f"{location}?digest={digest_of(data)}")
            self.assertEqual(self.one.pull_blob("library/app", digest_of(data)), data)

    def test_what_one_is_told_the_other_knows_at_once(self):
        self.one.push_blob("library/app", b"{}")
        for number in range(30):
            writer, reader = (self.one, self.two) if number % 2 else (self.two, self.one)
            data = manifest(f"number {number}")
            writer.push_manifest("library/app", "moving", data)
            answer = reader.expect(200, "GET", "/v2/library/app/manifests/moving")
            self.assertEqual(answer.body, data)
        self.one.expect(202, "DELETE", "/v2/library/app/manifests/moving")
        self.two.expect(404, "GET", "/v2/library/app/manifests/moving")
        self.two.expect(202, "DELETE", f"/v2/library/app/manifests/{digest_of(data)}")
        self.one.expect(404, "GET", f"/v2/library/app/manifests/{digest_of(data)}")

    def test_a_deleted_blob_is_gone_at_the_other_instance_too(self):
        data = self.random.randbytes(1000)
        digest = self.one.push_blob("library/app", data)
        for registry in (self.one, self.two):
            self.assertEqual(registry.pull_blob("library/app", digest), data)
        self.one.expect(202, "DELETE", f"/v2/library/app/blobs/{digest}")
        self.two.expect(404, "GET", f"/v2/library/app/blobs/{digest}")

    def test_a_token_of_one_opens_the_other(self):
        self.one.push_image("library/app", "1", b"layer")
        self.two._tokens = dict(self.one._tokens)
        self.two.token = lambda challenge: self.fail("the token of one instance was refused by the other")
        self.one.expect(200, "GET", "/v2/library/app/tags/list")
        self.two._tokens = dict(self.one._tokens)
        self.two.expect(200, "GET", "/v2/library/app/tags/list")


if __name__ == "__main__":
    unittest.main()
