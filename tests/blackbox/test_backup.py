"""A registry is kept while people push to it, and brought back elsewhere: every image of that moment can be pulled, people
and robots log in, the audit trail proves itself. Killed in the middle, neither leaves anything that could be taken for
whole; damage is found; and a registry moves from SQLite to PostgreSQL and back."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import threading
import time
import unittest

from support import settings
from support.api import Api
from support.registry import Registry, digest_of
from support.scenario import Scenario, root_only, run
from support.server import PASSWORD, Server, wait_until

OWN = {name: value for name, value in os.environ.items() if not name.startswith("ENTREPOT_")}
INCOMPLETE = 3


def entrepot(*words, code=0):
    done = run(settings.binary, *words, check=False, env=OWN, timeout=300)
    if done.returncode != code:
        raise AssertionError(f"{words} ended with {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return done


def started(*words):
    return subprocess.Popen([str(settings.binary), *map(str, words)], env=OWN, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def data_of(server):
    return ["--data", server.data, *(["--database", server.database] if server.database else [])]


def files_below(folder):
    return {path: path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file()}


@unittest.skipIf(settings.foreign, "about our own program")
class Backup(Scenario):
    def setUp(self):
        super().setUp()
        self.place = self.work / "backups"
        self.server = self.own_server()
        self.registry = self.client(self.server)

    def backup(self, *words, code=0, server=None):
        return entrepot("backup", *data_of(server or self.server), "--to", self.place, *words, code=code)

    def newest(self):
        return json.loads(max((self.place / "backups").iterdir()).read_text())

    def restored(self, database=None, words=(), code=0, start=True):
        """A server on what was restored; `database`: "" SQLite, None like the first server."""
        server = Server(data=self.work / f"restored{random.randrange(10**9)}")
        if database is not None:
            server.database = database
        self.addCleanup(server.close)
        done = entrepot("restore", *data_of(server), "--from", self.place, *words, code=code)
        self.told = done.stdout + done.stderr
        if start:
            shutil.copy(self.server.data / "master.key", server.data / "master.key")
            server.start()
        return server

    def other_database(self):
        """Of the engine that the first server does not use."""
        from support.postgres import shared_cluster
        return "" if self.server.database else shared_cluster().fresh_database()

    def push(self, tag, size=200_000, repository="library/app"):
        return self.registry.push_image(repository, tag, self.random.randbytes(size), b"small " + tag.encode())

    def test_everything_comes_back_elsewhere(self):
        images = {f"v{number}": self.push(f"v{number}") for number in range(5)}
        api = Api(self.server.host)
        self.addCleanup(api.close)
        api.made("/users", {"username": "anna", "password": "Somebody1", "email": "anna@example.org", "realname": "Anna"})
        robot = api.post("/robots", {"name": "ci", "level": "system", "duration": 5, "permissions": [
            {"kind": "project", "namespace": "library", "access": [{"resource": "repository", "action": "pull"}]}]}).json()
        self.backup()
        self.assertEqual(self.newest()["blobs"]["missing"], [])
        for database in (None, self.other_database()):
            with self.subTest(database=database):
                elsewhere = self.restored(database)
                client = self.client(elsewhere)
                for tag, digest in images.items():
                    self.assertEqual(client.pull_image("library/app", tag), digest)
                self.client(elsewhere, "anna", "Somebody1").expect(200, "GET", "/v2/")
                pulling = self.client(elsewhere, robot["name"], robot["secret"])
                self.assertEqual(pulling.pull_image("library/app", "v1"), images["v1"])
                again = client.push_image("library/app", "v9", self.random.randbytes(1000))
                self.assertEqual(client.pull_image("library/app", "v9"), again)
                elsewhere.stop()
                proof = entrepot("audit", "verify", *data_of(elsewhere))
                self.assertIn("proven", proof.stdout)

    def test_pushes_go_on_and_what_was_pushed_before_is_in_it(self):
        first = {f"v{number}": self.push(f"v{number}", 3_000_000) for number in range(4)}
        stop, pushed, wrong = threading.Event(), [], []

        def keep_pushing():
            client = Registry(self.server.host, password=PASSWORD)
            data = random.Random(2)
            try:
                while not stop.is_set():
                    tag = f"w{len(pushed)}"
                    pushed.append((tag, client.push_image("library/busy", tag, data.randbytes(50_000)), time.time()))
            except Exception as failure:  # noqa: BLE001 - the thread's verdict
                wrong.append(failure)
            client.close()

        pusher = threading.Thread(target=keep_pushing)
        pusher.start()
        try:
            wait_until(lambda: len(pushed) > 20 or wrong, 60, "pushes")
            before = len(pushed)
            self.backup()
            during = len(pushed) - before
        finally:
            stop.set()
            pusher.join()
        self.assertEqual(wrong, [])
        self.assertGreater(during, 0, "pushes stood still")
        moment = self.newest()["started_at"] / 1e6
        elsewhere = self.client(self.restored())
        for tag, digest in first.items():
            self.assertEqual(elsewhere.pull_image("library/app", tag), digest)
        there = set(elsewhere.expect(200, "GET", "/v2/library/busy/tags/list?n=100000").json()["tags"])
        for tag, digest, at in pushed:
            if at < moment:
                self.assertIn(tag, there)
            if tag in there:
                self.assertEqual(elsewhere.pull_image("library/busy", tag), digest)

    def test_a_second_one_writes_only_what_is_new(self):
        for number in range(3):
            self.push(f"v{number}", 500_000)
        self.backup()
        before = files_below(self.place)
        self.push("new", 300_000)
        self.backup()
        fresh = {path: size for path, size in files_below(self.place).items() if path not in before}
        blobs = sum(size for path, size in fresh.items() if "blobs" in path.parts)
        self.assertGreaterEqual(blobs, 300_000)
        self.assertLess(blobs, 310_000)
        self.assertLess(sum(fresh.values()) - blobs, 200_000, fresh)
        listed = entrepot("backup", "list", "--from", self.place).stdout.splitlines()
        self.assertEqual(len(listed), 2)
        entrepot("backup", "verify", "--from", self.place)
        entrepot("backup", "prune", "--from", self.place, "--keep", "1")
        entrepot("backup", "verify", "--from", self.place)
        self.client(self.restored()).pull_image("library/app", "v0")

    def test_killed_in_the_middle_it_is_no_backup_and_the_next_one_is_whole(self):
        image = self.push("v1", 20_000_000)
        for _ in range(4):
            self.push("more", 5_000_000)
        running = 0
        for pause in (0.02, 0.05, 0.1, 0.2, 0.4):
            command = started("backup", *data_of(self.server), "--to", self.place)
            time.sleep(pause)
            running += command.poll() is None
            command.send_signal(signal.SIGKILL)
            command.communicate()
            for one in (self.place / "backups").glob("*") if (self.place / "backups").exists() else ():
                json.loads(one.read_text())
        self.assertGreater(running, 0)
        self.backup()
        entrepot("backup", "verify", "--from", self.place)
        self.assertEqual(self.client(self.restored()).pull_image("library/app", "v1"), image)

    def test_no_server_starts_on_a_restore_that_was_killed_and_it_goes_on(self):
        image = self.push("v1", 20_000_000)
        for number in range(6):
            self.push(f"more{number}", 10_000_000)
        self.backup()
        elsewhere = Server(data=self.work / "elsewhere")
        self.addCleanup(elsewhere.close)
        words = ["restore", *data_of(elsewhere), "--from", self.place]
        killed = 0
        for pause in (0.05, 0.1, 0.15, 0.2, 0.3):
            command = started(*words)
            time.sleep(pause)
            alive = command.poll() is None
            command.send_signal(signal.SIGKILL)
            said, _ = command.communicate()
            if not alive:
                self.assertEqual(command.returncode, 0, said)
                break
            if not (elsewhere.data / "restore.unfinished").exists():
                continue
            killed += 1
            elsewhere.start(ready=False)
            self.assertEqual(elsewhere.process.wait(timeout=30), 1)
            self.assertIn("a restore into", elsewhere.log_tail())
        self.assertGreater(killed, 0)
        if (elsewhere.data / "restore.unfinished").exists():
            entrepot(*words)
        shutil.copy(self.server.data / "master.key", elsewhere.data / "master.key")
        elsewhere.start()
        self.assertEqual(self.client(elsewhere).pull_image("library/app", "v1"), image)

    def test_damage_is_found_by_name(self):
        layer = self.random.randbytes(100_000)
        self.registry.push_image("library/app", "v1", layer)
        self.backup()
        entrepot("backup", "verify", "--from", self.place)
        blob = self.place / "blobs/sha256" / digest_of(layer)[7:9] / digest_of(layer)[7:]
        chunk = max((self.place / "chunks").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
        for path, name in ((blob, digest_of(layer)), (chunk, chunk.name)):
            with self.subTest(path=path):
                whole = path.read_bytes()
                path.write_bytes(whole[:50] + bytes([whole[50] ^ 4]) + whole[51:])
                said = entrepot("backup", "verify", "--from", self.place, code=INCOMPLETE).stdout
                self.assertIn(name, said)
                server = self.restored(code=1, start=False)
                self.assertIn("damaged", self.told)
                self.assertFalse((server.data / "entrepot.db").exists())
                path.write_bytes(whole)
        stored = self.server.data / "blobs/sha256" / digest_of(layer)[7:9] / digest_of(layer)[7:]
        stored.write_bytes(b"x" + stored.read_bytes()[1:])
        shutil.rmtree(self.place)
        said = self.backup(code=INCOMPLETE)
        self.assertIn(digest_of(layer), said.stderr)
        self.restored(code=1, start=False)
        elsewhere = self.restored(words=("--without-missing",), code=INCOMPLETE)
        self.client(elsewhere).expect(200, "GET", "/v2/library/app/manifests/v1")

    def test_from_one_engine_to_the_other_and_back(self):
        images = {f"v{number}": self.push(f"v{number}") for number in range(3)}
        self.backup()
        other = self.restored(self.other_database())
        images["there"] = self.client(other).push_image("library/app", "there", self.random.randbytes(1000))
        self.backup(server=other)
        back = self.restored()
        for tag, digest in images.items():
            self.assertEqual(self.client(back).pull_image("library/app", tag), digest)

    def test_a_place_that_is_in_use_is_left_alone(self):
        image = self.push("v1")
        self.backup()
        said = entrepot("restore", *data_of(self.server), "--from", self.place, code=1)
        self.assertIn("in use", said.stderr)
        self.server.stop()
        said = entrepot("restore", *data_of(self.server), "--from", self.place, code=1)
        self.assertIn("empty", said.stderr)
        self.server.start()
        self.assertEqual(self.client(self.server).pull_image("library/app", "v1"), image)

    def test_metadata_alone_comes_back_beside_its_blobs(self):
        image = self.push("v1")
        self.backup()
        self.server.stop()
        data = self.work / "rescued"
        data.mkdir()
        shutil.move(self.server.data / "blobs", data / "blobs")
        shutil.copy(self.server.data / "master.key", data / "master.key")
        server = Server(data=data)
        self.addCleanup(server.close)
        said = entrepot("restore", *data_of(server), "--from", self.place, "--metadata-only", "--verify")
        self.assertIn(" 0 of them copied; 0 missing", said.stdout)
        self.assertEqual(self.client(server.start()).pull_image("library/app", "v1"), image)

    def test_without_the_master_key_it_says_what_is_lost(self):
        image = self.push("v1")
        self.backup()
        self.assertFalse(list(self.place.rglob("master.key")))
        data = self.work / "keyless"
        server = Server(data=data)
        self.addCleanup(server.close)
        said = entrepot("restore", *data_of(server), "--from", self.place)
        self.assertIn("the master key is not there", said.stderr)
        self.assertIn(self.newest()["master_key"], said.stderr)
        server.start(ready=False)
        self.assertEqual(server.process.wait(timeout=30), 1, "its signing keys can't be read")
        lost = Server(data=self.work / "lost")
        self.addCleanup(lost.close)
        entrepot("restore", *data_of(lost), "--from", self.place, "--without-keys")
        self.assertEqual(self.client(lost.start()).pull_image("library/app", "v1"), image)
        shutil.rmtree(self.place)
        self.backup("--with-keys")
        kept = Server(data=self.work / "kept")
        self.addCleanup(kept.close)
        entrepot("restore", *data_of(kept), "--from", self.place)
        self.assertEqual((kept.data / "master.key").read_bytes(), (self.server.data / "master.key").read_bytes())
        self.assertEqual(self.client(kept.start()).pull_image("library/app", "v1"), image)

    def test_the_server_knows_when_the_last_one_was(self):
        name = "entrepot_backup_last_success_timestamp_seconds"
        api = Api(self.server.host)
        self.addCleanup(api.close)

        def last():
            text = api.request("GET", "/metrics", base="").body.decode()
            return float(next(line.split()[1] for line in text.splitlines() if line.startswith(name)))

        self.assertEqual(last(), 0)
        before = time.time()
        self.backup()
        wait_until(lambda: last() >= before, 60, "the metric")
        self.server.stop()
        self.server.start()
        self.assertGreaterEqual(last(), before)

    @root_only
    def test_a_full_disk_is_a_clear_error(self):
        small = self.work / "small"
        small.mkdir()
        run("mount", "-t", "tmpfs", "-o", f"size={4 << 20}", "entrepot-test", small)
        self.addCleanup(run, "umount", "-l", small)
        self.push("v1", 8_000_000)
        said = entrepot("backup", *data_of(self.server), "--to", small / "backups", code=1)
        self.assertIn("full", said.stderr)
        self.assertFalse(list((small / "backups").glob("backups/*")))
        self.backup()
        said = entrepot("restore", "--data", small / "data", "--from", self.place, code=1)
        self.assertIn("full", said.stderr)
        self.assertFalse((small / "data/entrepot.db").exists())
