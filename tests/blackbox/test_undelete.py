"""What was deleted comes back within its window, whoever deleted it and whatever was collected meanwhile."""
import json
import pathlib
import subprocess
import time
import unittest

from support import image, settings
from support.api import Api
from support.ctl import Ctl
from support.registry import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, descriptor, digest_of
from support.scenario import Scenario
from support.server import wait_until

SOON = {"ENTREPOT_GC_LEASE": "1s", "ENTREPOT_GC_GRACE": "0s", "ENTREPOT_GC_UNTAGGED_AFTER": "0s"}
ENDS = ("Success", "Error", "Stopped")


class Trash:
    """What both classes below do, with self.admin and self.registry."""

    def entries(self, project, **query):
        return self.admin.get(f"/projects/{project}/trash", query=query)

    def restore(self, project, entry, **body):
        return self.admin.post(f"/projects/{project}/trash/{entry['id']}/restore", body, 200).json()

    def sign(self, repository, subject, size):
        config = b"{}"
        for data in (config, b"signature"):
            self.registry.push_blob(repository, data)
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/x-signature",
            "config": descriptor(OCI_CONFIG, config), "layers": [descriptor(OCI_LAYER, b"signature")],
            "subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": size}}).encode()
        self.registry.expect(201, "PUT", f"/v2/{repository}/manifests/{digest_of(manifest)}", manifest,
                             {"Content-Type": OCI_MANIFEST})
        return digest_of(manifest)

    def referrers(self, repository, digest):
        answer = self.registry.expect(200, "GET", f"/v2/{repository}/referrers/{digest}")
        return [each["digest"] for each in answer.json()["manifests"]]


