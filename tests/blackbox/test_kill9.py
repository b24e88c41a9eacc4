"""The server is killed with SIGKILL at seeded random moments under mixed load, and started again on the same data:
everything it acknowledged is whole, everything deleted stays deleted, uploads go on where they stood.

Ten rounds by default, two hundred in `make soak` (ENTREPOT_KILL_ROUNDS says otherwise), where every kind of operation
has to be killed at least 20 times between its request and its acknowledgement. tests/crash/ holds load and proof."""
import collections
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time
import unittest
import uuid

from support import settings
from support.registry import Registry, digest_of
from support.scenario import Scenario
from support.server import PASSWORD, Server, wait_until

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from crash.load import KINDS, Login, Worker  # noqa: E402  (its folder is on the path only now)
from crash.record import Contents  # noqa: E402
from crash.verify import Check, check_database  # noqa: E402
from crash.wire import Killer  # noqa: E402

ROUNDS = int(os.environ.get("ENTREPOT_KILL_ROUNDS", "200" if settings.soak else "10"))
LEAST_PER_KIND = 20 if settings.soak else 0
MOST_EXTRA_ROUNDS = 200
WORKERS = 8
ROUNDS_PER_DATA = 20
WITH_BODY = ("patch", "put", "put_whole", "single_post")


class Generation:
    """A data directory with its server, its contents and its workers."""

    def __init__(self, seed, work):
        self.data = work / f"data-{seed}"
        self.server = Server(data=self.data).start()
        self.contents = Contents(seed)
        project = "k" + uuid.uuid4().hex[:8]
        names = [f"{project}/r{number}" for number in range(WORKERS)]
        client = Registry(self.server.host)
        login = Login(client.raw("GET", "/v2/").headers["WWW-Authenticate"], "admin", PASSWORD)
        client.close()
        self.workers = [Worker(name, self.contents, login, random.Random(f"{seed}/{name[-1]}")) for name in names]
        for worker in self.workers:
            worker.others = [name for name in names if name != worker.repository.name]

    def restart(self):
        start = time.monotonic()
        self.server.start()
        return time.monotonic() - start

    def verify(self, source, finish_uploads):
        check = Check(self.server.host, self.contents, source)
        for worker in self.workers:
            check.worker(worker, finish_uploads)
        check.close()
        return check

    def close(self):
        """A clean stop changes nothing either."""
        code = self.server.stop()
        self.server.start()
        self.verify(random.Random(0), False)
        self.server.close()
        shutil.rmtree(self.data, ignore_errors=True)
        if code:
            raise AssertionError(f"SIGTERM ended the server with {code}")


