"""An admin has garbage collected while others push: what nobody needs goes, bytes and all; what somebody needs stays."""
import json
import pathlib
import threading
import time
import unittest

from support import settings
from support.api import Api
from support.registry import digest_of
from support.scenario import Scenario
from support.server import wait_until

# Nothing that was deleted can be brought back: its bytes are to go.
SOON = {"ENTREPOT_GC_LEASE": "1s", "ENTREPOT_GC_GRACE": "0s", "ENTREPOT_GC_UNTAGGED_AFTER": "0s",
        "ENTREPOT_TRASH_KEEP": "0s"}
ENDS = ("Success", "Error", "Stopped")


@unittest.skipIf(settings.foreign, "needs a server of its own")
class GarbageCollection(Scenario):
    def setUp(self):
        super().setUp()
        self.server = self.own_server(environment=SOON)
        self.api = Api(self.server.host)
        self.addCleanup(self.api.close)
        self.registry = self.client(self.server)

    def collect(self, **parameters):
        """What a collection that was started by hand did."""
        run = self.api.made("/system/gc/schedule", {"parameters": parameters, "schedule": {"type": "Manual"}})
        return self.ended(run)

    def ended(self, run):
        seen = {}

        def over():
            seen.update(self.api.get(f"/system/gc/{run}"))
            return seen["job_status"] in ENDS

        wait_until(over, 60, f"the collection {run} ends")
        self.assertEqual(seen["job_status"], "Success", self.api.request("GET", f"/system/gc/{run}/log").body)
        return json.loads(seen["job_parameters"])

    def stored(self, digest):
        algorithm, text = digest.split(":")
        found = list((pathlib.Path(self.server.data) / "blobs").rglob(f"*{text}*"))
        return bool(found) and algorithm == "sha256"

    def until_it_goes(self, digest, **parameters):
        """Leases are a second long."""
        for _ in range(20):
            done = self.collect(**parameters)
            if not self.stored(digest):
                return done
            time.sleep(0.5)
        raise AssertionError(f"{digest} stays")

    def test_bytes_of_a_deleted_image_are_freed_and_others_stay(self):
        gone, shared, kept = (self.random.randbytes(300_000) for _ in range(3))
        self.registry.push_image("library/app", "old", gone, shared)
        new = self.registry.push_image("library/app", "new", kept, shared)
        self.api.delete("/projects/library/repositories/app/artifacts/old")
        done = self.until_it_goes(digest_of(gone))
        self.assertGreaterEqual(done["freed_space"], 0)
        self.assertTrue(self.stored(digest_of(shared)) and self.stored(digest_of(kept)))
        self.assertEqual(self.registry.pull_image("library/app", "new"), new)
        self.assertEqual(self.registry.expect(404, "GET", f"/v2/library/app/blobs/{digest_of(gone)}").codes(),
                         ["BLOB_UNKNOWN"])
        history = self.api.get("/system/gc", query={"page_size": 100})
        self.assertTrue(all(entry["job_name"] == "GARBAGE_COLLECTION" for entry in history))
        self.assertGreaterEqual(sum(json.loads(entry["job_parameters"])["freed_space"] for entry in history), 300_000)

    def test_what_was_pushed_again_comes_back(self):
        layer = self.random.randbytes(300_000)
        image = self.registry.push_image("library/app", "1", layer)
        self.api.delete("/projects/library/repositories/app/artifacts/1")
        self.until_it_goes(digest_of(layer))
        self.assertEqual(self.registry.push_image("library/app", "1", layer), image)
        self.assertEqual(self.registry.pull_image("library/app", "1"), image)
        self.collect()
        self.assertEqual(self.registry.pull_image("library/app", "1"), image)

    def test_untagged_manifests_go_only_when_asked_for(self):
        old, new = self.random.randbytes(300_000), self.random.randbytes(300_000)
        self.registry.push_image("library/app", "1", old)
        before = self.registry.expect(200, "GET", "/v2/library/app/manifests/1").headers["Docker-Content-Digest"]
        self.registry.push_image("library/app", "1", new)
        time.sleep(1.2)
        self.collect()
        self.registry.expect(200, "GET", f"/v2/library/app/manifests/{before}")
        would = self.collect(delete_untagged=True, dry_run=True)
        self.assertGreaterEqual(would["purged_manifests"], 1)
        self.registry.expect(200, "GET", f"/v2/library/app/manifests/{before}")
        self.until_it_goes(digest_of(old), delete_untagged=True)
        self.registry.expect(404, "GET", f"/v2/library/app/manifests/{before}")
        self.registry.pull_image("library/app", "1")

    def test_it_comes_round_by_its_schedule(self):
        self.api.post("/system/gc/schedule", {"parameters": {}, "schedule": {"type": "Custom", "cron": "0 0 3 * * *"}})
        schedule = self.api.get("/system/gc/schedule")
        self.assertEqual(schedule["schedule"]["cron"], "0 0 3 * * *")
        for nonsense in ("0 0 25 * * *", "hello", "0 0 0 30 2 *", "* * * * * *"):
            with self.subTest(cron=nonsense):
                self.api.put("/system/gc/schedule", {"schedule": {"type": "Custom", "cron": nonsense}}, 400)
        self.api.put("/system/gc/schedule", {"parameters": {}, "schedule": {"type": "None"}})
        self.assertEqual(self.api.get("/system/gc/schedule"), {})

    def test_nonsense_and_strangers_are_refused(self):
        for parameters in ({"workers": 0}, {"workers": 9}, {"rate": -1}, {"delete_untagged": "yes"}):
            with self.subTest(parameters=parameters):
                self.api.post("/system/gc/schedule", {"parameters": parameters, "schedule": {"type": "Manual"}}, 400)
        self.api.post("/system/gc/schedule", {"parameters": {}}, 400)
        self.assertEqual(self.api.request("GET", "/system/gc/999999").status, 404)
        nobody = Api(self.server.host, user=None)
        self.addCleanup(nobody.close)
        self.assertEqual(nobody.request("GET", "/system/gc").status, 401)

    def test_pushes_go_on_beside_it(self):
        ended, wrong = threading.Event(), []

        def push(number):
            client = self.client(self.server)
            layers = [bytes([number, turn]) * 50_000 for turn in range(4)]
            try:
                while not ended.is_set():
                    for turn, layer in enumerate(layers):
                        image = client.push_image("library/app", f"t{number}", layer, layers[turn - 1])
                        if client.pull_image("library/app", f"t{number}") != image:
                            wrong.append((number, turn))
            except AssertionError as error:
                wrong.append(error)

        pushers = [threading.Thread(target=push, args=(number,)) for number in range(3)]
        for pusher in pushers:
            pusher.start()
        for _ in range(8):
            self.collect(delete_untagged=True)
        ended.set()
        for pusher in pushers:
            pusher.join()
        self.assertEqual(wrong, [])