@unittest.skipIf(settings.foreign, "the management API is our own")
class Undelete(Trash, Ctl):
    def setUp(self):
        super().setUp()
        self.registry = self.client()
        self.admin = Api(self.host)
        self.addCleanup(self.admin.close)
        self.number = self.admin.made("/projects", {"project_name": self.project})
        self.name = f"{self.project}/app"
        self.repository = f"/projects/{self.project}/repositories/app"

    def skopeo(self, *arguments):
        return subprocess.run(["skopeo", *arguments], capture_output=True, text=True, timeout=120, check=False)

    def test_a_client_pulls_again_what_it_deleted(self):
        at = f"docker://{self.name}".replace("docker://", f"docker://{self.host}/")
        pushed = self.skopeo("copy", "--quiet", *self.auth_arguments(), "--dest-tls-verify=false", "--all",
                             image.multi(), at + ":1.0")
        self.assertEqual(pushed.returncode, 0, pushed.stderr)
        inspect = ("inspect", "--raw", *self.auth_arguments(), "--tls-verify=false", at + ":1.0")
        before = self.skopeo(*inspect).stdout
        signature = self.sign(self.name, digest_of(before.encode()), len(before))
        deleted = self.skopeo("delete", *self.auth_arguments(), "--tls-verify=false", at + ":1.0")
        self.assertEqual(deleted.returncode, 0, deleted.stderr)
        self.assertNotEqual(self.skopeo(*inspect).returncode, 0)
        entry, = self.entries(self.project)
        self.assertEqual((entry["kind"], entry["repository"], entry["digest"], entry["tags"], entry["how"],
                          entry["deleted_by_name"]),
                         ("artifact", self.name, digest_of(before.encode()), ["1.0"], "client-delete", "admin"))
        self.assertEqual(self.restore(self.project, entry)["tags"],
                         [{"tag": "1.0", "digest": entry["digest"]}])
        self.assertEqual(self.skopeo(*inspect).stdout, before)
        back = self.skopeo("copy", "--quiet", *self.auth_arguments(), "--src-tls-verify=false", "--all", at + ":1.0",
                           f"dir:{self.work}/back")
        self.assertEqual(back.returncode, 0, back.stderr)
        self.assertEqual(self.referrers(self.name, entry["digest"]), [signature])
        self.assertEqual(self.entries(self.project), [])
        self.assertEqual(self.restore(self.project, entry), {"digests": [], "tags": [], "tags_left": []})
        events = self.admin.get("/events", query={"after": 0, "limit": 1000, "type": "artifact.restored"})
        restored = [event for event in events if event["repository"] == self.name]
        self.assertEqual(len(restored), 1)
        self.assertEqual(restored[0]["details"]["trash_id"], entry["id"])

    def test_an_index_goes_and_comes_back_with_all_that_belongs_to_it(self):
        copied = self.skopeo("copy", "--quiet", *self.auth_arguments(), "--dest-tls-verify=false", "--all",
                             image.multi(), f"docker://{self.host}/{self.name}:1")
        self.assertEqual(copied.returncode, 0, copied.stderr)
        index = self.registry.expect(200, "GET", f"/v2/{self.name}/manifests/1").body
        signature = self.sign(self.name, digest_of(index), len(index))
        self.admin.delete(f"{self.repository}/artifacts/1")
        for child in json.loads(index)["manifests"]:
            self.registry.expect(404, "GET", f"/v2/{self.name}/manifests/{child['digest']}")
        entry, = self.entries(self.project)
        self.assertEqual(entry["manifests"], 2 + len(json.loads(index)["manifests"]))
        self.assertEqual(len(self.restore(self.project, entry)["digests"]), entry["manifests"])
        self.assertEqual(self.registry.expect(200, "GET", f"/v2/{self.name}/manifests/1").body, index)
        for child in json.loads(index)["manifests"]:
            self.registry.expect(200, "GET", f"/v2/{self.name}/manifests/{child['digest']}")
        self.assertEqual(self.referrers(self.name, digest_of(index)), [signature])

    def test_a_repository_comes_back(self):
        first = self.registry.push_image(self.name, "1", b"one")
        self.registry.push_image(self.name, "2", b"two")
        self.admin.put(self.repository, {"description": "ours"})
        self.admin.delete(self.repository)
        self.assertEqual(self.admin.get(f"/projects/{self.project}/repositories"), [])
        self.registry.expect(404, "GET", f"/v2/{self.name}/manifests/1")
        newer = self.registry.push_image(self.name, "2", b"newer")
        entry, = self.entries(self.project, q="repository=app")
        self.assertEqual((entry["kind"], entry["digest"], entry["manifests"]), ("repository", None, 2))
        told = self.restore(self.project, entry)
        self.assertEqual(told["tags"], [{"tag": "1", "digest": first}])
        self.assertEqual([(left["tag"], left["reason"]) for left in told["tags_left"]],
                         [("2", "another artifact has it")])
        self.assertEqual(self.registry.pull_image(self.name, "1"), first)
        self.assertEqual(self.registry.pull_image(self.name, "2"), newer)
        self.assertEqual(self.admin.get(self.repository)["description"], "ours")

    def test_what_retention_removed_is_undone(self):
        for tag in ("1", "2", "3"):
            self.registry.push_image(self.name, tag, tag.encode())
        selectors = {"tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "**"}],
                     "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches",
                                                         "pattern": "**"}]}}
        policy = self.admin.made("/retentions", {
            "algorithm": "or", "scope": {"level": "project", "ref": self.number},
            "rules": [{"action": "retain", "template": "latestPushedK", "params": {"latestPushedK": 1}, **selectors}],
            "trigger": {"kind": "Schedule", "settings": {"cron": ""}, "references": {}}})
        self.admin.made(f"/retentions/{policy}/executions", {"dry_run": False})
        wait_until(lambda: len(self.entries(self.project)) == 2, 60, "two images go")
        for entry in self.entries(self.project):
            self.assertEqual(entry["how"], "retention")
            self.restore(self.project, entry)
        for tag in ("1", "2", "3"):
            self.registry.pull_image(self.name, tag)

    def test_a_full_quota_is_freed_by_emptying_the_trash(self):
        self.admin.put(f"/quotas/{self.number}", {"hard": {"storage": 100_000, "artifacts": -1}})
        layer = self.random.randbytes(80_000)
        self.registry.push_image(self.name, "1", layer)
        self.admin.delete(self.repository)
        location = self.registry.expect(202, "POST", f"/v2/{self.project}/other/blobs/uploads/").headers["Location"]
        self.registry.expect(403, "PATCH", location, self.random.randbytes(80_000))
        self.assertEqual(self.admin.delete(f"/projects/{self.project}/trash").json(), {"entries": 1})
        self.registry.push_image(f"{self.project}/other", "1", self.random.randbytes(80_000))

    def test_tags_go_back_to_a_time(self):
        one = self.registry.push_image(self.name, "1", b"one")
        two = self.registry.push_image(self.name, "2", b"two")
        time.sleep(1.1)
        then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        time.sleep(1.1)
        self.admin.delete(f"{self.repository}/artifacts/{one}")
        self.registry.push_image(self.name, "2", b"moved")
        self.registry.push_image(self.name, "3", b"later")
        plan = self.admin.post(f"{self.repository}/restore", {"at": then, "exact": True, "dry_run": True}, 200).json()
        self.assertEqual({step["tag"]: step["step"] for step in plan["tags"]},
                         {"1": "returns", "2": "moves", "3": "leaves"})
        self.registry.expect(404, "GET", f"/v2/{self.name}/manifests/1")
        self.admin.post(f"{self.repository}/restore", {"at": then, "exact": True}, 200)
        self.assertEqual(self.registry.pull_image(self.name, "1"), one)
        self.assertEqual(self.registry.pull_image(self.name, "2"), two)
        self.registry.expect(404, "GET", f"/v2/{self.name}/manifests/3")

    def test_strangers_and_nonsense_are_refused(self):
        self.registry.push_image(self.name, "1", b"one")
        self.admin.delete(f"{self.repository}/artifacts/1")
        entry, = self.entries(self.project)
        nobody = Api(self.host, user=None)
        self.addCleanup(nobody.close)
        trash = f"/projects/{self.project}/trash"
        for method, path in (("GET", trash), ("GET", f"{trash}/{entry['id']}"), ("DELETE", trash),
                             ("POST", f"{trash}/{entry['id']}/restore")):
            self.assertEqual(nobody.request(method, path).status, 401, (method, path))
        self.assertEqual(self.admin.request("POST", f"{trash}/{entry['id']}/restore", {"force_tags": "x"}).status, 400)
        self.assertEqual(self.admin.request("POST", f"{trash}/999999999/restore").status, 404)
        self.assertEqual(self.admin.request("GET", f"{trash}/none").status, 404)
        self.assertEqual(self.admin.request("GET", trash, query={"q": "body=x"}).status, 400)
        for body in ({}, {"at": "yesterday"}, {"at": "2026-01-01T00:00:00Z", "exact": 7}):
            self.assertEqual(self.admin.request("POST", f"{self.repository}/restore", body).status, 400, body)
        self.assertEqual(self.admin.request("POST", f"{trash}/{entry['id']}/restore").status, 200, "a body is optional")

    def test_by_ctl(self):
        digest = self.registry.push_image(self.name, "1", b"one")
        self.admin.delete(f"{self.repository}/artifacts/1")
        self.assertIn(digest, self.ctl("trash", "list", self.project))
        entry, = self.entries(self.project)
        self.ctl("trash", "restore", self.project, entry["id"])
        self.assertEqual(self.registry.pull_image(self.name, "1"), digest)
        self.admin.delete(f"{self.repository}/artifacts/1")
        then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))
        self.ctl("repository", "restore", self.name, "--at", then, "--dry-run")
        self.ctl("trash", "empty", self.project, code=2)
        self.ctl("trash", "empty", self.project, "--yes")
        self.assertEqual(self.entries(self.project), [])


