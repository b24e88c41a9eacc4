"""An operator has the blob store scrubbed: what rotted is moved aside and fetched from another registry, what is missing
comes back with the next push, orphans go when they are old enough, and who pushes meanwhile loses nothing."""
import json
import os
import pathlib
import random
import threading
import time
import unittest

from support import settings
from support.api import Api
from support.registry import digest_of
from support.scenario import Scenario, run
from support.server import PASSWORD, Server, wait_until

SOON = {"ENTREPOT_GC_LEASE": "1s", "ENTREPOT_GC_GRACE": "0s", "ENTREPOT_GC_UNTAGGED_AFTER": "0s"}
ENDS = ("Success", "Error", "Stopped")
HOURS = 3600


@unittest.skipIf(settings.foreign, "needs a server of its own")
class Scrub(Scenario):
    def start(self, **environment):
        self.server = self.own_server(environment={**SOON, **environment})
        self.api = Api(self.server.host)
        self.addCleanup(lambda: self.api.close())
        self.registry = self.client(self.server)
        return self.server

    def begin(self, **parameters):
        return self.api.made("/system/scrub/schedule", {"parameters": parameters, "schedule": {"type": "Manual"}})

    def ended(self, run, kind="scrub"):
        seen = {}

        def over():
            seen.update(self.api.get(f"/system/{kind}/{run}"))
            return seen["job_status"] in ENDS

        wait_until(over, 90, f"the {kind} {run} ends")
        log = self.api.request("GET", f"/system/{kind}/{run}/log").body
        self.assertEqual(seen["job_status"], "Success", log)
        return json.loads(seen["job_parameters"])

    def scrub(self, **parameters):
        return self.ended(self.begin(rate=1 << 30, **parameters))

    def collect(self):
        run = self.api.made("/system/gc/schedule", {"parameters": {}, "schedule": {"type": "Manual"}})
        return self.ended(run, "gc")

    def file_of(self, digest, server=None):
        algorithm, text = digest.split(":")
        return pathlib.Path((server or self.server).data) / "blobs" / algorithm / text[:2] / text

    def flip(self, digest):
        with open(self.file_of(digest), "r+b") as file:
            file.seek(1000)
            byte = file.read(1)[0]
            file.seek(1000)
            file.write(bytes([byte ^ 1]))

    def findings(self, **query):
        q = ",".join(f"{name}={value}" for name, value in query.items())
        return self.api.get("/system/scrub/findings", query={"page_size": 100, **({"q": q} if q else {})})

    def finding(self, digest):
        found = self.findings(subject=digest)
        self.assertEqual(len(found), 1, found)
        return found[0]

    def place(self, bytes_, age=0):
        """Bytes that no push has brought."""
        digest = digest_of(bytes_)
        file = self.file_of(digest)
        file.write_bytes(bytes_)
        then = time.time() - age
        os.utime(file, (then, then))
        return digest

    def test_a_flipped_bit_is_found_moved_aside_and_healed_from_another_registry(self):
        layer, small = self.random.randbytes(300_000), self.random.randbytes(2_000)
        with Server() as other:
            replica = self.client(other)
            password = self.work / "password"
            password.write_text(PASSWORD + "\n")
            self.start(ENTREPOT_SCRUB_REPLICA_URL=f"http://{other.host}", ENTREPOT_SCRUB_REPLICA_USER="admin",
                       ENTREPOT_SCRUB_REPLICA_PASSWORD_FILE=str(password))
            image = self.registry.push_image("library/app", "1", layer, small)
            self.assertEqual(replica.push_image("library/app", "1", layer, small), image)
            # Warm: the server has open what is about to rot.
            self.registry.pull_image("library/app", "1")
            self.assertEqual(self.scrub()["rotten"], 0)
            for blob in (layer, small):
                self.flip(digest_of(blob))
            done = self.scrub()
            self.assertEqual((done["rotten"], done["healed"]), (2, 2), done)
            for blob in (layer, small):
                self.assertEqual(self.file_of(digest_of(blob)).read_bytes(), blob)
                self.assertEqual(self.registry.pull_blob("library/app", digest_of(blob)), blob)
                seen = self.finding(digest_of(blob))
                self.assertEqual((seen["kind"], seen["state"]), ("rotten", "healed"))
            self.assertEqual(len(list((self.server.data / "blobs" / "quarantine").iterdir())), 2)
            self.assertEqual(self.registry.pull_image("library/app", "1"), image)
            # Nobody there any more: the blob stays lost, and is said to be.
            other.stop()
            self.flip(digest_of(layer))
            done = self.scrub()
            self.assertEqual((done["rotten"], done["healed"]), (1, 0), done)
            self.assertEqual(self.registry.request("GET", f"/v2/library/app/blobs/{digest_of(layer)}").status, 404)
            self.assertEqual(self.finding(digest_of(layer))["state"], "open")

    def test_a_lost_blob_is_missing_for_all_until_somebody_pushes_it_again(self):
        layer = self.random.randbytes(300_000)
        self.start()
        image = self.registry.push_image("library/app", "1", layer)
        self.registry.push_image("library/copy", "1", layer)
        digest = digest_of(layer)
        for damage in (lambda: self.file_of(digest).unlink(), lambda: self.flip(digest)):
            damage()
            done = self.scrub()
            self.assertEqual(done["missing"] + done["rotten"], 1, done)
            for name in ("app", "copy"):
                for method in ("HEAD", "GET"):
                    answer = self.registry.request(method, f"/v2/library/{name}/blobs/{digest}")
                    self.assertEqual(answer.status, 404)
            seen = self.finding(digest)
            self.assertEqual(seen["state"], "open")
            self.assertEqual(sorted(seen["repositories"]), ["library/app", "library/copy"])
            metrics = self.api.request("GET", "/metrics", base="").body.decode()
            self.assertIn("entrepot_scrub_verified_bytes_total", metrics)
            self.assertEqual(self.registry.push_image("library/app", "1", layer), image)
            self.assertEqual(self.finding(digest)["state"], "healed")
            for name in ("app", "copy"):
                self.assertEqual(self.registry.pull_blob(f"library/{name}", digest), layer)
        events = self.api.get("/events", query={"type": "blob.*", "limit": 100})
        self.assertEqual([event["type"] for event in events if event["digest"] == digest],
                         ["blob.damaged", "blob.healed"] * 2)

    def test_what_was_put_back_by_hand_is_found(self):
        layer = self.random.randbytes(300_000)
        self.start()
        image = self.registry.push_image("library/app", "1", layer)
        file = self.file_of(digest_of(layer))
        aside = file.rename(self.work / "aside")
        self.assertEqual(self.scrub(verify=False)["missing"], 1)
        aside.rename(file)
        self.assertEqual(self.scrub(verify=False)["missing"], 0)
        self.assertEqual(self.registry.pull_image("library/app", "1"), image)
        self.assertEqual(self.finding(digest_of(layer))["state"], "healed")

    def test_old_orphans_go_and_young_ones_stay(self):
        self.start()
        kept = self.registry.push_image("library/app", "1", self.random.randbytes(300_000))
        old = self.place(self.random.randbytes(5_000), age=48 * HOURS)
        young = self.place(self.random.randbytes(5_000), age=2 * HOURS)
        stray = self.server.data / "blobs" / "uploads" / ("0" * 32)
        stray.write_bytes(b"left behind")
        os.utime(stray, (0, 0))
        done = self.scrub()
        self.assertEqual((done["orphans"], done["stray_uploads"], done["too_young"]), (1, 1, 1), done)
        self.assertEqual({found["subject"] for found in self.findings(state="open")}, {old, "0" * 32})
        done = self.scrub(orphans="delete")
        self.assertEqual(done["deleted"], 2, done)
        self.collect()
        self.assertFalse(self.file_of(old).exists())
        self.assertFalse(stray.exists())
        self.assertTrue(self.file_of(young).exists())
        self.assertEqual(self.findings(state="open"), [])
        self.assertEqual(self.scrub(orphans="delete", min_age=HOURS)["deleted"], 1)
        self.collect()
        self.assertFalse(self.file_of(young).exists())
        self.assertEqual(self.registry.pull_image("library/app", "1"), kept)

    def test_orphans_are_adopted_by_those_whose_manifests_name_them_and_by_nobody_else(self):
        layer, other = self.random.randbytes(300_000), self.random.randbytes(5_000)
        self.start(ENTREPOT_MANIFESTS_ACCEPT_SPARSE="true")
        source = self.own_server()
        copy = self.client(source)
        image = copy.push_image("library/app", "1", layer)
        manifest = copy.expect(200, "GET", f"/v2/library/app/manifests/{image}")
        config = json.loads(manifest.body)["config"]["digest"]
        self.registry.push_manifest("library/app", "1", manifest.body)
        self.registry.push_image("library/other", "1", other)
        for digest in (digest_of(layer), config):
            self.place(self.file_of(digest, source).read_bytes(), age=48 * HOURS)
        damaged = digest_of(self.random.randbytes(10))
        self.file_of(damaged).write_bytes(b"not what its name says")
        os.utime(self.file_of(damaged), (0, 0))
        self.assertEqual(self.scrub()["orphans"], 3)
        self.assertEqual(self.registry.request("GET", f"/v2/library/app/blobs/{digest_of(layer)}").status, 404)
        done = self.scrub(orphans="adopt")
        self.assertEqual((done["adopted"], done["deleted"]), (2, 0), done)
        self.assertEqual(self.registry.pull_image("library/app", "1"), image)
        self.assertEqual(self.registry.request("GET", f"/v2/library/other/blobs/{digest_of(layer)}").status, 404)
        self.assertEqual([found["subject"] for found in self.findings(state="open")], [damaged])

    def test_who_pushes_while_scrubs_and_collections_run_loses_nothing(self):
        self.start()
        shared = self.random.randbytes(200_000)
        over = threading.Event()
        pushed, failures = [], []

        def push(number):
            client = self.client(self.server)
            own = random.Random(number)
            turn = 0
            while not over.is_set():
                layers = (shared, own.randbytes(own.choice((100, 90_000))))
                try:
                    pushed.append((f"library/r{number}", client.push_image(f"library/r{number}", str(turn), *layers)))
                except AssertionError as failure:
                    failures.append(str(failure))
                turn += 1

        threads = [threading.Thread(target=push, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(6):
            done = self.scrub(orphans="delete", min_age=0)
            self.assertEqual((done["missing"], done["rotten"]), (0, 0), done)
            self.collect()
        over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(len(pushed), 10)
        for repository, digest in pushed:
            self.assertEqual(self.registry.pull_image(repository, digest), digest)
        done = self.scrub(orphans="delete", min_age=0)
        self.assertEqual((done["missing"], done["rotten"]), (0, 0), done)

    def test_a_killed_scrub_goes_on_where_it_stood(self):
        self.start()
        layers = [self.random.randbytes(1_000_000) for _ in range(12)]
        self.registry.push_image("library/app", "1", *layers)
        last = max(map(digest_of, layers))
        self.flip(last)
        run = self.begin(rate=3_000_000)

        def verified():
            job = self.api.get(f"/jobs/{run}")
            progress = job.get("progress") or "{}"
            progress = json.loads(progress) if isinstance(progress, str) else progress
            return progress.get("verified_bytes", 0)

        wait_until(lambda: verified() > 4_000_000, 60, "the scrub is half way")
        before = verified()
        self.server.kill()
        self.api.close()
        self.server.start()
        done = self.ended(run)
        self.assertEqual(done["rotten"], 1, done)
        self.assertGreaterEqual(done["verified_bytes"], 12_000_000)
        self.assertLess(done["verified_bytes"], 12_100_000 + before, "what was read before counts")
        self.assertLess(done["verified_bytes"], 17_000_000, "no more than a second's work is done again")
        self.assertEqual(self.finding(last)["kind"], "rotten")

    def test_parameters_are_checked_and_only_admins_may(self):
        self.start()
        for parameters in ({"orphans": "eat"}, {"rate": -1}, {"verify": "yes"}, {"min_age": "1h"}):
            with self.subTest(parameters=parameters):
                self.api.post("/system/scrub/schedule", {"parameters": parameters, "schedule": {"type": "Manual"}}, 400)
        self.api.post("/system/scrub/schedule", {"parameters": {}, "schedule": {"type": "Custom", "cron": "0 0 4 * * 0"}})
        self.assertEqual(self.api.get("/system/scrub/schedule")["schedule"]["cron"], "0 0 4 * * 0")
        nobody = Api(self.server.host, user=None)
        self.addCleanup(nobody.close)
        for path in ("/system/scrub", "/system/scrub/findings"):
            self.assertEqual(nobody.request("GET", path).status, 401)
        self.api.get("/system/scrub/findings", 400, query={"q": "colour=red"})

    def test_ctl_runs_a_scrub_and_lists_what_it_found(self):
        self.start()
        layer = self.random.randbytes(300_000)
        self.registry.push_image("library/app", "1", layer)
        self.file_of(digest_of(layer)).unlink()
        variables = {"HOME": str(self.work), "PATH": os.environ["PATH"], "ENTREPOT_USER": "admin",
                     "ENTREPOT_URL": f"http://{self.server.host}", "ENTREPOT_PASSWORD": PASSWORD}

        def ctl(*words):
            return run(settings.binary, "ctl", *words, env=variables).stdout

        ctl("scrub", "run", "--rate", "1GiB")
        wait_until(lambda: self.api.get("/system/scrub")[0]["job_status"] == "Success", 60, "the scrub ends")
        number = str(self.api.get("/system/scrub")[0]["id"])
        listed = json.loads(ctl("scrub", "findings", "-o", "json"))
        self.assertEqual([found["subject"] for found in listed], [digest_of(layer)])
        self.assertIn("missing", ctl("scrub", "findings"))
        self.assertIn(digest_of(layer), ctl("scrub", "log", number))
        self.assertIn("Success", ctl("scrub", "status", number))


if __name__ == "__main__":
    unittest.main()
