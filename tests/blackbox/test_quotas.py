"""A project's quota: what does not fit is refused with words that help, before it is sent, and never overshoots."""
import threading
import unittest

from support import settings
from support.api import Api
from support.registry import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, descriptor, digest_of
from support.scenario import Scenario
from support.server import wait_until

import json


@unittest.skipIf(settings.foreign, "needs a server of its own")
class Quotas(Scenario):
    def limited(self, storage=-1, artifacts=-1):
        api = Api(self.host)
        self.addCleanup(api.close)
        made = api.made("/projects", {"project_name": self.project})
        api.put(f"/quotas/{made}", {"hard": {"storage": storage, "artifacts": artifacts}})
        return api, made

    def used(self, api, project):
        return api.get(f"/quotas/{project}")["used"]

    def test_a_blob_that_does_not_fit_is_refused_before_its_bytes_are_read(self):
        api, project = self.limited(storage=100_000)
        client = self.client()
        client.push_blob(f"{self.project}/app", self.random.randbytes(60_000))
        location = client.expect(202, "POST", f"/v2/{self.project}/app/blobs/uploads/").headers["Location"]
        refused = client.expect(403, "PATCH", location, self.random.randbytes(50_000))
        self.assertEqual(refused.codes(), ["DENIED"])
        self.assertIn("may use 100000 bytes and would use 110000", refused.json()["errors"][0]["message"])
        self.assertEqual(self.used(api, project)["storage"], 60_000)
        client.push_blob(f"{self.project}/other", self.random.randbytes(40_000))
        self.assertEqual(self.used(api, project)["storage"], 100_000)

    def test_what_the_project_holds_costs_nothing_more(self):
        api, project = self.limited(storage=100_000)
        client = self.client()
        layer = self.random.randbytes(80_000)
        client.push_image(f"{self.project}/one", "1", layer)
        before = self.used(api, project)["storage"]
        client.push_blob(f"{self.project}/two", layer)
        client.expect(201, "POST", f"/v2/{self.project}/three/blobs/uploads/?mount={digest_of(layer)}"
                                   f"&from={self.project}/one")
        self.assertEqual(self.used(api, project)["storage"], before)

    def test_artifacts_are_counted_and_a_tag_more_is_none(self):
        api, project = self.limited(artifacts=1)
        client = self.client()
        client.push_image(f"{self.project}/app", "1", b"layer")
        image = client.pull_image(f"{self.project}/app", "1")
        del image
        config = b"{}"
        client.push_blob(f"{self.project}/app", config)
        client.push_blob(f"{self.project}/app", b"another")
        second = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config),
                             "layers": [descriptor(OCI_LAYER, b"another")]}).encode()
        refused = client.expect(403, "PUT", f"/v2/{self.project}/app/manifests/2", second,
                                {"Content-Type": OCI_MANIFEST})
        self.assertIn("may use 1 artifacts", refused.json()["errors"][0]["message"])
        first = client.expect(200, "GET", f"/v2/{self.project}/app/manifests/1", headers={"Accept": OCI_MANIFEST})
        client.expect(201, "PUT", f"/v2/{self.project}/app/manifests/again", first.body, {"Content-Type": OCI_MANIFEST})
        self.assertEqual(self.used(api, project)["artifacts"], 1)
        client.expect(202, "DELETE", f"/v2/{self.project}/app/manifests/{digest_of(first.body)}")
        client.expect(201, "PUT", f"/v2/{self.project}/app/manifests/2", second, {"Content-Type": OCI_MANIFEST})

    def test_many_at_once_fill_it_and_never_beyond(self):
        api, project = self.limited(storage=30_000)
        blobs = [self.random.randbytes(1_000) for _ in range(60)]
        stored, odd = [], []

        def push(number):
            client = self.client()
            for blob in blobs[number::6]:
                location = client.expect(202, "POST", f"/v2/{self.project}/r{number}/blobs/uploads/").headers["Location"]
                answer = client.request("PUT", location + ("&" if "?" in location else "?") + "digest=" + digest_of(blob),
                                        blob)
                (stored if answer.status == 201 else odd).append(answer)

        threads = [threading.Thread(target=push, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(stored), 30)
        self.assertEqual({answer.status for answer in odd}, {403})
        self.assertEqual(self.used(api, project)["storage"], 30_000)


@unittest.skipIf(settings.foreign, "needs a server of its own")
class WhatIsTold(Scenario):
    """Warnings and refusals as events, and what was used, for charge-back."""

    def setUp(self):
        super().setUp()
        self.server = self.own_server()
        self.api = Api(self.server.host)
        self.addCleanup(self.api.close)
        self.registry = self.client(self.server)

    def events(self, kind):
        return self.api.get("/events", query={"type": kind, "limit": 1000})

    def test_a_quota_that_fills_up_warns_and_one_that_is_full_says_who_was_refused(self):
        made = self.api.made("/projects", {"project_name": "small"})
        self.api.put(f"/quotas/{made}", {"hard": {"storage": 100_000}})
        self.registry.push_blob("small/app", self.random.randbytes(86_000))
        wait_until(lambda: len(self.events("quota.warned")) == 1, 30, "the warning")
        warned = self.events("quota.warned")[0]
        self.assertEqual((warned["project"], warned["details"]["level"], warned["details"]["of"]),
                         ("small", 85, "project"))
        self.assertIn("85%", warned["details"]["Details"])
        for _ in range(3):
            location = self.registry.expect(202, "POST", "/v2/small/app/blobs/uploads/").headers["Location"]
            self.registry.expect(403, "PATCH", location, self.random.randbytes(50_000))
        wait_until(lambda: sum(event["details"]["refused"] for event in self.events("quota.exceeded")) == 3, 30,
                   "the refusals")
        self.registry.push_blob("small/app", self.random.randbytes(10_000))
        wait_until(lambda: len(self.events("quota.warned")) == 2, 30, "the next level")
        self.assertEqual(self.events("quota.warned")[1]["details"]["level"], 95)

    def recount(self):
        run = self.api.made("/system/quota-recount/schedule", {"schedule": {"type": "Manual"}})
        wait_until(lambda: self.api.get(f"/system/quota-recount/{run}")["job_status"] == "Success", 60, "the recount")
        return self.api.request("GET", f"/system/quota-recount/{run}/log").body.decode()

    def test_what_was_used_is_there_by_day_and_by_project(self):
        self.api.made("/tenants", {"name": "acme"})
        for name in ("one", "two"):
            self.api.made("/projects", {"project_name": name, "tenant": "acme"})
        layer = self.random.randbytes(100_000)
        for place, tag in (("one/app", "1"), ("one/other", "1"), ("two/app", "1")):
            self.registry.push_image(place, tag, layer)
        self.assertIn("0 had drifted", self.recount())
        today = self.api.get("/tenants/acme/usage")
        self.assertEqual(len(today), 1)
        day = today[0]
        self.assertEqual((day["project_count"], day["artifact_count"]), (2, 3))
        self.assertGreater(day["referenced_bytes"], 300_000)
        self.assertTrue(200_000 < day["charged_bytes"] < 205_000, day)
        self.assertTrue(100_000 < day["stored_bytes"] < 105_000, day)
        self.assertEqual(day["saved_bytes"], day["referenced_bytes"] - day["stored_bytes"])
        projects = self.api.get("/tenants/acme/usage/projects")
        self.assertEqual({project["project_name"] for project in projects}, {"one", "two"})
        self.assertEqual(self.api.get("/projects/two/usage")[0]["project_count"], 1)
        self.assertEqual(self.api.get("/tenants/acme/usage", query={"to": "2001-01-01"}), [])

    def test_nonsense_is_refused_and_so_is_who_may_not_see_it(self):
        self.api.made("/tenants", {"name": "acme"})
        for query in ({"from": "yesterday"}, {"from": "2026-02-30x"}, {"to": "2026-13-01"},
                      {"from": "2026-02-01", "to": "2026-01-01"}, {"from": "1970-01-01", "to": "2026-01-01"}):
            self.api.get("/tenants/acme/usage", status=400, query=query)
        self.api.get("/tenants/acme/usage/projects", status=400, query={"q": "project_id=1"})
        self.api.get("/tenants/nobody/usage", status=404)
        stranger = Api(self.server.host, user=None)
        self.addCleanup(stranger.close)
        stranger.get("/tenants/acme/usage", status=401)