@unittest.skipIf(settings.foreign, "needs a server of its own")
class UndeleteAndGarbage(Trash, Scenario):
    def serve(self, keep):
        self.server = self.own_server(environment={**SOON, "ENTREPOT_TRASH_KEEP": keep})
        self.admin = Api(self.server.host)
        self.addCleanup(self.admin.close)
        self.registry = self.client(self.server)

    def collect(self):
        run = self.admin.made("/system/gc/schedule",
                              {"parameters": {"delete_untagged": True}, "schedule": {"type": "Manual"}})
        wait_until(lambda: self.admin.get(f"/system/gc/{run}")["job_status"] in ENDS, 60, "the collection ends")
        self.assertEqual(self.admin.get(f"/system/gc/{run}")["job_status"], "Success")

    def stored(self, digest):
        return bool(list((pathlib.Path(self.server.data) / "blobs").rglob(f"*{digest.split(':')[1]}*")))

    def used(self):
        number = self.admin.get("/projects/library")["project_id"]
        return self.admin.get(f"/quotas/{number}")["used"]["storage"]

    def test_what_was_collected_meanwhile_comes_back_too(self):
        self.serve("1h")
        layer = self.random.randbytes(300_000)
        digest = self.registry.push_image("library/app", "1", layer)
        body = self.registry.expect(200, "GET", "/v2/library/app/manifests/1").body
        signature = self.sign("library/app", digest, len(body))
        self.registry.expect(202, "DELETE", f"/v2/library/app/manifests/{digest}")
        for _ in range(3):
            time.sleep(1.1)
            self.collect()
        self.registry.expect(404, "GET", f"/v2/library/app/manifests/{signature}")
        self.registry.expect(404, "GET", f"/v2/library/app/blobs/{digest_of(layer)}")
        self.assertTrue(self.stored(digest_of(layer)))
        entry, = self.entries("library")
        self.assertEqual(entry["manifests"], 2)
        self.restore("library", entry)
        self.assertEqual(self.registry.pull_image("library/app", "1"), digest)
        self.assertEqual(self.referrers("library/app", digest), [signature])
        time.sleep(1.1)
        self.collect()
        self.assertEqual(self.registry.pull_image("library/app", "1"), digest)

    def test_after_the_window_it_is_gone_and_its_bytes_are_free(self):
        self.serve("2s")
        layer = self.random.randbytes(300_000)
        self.registry.push_image("library/app", "1", layer)
        self.admin.delete("/projects/library/repositories/app/artifacts/1")
        entry, = self.entries("library")

        def gone():
            self.collect()
            return not self.stored(digest_of(layer))
        wait_until(gone, 60, "the bytes go")
        self.assertEqual(self.entries("library"), [])
        self.assertEqual(self.admin.request("POST", f"/projects/library/trash/{entry['id']}/restore").status, 404)
        self.assertEqual(self.used(), 0)

    def test_a_kill_loses_nothing_of_it(self):
        self.serve("1h")
        digest = self.registry.push_image("library/app", "1", self.random.randbytes(300_000))
        self.admin.delete("/projects/library/repositories/app/artifacts/1")
        self.server.kill()
        self.server.start()
        entry, = self.entries("library")
        self.restore("library", entry)
        self.server.kill()
        self.server.start()
        self.assertEqual(self.registry.pull_image("library/app", "1"), digest)
        self.assertEqual(self.entries("library"), [])