class Kill9(Scenario):
    def test_everything_acknowledged_survives(self):
        source = random.Random(settings.seed)
        killed = collections.Counter({kind: 0 for kind in KINDS})
        rounds = questions = resumed = acknowledged = 0
        slowest, generation = 0.0, None
        try:
            while rounds < ROUNDS or (min(killed[kind] for kind in KINDS) < LEAST_PER_KIND
                                      and rounds < ROUNDS + MOST_EXTRA_ROUNDS):
                if rounds % ROUNDS_PER_DATA == 0:
                    if generation:
                        generation.close()
                    generation = Generation(settings.seed * 1000 + rounds // ROUNDS_PER_DATA, self.work)
                before = sum(worker.acknowledged for worker in generation.workers)
                try:
                    slowest = max(slowest, self.round(generation, source, rounds, killed))
                    check = generation.verify(source, finish_uploads=True)
                except AssertionError as error:
                    raise AssertionError(f"round {rounds} of seed {settings.seed}: {error}") from error
                questions, resumed = questions + check.questions, resumed + check.resumed
                acknowledged += sum(worker.acknowledged for worker in generation.workers) - before
                rounds += 1
            generation.close()
        finally:
            if generation and generation.server.process.poll() is None:
                generation.server.kill()
            print(f"{rounds} kills, {acknowledged} operations acknowledged before them, {questions} questions after, "
                  f"{resumed} uploads resumed, slowest restart {slowest:.2f} s; killed within their acknowledgement: "
                  + ", ".join(f"{kind} {killed[kind]}" for kind in KINDS), flush=True)
        for kind in KINDS:
            self.assertGreaterEqual(killed[kind], LEAST_PER_KIND, kind)

    def round(self, generation, source, number, killed):
        """Load, kill, restart; returns the seconds until ready."""
        kind = None if number % 4 == 0 else min(KINDS, key=lambda each: (killed[each], source.random()))
        killer = Killer(generation.server.process.kill, kind, after=source.uniform(0.1, 0.8),
                        delay=source.choice((0, 0, 0.0002, 0.001, 0.003, 0.01)),
                        in_body=kind in WITH_BODY and source.random() < 0.4)
        for worker in generation.workers:
            worker.start(generation.server.host, killer, killed)
        # A kind that can't be done at the moment is given up after a while.
        killer.done.wait(source.uniform(0.05, 1.2) if kind is None else 4)
        killer.strike()
        generation.server.process.wait()
        for worker in generation.workers:
            worker.join()
        if not settings.database:
            check_database(generation.data)
        return generation.restart()


@unittest.skipIf(settings.foreign, "needs a server of its own")
@unittest.skipIf(settings.database, "aims at SQLite's log")
class KilledAtASystemCall(Scenario):
    """strace kills the server as it enters a chosen system call: the moments that chance seldom meets."""

    # Of a large upload's end: data synced, file named, name synced; the database's log written and synced.
    LOG = "entrepot.db-wal"
    LARGE = (("fdatasync", ""), ("renameat", ""), ("fsync", ""), ("pwrite64", LOG), ("fdatasync", LOG))
    SMALL = (("pwrite64", ""), ("fdatasync", ""), ("renameat", ""), ("pwrite64", LOG), ("fdatasync", LOG))

    def arm(self, server, call, file):
        process = server.pid()
        only = ["-P", str(server.data / file)] if file else []
        strace = subprocess.Popen(["strace", "-f", "-p", str(process), "-o", "/dev/null", *only, "-e", f"trace={call}",
                                   "-e", f"inject={call}:signal=SIGKILL:when=1"], stderr=subprocess.DEVNULL)
        self.addCleanup(strace.wait)
        self.addCleanup(strace.terminate)

        def attached():
            return all("TracerPid:\t0" not in (task / "status").read_text()
                       for task in pathlib.Path(f"/proc/{process}/task").iterdir())
        wait_until(attached, 20, "strace has attached to every thread")

    def test_an_upload_killed_at_any_step_of_its_end_can_be_finished(self):
        server = self.own_server()
        for call, file in self.LARGE:
            with self.subTest(f"{call} {file}"):
                data = self.random.randbytes(300_000)
                path = f"{self.project}/killed/blobs"
                client = self.client(server)
                location = client.expect(202, "POST", f"/v2/{path}/uploads/").headers["Location"]
                client.expect(202, "PATCH", location, data[:100_000])
                self.arm(server, call, file)
                with self.assertRaises(OSError):
                    client.expect(201, "PUT", f"{location}?digest={digest_of(data)}", data[100_000:])
                server.process.wait(20)
                server.start()
                again = self.client(server)
                status = again.request("GET", location)
                if status.status != 404:  # else its last transaction was complete, and the blob is there
                    self.assertEqual(status.headers["Range"], "0-99999")
                    again.expect(201, "PUT", f"{location}?digest={digest_of(data)}", data[100_000:])
                self.assertEqual(again.pull_blob(f"{self.project}/killed", digest_of(data)), data)

    def test_a_small_blob_and_a_manifest_killed_at_any_step_are_there_or_not(self):
        server = self.own_server()
        self.client(server).push_image(f"{self.project}/killed", "first", b"layer")
        for call, file in self.SMALL:
            with self.subTest(f"{call} {file}"):
                data = self.random.randbytes(3000)
                client = self.client(server)
                client.push_image(f"{self.project}/killed", "second", b"layer")
                self.arm(server, call, file)
                with self.assertRaises(OSError):
                    client.push_blob(f"{self.project}/killed", data)
                    client.push_image(f"{self.project}/killed", "third", data)
                server.process.wait(20)
                server.start()
                again = self.client(server)
                again.pull_image(f"{self.project}/killed", "second")
                if again.request("GET", f"/v2/{self.project}/killed/manifests/third").status == 200:
                    again.pull_image(f"{self.project}/killed", "third")
                pushed = again.push_image(f"{self.project}/killed", "third", data)
                self.assertEqual(again.pull_image(f"{self.project}/killed", "third"), pushed)


if __name__ == "__main__":
    unittest.main()
