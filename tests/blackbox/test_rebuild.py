"""The database is lost and there is no backup: the index that lies beside the blobs brings it back, with what was pushed
since its last snapshot, also where its own files are torn or damaged. Killed in the middle, it is run again."""
import json
import shutil
import signal
import time
import unittest

from support import settings
from support.api import Api, encoded_twice
from support.receiver import Receiver
from support.scenario import Scenario, root_only, run
from support.server import PASSWORD, wait_until
from test_backup import INCOMPLETE, OWN, data_of, entrepot, started

NEVER = {"ENTREPOT_INDEX_EVERY": "366d"}
OFTEN = {"ENTREPOT_INDEX_EVERY": "1s"}


@unittest.skipIf(settings.foreign, "about our own program")
class Rebuild(Scenario):
    def begin(self, environment):
        self.server = self.own_server(environment=environment)
        self.registry = self.client(self.server)
        self.api = Api(self.server.host)
        self.addCleanup(self.api.close)
        self.wanted = {}  # repository to tags to digests
        return self.server

    def push(self, repository, tag, size=50_000):
        digest = self.registry.push_image(repository, tag, self.random.randbytes(size), b"small " + tag.encode())
        self.wanted.setdefault(repository, {})[tag] = digest
        return digest

    def delete(self, repository, reference):
        self.registry.expect(202, "DELETE", f"/v2/{repository}/manifests/{reference}")
        tags = self.wanted[repository]
        for tag in [tag for tag, digest in tags.items() if reference in (tag, digest)]:
            del tags[tag]

    def rename(self, project, name, into):
        self.api.expect(200, "POST", f"/projects/{project}/repositories/{encoded_twice(name)}/rename", {"name": into})
        self.wanted[f"{project}/{into}"] = self.wanted.pop(f"{project}/{name}")

    @property
    def index(self):
        return self.server.data / "blobs/index"

    def snapshots(self):
        return sorted((self.index / "backups").glob("*.json")) if (self.index / "backups").is_dir() else []

    def segments(self):
        return sorted((self.index / "journal").glob("*.log"), key=lambda path: int(path.stem))

    def metric(self, name):
        text = Api(self.server.host).request("GET", "/metrics", base="").body.decode()
        return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + " ")))

    def wait_for_journal(self):
        """Until the journal has all that has happened."""
        def is_there():
            return self.metric("entrepot_index_lag") == 0 and self.metric("entrepot_index_writer") == 1
        time.sleep(1.1)  # the log's own second
        wait_until(is_there, 20, "the journal is written")

    def snapshot_now(self):
        """A server that takes them often for a moment, then one that doesn't."""
        before = self.snapshots()
        self.again(OFTEN)
        wait_until(lambda: self.snapshots()[-1:] != before[-1:], 30, "a snapshot is taken")
        self.again(NEVER)

    def again(self, environment):
        self.server.stop()
        self.server.environment = environment
        self.start()

    def start(self):
        self.server.start()
        self.registry = self.client(self.server)

    def lose_database(self):
        if self.server.database:
            from support.postgres import shared_cluster
            self.server.database = shared_cluster().fresh_database()
        for path in self.server.data.glob("entrepot.db*"):
            path.unlink()

    def rebuild(self, code=0, environment=None):
        done = run(settings.binary, "rebuild-index", *data_of(self.server), check=False, env={**OWN, **(environment or {})})
        self.told = done.stdout + done.stderr
        self.assertEqual(done.returncode, code, self.told)
        return self.told

    def check(self):
        self.server.start()
        client = self.client(self.server)
        for repository, tags in self.wanted.items():
            answer = client.request("GET", f"/v2/{repository}/tags/list?n=1000")
            there = set(answer.json().get("tags") or []) if answer.status == 200 else set()
            self.assertEqual(there, set(tags), f"{repository}\n{self.told}")
            for tag, digest in tags.items():
                self.assertEqual(client.pull_image(repository, tag), digest)
                self.assertEqual(client.pull_image(repository, digest), digest)
        catalog = set(client.expect(200, "GET", "/v2/_catalog?n=10000").json()["repositories"])
        self.assertEqual(catalog, {repository for repository, tags in self.wanted.items() if tags}, self.told)
        return client

    def some_history(self):
        """Of all kinds, half of it before a snapshot."""
        for number in range(4):
            self.push("library/app", f"v{number}")
        gone = self.push("library/app", "gone")
        self.push("library/old/name", "1")
        self.push("library/whole", "1")
        self.api.made("/projects", {"project_name": "shop", "metadata": {"public": "true"}})
        self.push("shop/web", "1")
        self.snapshot_now()
        self.delete("library/app", gone)
        self.push("library/app", "v1")  # moves
        self.registry.expect(202, "DELETE", "/v2/library/app/manifests/v2")
        self.digest_of_v2 = self.wanted["library/app"].pop("v2")
        self.push("library/app", "v9")
        self.api.expect(201, "POST", "/projects/library/repositories/app/artifacts/v9/tags", {"name": "latest"})
        self.wanted["library/app"]["latest"] = self.wanted["library/app"]["v9"]
        self.rename("library", "old/name", "new/name")
        self.push("library/new/name", "2")
        self.api.delete("/projects/library/repositories/whole")
        del self.wanted["library/whole"]
        self.push("library/whole", "again")
        self.api.made("/projects", {"project_name": "late", "metadata": {"public": "true"}})
        self.push("late/one", "1")
        self.api.made("/projects", {"project_name": "short"})
        self.push("short/lived", "1")
        self.api.delete("/projects/short/repositories/lived")
        del self.wanted["short/lived"]
        self.api.delete("/projects/short")

    def test_all_that_was_pushed_comes_back(self):
        self.begin(NEVER)
        self.some_history()
        self.wait_for_journal()
        self.server.kill()
        self.lose_database()
        before = self.snapshots()[-1]
        self.assertIn("0 missing", self.rebuild())
        client = self.check()
        self.assertEqual(client.pull_image("library/app", self.digest_of_v2), self.digest_of_v2)
        api = Api(self.server.host)
        self.addCleanup(api.close)
        self.assertEqual(api.get("/projects/late")["metadata"]["public"], "true")
        api.get("/projects/short", status=404)
        # Life goes on, and the next loss finds what came since.
        self.registry = client
        self.push("library/app", "after")
        wait_until(lambda: self.metric("entrepot_index_gaps_total") == 1, 20, "a journal of its own begins")
        wait_until(lambda: self.snapshots()[-1] != before, 30, "its snapshot is taken")
        self.assertLessEqual(len(self.snapshots()), 3)
        self.push("late/one", "2")
        self.wait_for_journal()
        self.server.kill()
        self.lose_database()
        self.rebuild()
        self.check()

    def test_what_happened_is_not_told_again(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        environment = {**NEVER, "ENTREPOT_OUTBOUND_ALLOW": "127.0.0.0/8"}
        self.begin(environment)
        number = self.api.made("/projects/library/webhook/policies", {
            "name": "hook", "event_types": ["PUSH_ARTIFACT"],
            "targets": [{"type": "http", "address": receiver.url, "payload_format": "Default"}]})
        self.push("library/app", "1")
        # A delivery that had not ended by the snapshot is made again, as after any restart.
        executions = f"/projects/library/webhook/policies/{number}/executions"
        wait_until(lambda: [one["status"] for one in self.api.get(executions)] == ["Success"], 30, "the first push was told")
        self.snapshot_now()
        self.again(environment)
        self.push("library/app", "2")
        wait_until(lambda: len(receiver.deliveries) == 2, 30, "both pushes were told")
        self.wait_for_journal()
        self.server.kill()
        self.lose_database()
        self.rebuild()
        self.registry = self.check()
        self.push("library/app", "3")
        wait_until(lambda: len(receiver.deliveries) >= 3, 30, "the next push is told")
        tags = [json.loads(one.body)["event_data"]["resources"][0]["tag"] for one in receiver.deliveries]
        self.assertEqual(sorted(tags), ["1", "2", "3"])

    def test_without_a_snapshot_the_journal_alone_has_it(self):
        self.begin(NEVER)
        self.api.made("/projects", {"project_name": "shop"})
        for number in range(3):
            self.push("shop/web", f"v{number}")
        self.delete("shop/web", "v0")
        self.wait_for_journal()
        self.assertEqual(self.snapshots(), [])
        self.server.kill()
        self.lose_database()
        self.rebuild(code=INCOMPLETE, environment={"ENTREPOT_ADMIN_PASSWORD": PASSWORD})
        self.check()

    def test_a_torn_end_costs_what_was_in_it_and_damage_is_told(self):
        self.begin(NEVER)
        self.push("library/app", "1")
        self.snapshot_now()
        self.push("library/app", "2")
        self.wait_for_journal()
        self.push("library/app", "3")
        self.wait_for_journal()
        self.server.kill()
        kept = self.work / "kept"
        shutil.copytree(self.index, kept)
        last = self.segments()[-1]
        bytes_ = last.read_bytes()

        # The last record but the position says where the tag points.
        last.write_bytes(bytes_[:bytes_.rindex(b"EIX1", 0, bytes_.rindex(b"EIX1"))])
        self.lose_database()
        self.rebuild()
        wanted = dict(self.wanted["library/app"])
        self.wanted["library/app"].pop("3")
        self.check()
        self.server.stop()

        # A flipped bit in the middle: what is behind it is found.
        shutil.rmtree(self.index)
        shutil.copytree(kept, self.index)
        damaged = bytearray(bytes_)
        damaged[bytes_.index(b'"kind":"manifest"') + 30] ^= 4
        last.write_bytes(damaged)
        self.lose_database()
        self.assertIn("DAMAGED", self.rebuild(code=INCOMPLETE))
        self.wanted["library/app"] = {tag: digest for tag, digest in wanted.items() if tag != "2"}
        self.check()

    def test_a_damaged_snapshot_is_passed_over(self):
        self.begin(NEVER)
        self.push("library/app", "1")
        self.snapshot_now()
        self.push("library/app", "2")
        self.snapshot_now()
        self.push("library/app", "3")
        self.wait_for_journal()
        self.server.kill()
        newest = self.snapshots()[-1]
        newest.write_text(newest.read_text().replace('"rows"', '"raws"', 1))
        self.lose_database()
        self.assertIn(newest.stem, self.rebuild(code=INCOMPLETE))
        self.check()

    def test_missing_blobs_are_named_and_pushing_again_brings_them_back(self):
        self.begin(NEVER)
        self.push("library/app", "1", 100_000)
        self.push("library/app", "2", 100_000)
        self.wait_for_journal()
        self.snapshot_now()
        self.server.kill()
        blob = max((path for path in (self.server.data / "blobs/sha256").rglob("*") if path.is_file()),
                   key=lambda path: path.stat().st_size)
        content = blob.read_bytes()
        blob.unlink()
        self.lose_database()
        self.assertIn(f"MISSING: sha256:{blob.name}", self.rebuild(code=INCOMPLETE))
        self.server.start()
        client = self.client(self.server)
        client.expect(404, "GET", f"/v2/library/app/blobs/sha256:{blob.name}")
        client.push_blob("library/app", content)
        self.server.stop()
        self.check()

    def test_rules_and_quotas_of_the_snapshot_refuse_nothing_that_was_taken(self):
        self.begin(NEVER)
        project = self.api.made("/projects", {"project_name": "tight"})
        self.push("tight/app", "1", 1000)
        self.api.put(f"/quotas/{project}", {"hard": {"storage": 20_000}})
        rule = self.api.made("/projects/tight/immutabletagrules", {
            "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
            "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "**"}]})
        self.snapshot_now()
        self.api.put(f"/quotas/{project}", {"hard": {"storage": 2_000_000}})
        self.api.delete(f"/projects/tight/immutabletagrules/{rule}")
        self.push("tight/app", "1", 300_000)
        self.push("tight/app", "2", 300_000)
        self.delete("tight/app", "2")
        self.wait_for_journal()
        self.server.kill()
        self.lose_database()
        self.rebuild()
        self.check()

    @root_only
    def test_killed_in_the_middle_it_is_run_again(self):
        self.begin(NEVER)
        self.push("library/app", "first")
        self.snapshot_now()
        for number in range(150):
            self.push("library/app", f"v{number}", 2000)
        self.rename("library", "app", "moved")
        self.push("library/app2", "1")
        self.wait_for_journal()
        self.server.kill()
        self.lose_database()
        rounds = 0
        for wait in (0.15, 0.3, 0.4, 0.5, 0.6, 0.8):
            process = started("rebuild-index", *data_of(self.server))
            time.sleep(wait)
            if process.poll() is not None:
                process.communicate()
                break
            process.send_signal(signal.SIGKILL)
            process.communicate()
            if (self.server.data / "restore.unfinished").exists():
                rounds += 1
                self.server.start(ready=False)
                self.assertNotEqual(self.server.process.wait(30), 0, "a server starts on half a database")
        self.assertGreater(rounds, 0)
        if (self.server.data / "restore.unfinished").exists():
            self.rebuild()
        else:
            self.told = "the last run came to its end"
        self.check()

    def test_pushes_go_on_where_it_cannot_be_written_and_it_goes_on_afterwards(self):
        self.begin(NEVER)
        self.server.stop()
        shutil.rmtree(self.index, ignore_errors=True)  # it may have stopped before it wrote anything
        self.index.mkdir()
        (self.index / "journal").write_text("in the way")
        self.start()
        self.push("library/app", "1")
        wait_until(lambda: self.metric("entrepot_index_errors_total") >= 3, 20, "it fails")
        self.push("library/app", "2")
        self.assertEqual(self.server.log_path.read_text().count("the index beside the blobs"), 1, "it is said once")
        (self.index / "journal").unlink()
        self.wait_for_journal()
        self.server.kill()
        self.lose_database()
        self.rebuild(code=INCOMPLETE, environment={"ENTREPOT_ADMIN_PASSWORD": PASSWORD})  # there is no snapshot
        self.check()

    def test_without_an_index_it_says_what_can_be_done(self):
        self.begin({"ENTREPOT_INDEX_ENABLED": "false"})
        self.push("library/app", "1")
        time.sleep(2)
        self.assertFalse(self.index.exists())
        self.server.kill()
        self.lose_database()
        self.assertIn("Restore a backup", self.rebuild(code=1))

    def test_it_touches_no_database_that_is_there(self):
        self.begin(NEVER)
        self.push("library/app", "1")
        self.snapshot_now()
        self.wait_for_journal()
        self.rebuild(code=1)  # a server runs
        self.server.stop()
        self.rebuild(code=1)
        self.check()

    def test_a_backup_leaves_the_index_out(self):
        self.begin(NEVER)
        self.push("library/app", "1")
        self.snapshot_now()
        place = self.work / "backups"
        entrepot("backup", *data_of(self.server), "--to", place)
        self.assertTrue(self.snapshots())
        self.assertFalse(list(place.rglob("journal")))
        self.assertEqual(len(list((place / "backups").iterdir())), 1)


if __name__ == "__main__":
    unittest.main()
