"""Sets of artifacts go from one project to another, after others have agreed, all together or not at all."""
import json
import threading
import unittest

from support import settings
from support.api import Api
from support.registry import OCI_MANIFEST, descriptor, digest_of
from support.scenario import Scenario
from support.server import wait_until

SECRET = "Somebody1pass"
SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"
SBOM = "application/spdx+json"


@unittest.skipIf(settings.foreign, "the management API is our own")
class Promotions(Scenario):
    def setUp(self):
        super().setUp()
        self.use(self.host)

    def use(self, host, server=None):
        self.registry = self.client(server)
        self.admin = Api(host)
        self.addCleanup(self.admin.close)
        self.target = self.project + "-prod"
        for name in (self.project, self.target):
            self.admin.post("/projects", {"project_name": name})
        self.policies = f"/projects/{self.project}/promotionpolicies"
        self.promotions = f"/projects/{self.project}/promotions"

    def user(self, name, **roles):
        number = self.admin.made("/users", {"username": name, "email": name + "@example.org", "realname": name, "password": SECRET})
        for project, role in ((self.project, roles.get("source")), (self.target, roles.get("target"))):
            if role:
                self.admin.post(f"/projects/{project}/members", {"role_id": role, "member_user": {"user_id": number}})
        api = Api(self.host, user=name, password=SECRET)
        self.addCleanup(api.close)
        return api

    def policy(self, **more):
        return self.admin.made(self.policies, {"name": "release", "target_project": self.target, **more})

    def attach(self, repository, digest, artifact_type, text):
        """A manifest that refers to the subject, as cosign and oras make them."""
        config, blob = b"{}", text.encode()
        for data in (config, blob):
            self.registry.push_blob(repository, data)
        subject = self.registry.request("GET", f"/v2/{repository}/manifests/{digest}")
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": artifact_type,
                    "config": descriptor("application/vnd.oci.empty.v1+json", config),
                    "layers": [descriptor("application/octet-stream", blob)],
                    "subject": {"mediaType": subject.headers["Content-Type"], "digest": digest, "size": len(subject.body)}}
        self.registry.push_manifest(repository, digest_of(json.dumps(manifest).encode()), manifest)

    def push(self, name="app", tag="1.0", text="x"):
        repository = f"{self.project}/{name}"
        self.registry.push_image(repository, tag, text.encode())
        return self.registry.request("GET", f"/v2/{repository}/manifests/{tag}").headers["Docker-Content-Digest"]

    def status(self, path, client=None):
        return (client or self.registry).request("GET", f"/v2/{self.target}/{path}").status

    def test_a_release_goes_with_signature_and_sbom_when_another_person_agrees(self):
        dev = self.user("d" + self.project, source=2)
        boss = self.user("b" + self.project, target=4)  # of nothing else
        number = self.policy(gates=[{"kind": "accessory", "value": SIGNATURE}, {"kind": "accessory", "value": SBOM}],
                             target_repository="released/{repository}", approvals=1)
        digest = self.push()
        self.push("charts/app", text="chart")
        wanted = {"policy_id": number, "artifacts": [{"repository": "app", "reference": "1.0"}]}
        shut = dev.request("POST", self.promotions, wanted)
        self.assertEqual(shut.status, 412, shut)
        self.assertIn(f"has no accessory of type {SIGNATURE}", shut.json()["errors"][0]["message"])
        self.attach(f"{self.project}/app", digest, SIGNATURE, "signed")
        self.attach(f"{self.project}/app", digest, SBOM, "contents")
        plan = dev.expect(200, "POST", self.promotions + "/plan", wanted).json()
        self.assertEqual((plan["open"], plan["manifests"]), (True, 3), plan)
        made = dev.expect(201, "POST", self.promotions, wanted).json()
        one = f"{self.promotions}/{made['id']}"
        self.assertEqual(made["state"], "pending")
        self.assertEqual(made["artifacts"], [{"repository": "app", "digest": digest, "tag": "1.0",
                                              "target_repository": "released/app", "target_tag": "1.0"}])
        refused = dev.request("POST", one + "/approve")
        self.assertEqual(refused.status, 403, refused)
        self.assertEqual(self.status("released/app/manifests/1.0"), 404)
        self.push(text="moved since")
        there = f"/projects/{self.target}/promotions/{made['id']}"
        done = boss.expect(200, "POST", there + "/approve", {"comment": "go"}).json()
        self.assertEqual((done["state"], done["error"], done["ended_by"]), ("done", "", "b" + self.project), done)
        self.assertEqual(done["decisions"][0]["comment"], "go")
        answer = self.registry.request("GET", f"/v2/{self.target}/released/app/manifests/1.0")
        self.assertEqual((answer.status, answer.headers["Docker-Content-Digest"]), (200, digest))
        found = self.registry.request("GET", f"/v2/{self.target}/released/app/referrers/{digest}").json()["manifests"]
        self.assertEqual({each["artifactType"] for each in found}, {SIGNATURE, SBOM})
        used = self.admin.get(f"/projects/{self.target}/summary")["quota"]["used"]["storage"]
        self.assertEqual(used, plan["bytes"])
        self.assertEqual(boss.expect(200, "POST", there + "/execute").json()["end_time"], done["end_time"])
        self.assertEqual(boss.request("POST", there + "/approve").status, 409)
        self.assertEqual([each["state"] for each in self.admin.get(f"/projects/{self.target}/promotions")], ["done"])

    def test_who_asks_can_t_agree_and_strangers_see_nothing(self):
        alone = self.user("a" + self.project, source=1, target=1)
        stranger = self.user("s" + self.project)
        number = self.policy()
        self.push()
        one = f"{self.promotions}/{alone.made(self.promotions, {'policy_id': number})}"
        refused = alone.request("POST", one + "/approve")
        self.assertEqual(refused.status, 403, refused)
        self.assertIn("who asks for a promotion can't approve it", refused.json()["errors"][0]["message"])
        for path in (self.promotions, one, self.policies):
            self.assertEqual(stranger.request("GET", path).status, 404)
        self.assertEqual(stranger.request("POST", one + "/approve").status, 404)
        self.assertEqual(alone.expect(200, "POST", one + "/cancel").json()["state"], "cancelled")
        rejected = f"{self.promotions}/{alone.made(self.promotions, {'policy_id': number})}"
        self.assertEqual(self.admin.expect(200, "POST", rejected + "/reject", {"comment": "no"}).json()["state"], "rejected")
        self.assertEqual(self.status("app/manifests/1.0"), 404)

    def test_circles_and_nonsense_are_refused(self):
        third = self.project + "-third"
        self.admin.post("/projects", {"project_name": third})
        self.policy()
        self.admin.made(f"/projects/{self.target}/promotionpolicies", {"name": "on", "target_project": third})
        answer = self.admin.request("POST", f"/projects/{third}/promotionpolicies", {"name": "back", "target_project": self.project})
        self.assertEqual(answer.status, 400, answer)
        self.assertIn(f"in a circle: {third} > {self.project} > {self.target} > {third}", answer.json()["errors"][0]["message"])
        for wrong in ({"target_project": self.project}, {"approvals": 11}, {"approvals": -1}, {"lifetime_seconds": 1},
                      {"gates": [{"kind": "moon"}]}, {"gates": [{"kind": "label"}]}, {"gates": [{"kind": "minimum_age", "number": -1}]},
                      {"gates": [{"kind": "immutable_tag", "value": "x"}]}, {"gates": [{"kind": "label", "value": "a\nb"}]},
                      {"target_repository": "{tag}"}, {"target_tag": ""},
                      {"target_repository": "{repository}/{repository}"}, {"name": ""}):
            answer = self.admin.request("POST", self.policies, {"name": "wrong", "target_project": self.target, **wrong})
            self.assertEqual(answer.status, 400, (wrong, answer))
        self.assertEqual(self.admin.request("POST", self.policies, {"name": "x", "target_project": "no-such"}).status, 404)
        self.assertEqual(self.admin.request("POST", self.policies, {"name": "release", "target_project": third}).status, 409)
        number = self.admin.get(self.policies)[0]["id"]
        self.assertEqual(self.admin.request("POST", self.promotions, {"policy_id": number}).status, 422, "nothing is there")
        self.assertEqual(self.admin.request("POST", self.promotions, {"policy_id": number + 1000}).status, 404)
        self.assertEqual(self.admin.request("POST", self.promotions, {}).status, 400)

    def test_a_quota_that_is_too_small_leaves_nothing(self):
        number = self.policy(approvals=0)
        self.push("one", text="1" * 100)
        self.push("two", text="2" * 100)
        project = self.admin.get(f"/projects/{self.target}")["project_id"]
        self.admin.request("PUT", f"/quotas/{project}", {"hard": {"storage": 900}})
        failed = self.admin.expect(201, "POST", self.promotions, {"policy_id": number}).json()
        self.assertEqual(failed["state"], "failed")
        self.assertIn("may use 900 bytes", failed["error"])
        self.assertEqual(self.admin.get(f"/projects/{self.target}/repositories"), [])
        self.admin.request("PUT", f"/quotas/{project}", {"hard": {"storage": -1}})
        self.assertEqual(self.admin.expect(201, "POST", self.promotions, {"policy_id": number}).json()["state"], "done")
        self.assertEqual((self.status("one/manifests/1.0"), self.status("two/manifests/1.0")), (200, 200))

    def test_killed_in_the_middle_it_is_all_there_or_nothing(self):
        server = self.own_server()
        self.use(server.host, server)
        number = self.policy(approvals=1, self_approval=True)
        count = 60
        for i in range(count):
            self.push(f"r{i}", text=f"image {i}")
        one = f"{self.promotions}/{self.admin.made(self.promotions, {'policy_id': number})}"

        def approve():
            api = Api(server.host)
            try:
                api.request("POST", one + "/approve")
            except OSError:
                pass
            finally:
                api.close()

        thread = threading.Thread(target=approve)
        thread.start()
        wait_until(lambda: self.admin.get(one)["state"] != "pending", 10, "it is approved")
        server.kill()
        thread.join()
        server.start()
        self.use_again(server)
        there = len(self.admin.get(f"/projects/{self.target}/repositories", query={"page_size": 100}))
        state = self.admin.get(one)["state"]
        self.assertIn((there, state), ((0, "approved"), (count, "done")))
        # On PostgreSQL what the dead one has locked is free as soon as its connection is found to be gone.
        wait_until(lambda: self.admin.request("POST", one + "/execute").status == 200, 60, "it is carried out")
        self.assertEqual(self.admin.get(one)["state"], "done")
        self.assertEqual(len(self.admin.get(f"/projects/{self.target}/repositories", query={"page_size": 100})), count)

    def use_again(self, server):
        self.registry = self.client(server)
        self.admin = Api(server.host)
        self.addCleanup(self.admin.close)
