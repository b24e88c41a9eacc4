"""A release goes from test by staging to production: by itself where nothing keeps it back, waiting where something does."""
import hashlib
import hmac
import json
import os
import threading
import unittest

from support import settings
from support.api import Api
from support.receiver import Receiver, is_genuine
from support.registry import OCI_MANIFEST, descriptor, digest_of
from support.scenario import Scenario, run
from support.server import PASSWORD, wait_until

SECRET = "Somebody1pass"
HOOK_SECRET = "a long random text"
MASTER_KEY = "5a" * 32  # shared by all instances
OPEN = {"ENTREPOT_OUTBOUND_ALLOW": "127.0.0.0/8", "ENTREPOT_AUTH_EXTERNAL_URL": "https://hub.example"}
RELEASES = [{"decoration": "matches", "pattern": "release-*"}]


def flux_accepts(token, header, body):
    """As a Receiver of type generic-hmac decides (fluxcd/notification-controller v1: X-Signature, `sha256=` and the
    HMAC of the body in hexadecimal)."""
    algorithm, _, code = header.partition("=")
    return algorithm == "sha256" and hmac.compare_digest(hmac.new(token.encode(), body, hashlib.sha256).hexdigest(), code)


def argo_cd_reads(secret, delivery):
    """As Argo CD's webhook of Harbor's shape decides (argo-cd, util/webhook/harbor.go): the header Authorization is the
    secret, the type a push; what it refreshes is told by the first resource with a tag."""
    payload = delivery.json()
    if delivery.headers["Authorization"] != secret or payload["type"] != "PUSH_ARTIFACT":
        return None
    for resource in payload["event_data"]["resources"]:
        if resource.get("tag") and resource.get("resource_url"):
            return resource["resource_url"].split("/")[0], payload["event_data"]["repository"]["repo_full_name"], resource["tag"]
    return None


class Chain(Scenario):
    """Three projects, each a step from the next; the first step asks for a check, the second for a person."""

    def serve(self, **more):
        return self.own_server(environment={**OPEN, **more.pop("environment", {})}, **more)

    def lay(self, server):
        self.server = server
        self.use(server)
        self.test, self.staging, self.production = (f"{self.project}-{name}" for name in ("test", "staging", "production"))
        for name, environment in ((self.test, "test"), (self.staging, "staging"), (self.production, "production")):
            self.admin.post("/projects", {"project_name": name, "metadata": {"environment": environment}})
        self.first = self.step(self.test, self.staging, gates=[{"kind": "check", "value": "e2e"}], approvals=0)
        self.second = self.step(self.staging, self.production, approvals=1)

    def use(self, server):
        self.registry = self.client(server)
        self.admin = Api(server.host)
        self.addCleanup(self.admin.close)

    def step(self, source, target, **more):
        return self.admin.made(f"/projects/{source}/promotionpolicies", {
            "name": "release", "target_project": target, "trigger": "event_based", "tag_selectors": RELEASES, **more})

    def push(self, tag, text, name="app"):
        self.registry.push_image(f"{self.test}/{name}", tag, text.encode())
        answer = self.registry.request("GET", f"/v2/{self.test}/{name}/manifests/{tag}")
        return answer.headers["Docker-Content-Digest"]

    def check(self, digest, state, api=None, name="app", check="e2e", project=None):
        return (api or self.admin).request(
            "PUT", f"/projects/{project or self.test}/repositories/{name}/artifacts/{digest}/checks/{check}",
            {"state": state, "url": "https://ci.example.org/1", "summary": "12 of 12"})

    def promotions(self, project):
        return self.admin.get(f"/projects/{project}/promotions", query={"page_size": 100, "sort": "id"})

    def states(self, project):
        return [one["state"] for one in self.promotions(project)]

    def becomes(self, project, states):
        try:
            wait_until(lambda: self.states(project) == states, 30, f"promotions of {project} are {states}")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.promotions(project)}") from None

    def digest_in(self, project, tag, name="app"):
        return self.registry.request("HEAD", f"/v2/{project}/{name}/manifests/{tag}").headers.get("Docker-Content-Digest")

    def journey(self, digest, api=None, project=None):
        return (api or self.admin).get(f"/projects/{project or self.test}/repositories/app/artifacts/{digest}/journey")

    def user(self, name, **roles):
        number = self.admin.made("/users", {"username": name + self.project, "email": name + self.project + "@example.org",
                                            "realname": name, "password": SECRET})
        for project, role in roles.items():
            self.admin.post(f"/projects/{getattr(self, project)}/members", {"role_id": role, "member_user": {"user_id": number}})
        api = Api(self.server.host, user=name + self.project, password=SECRET)
        self.addCleanup(api.close)
        return api


@unittest.skipIf(settings.foreign, "the management API is our own")
class Environments(Chain):
    def setUp(self):
        super().setUp()
        self.lay(self.serve())

    def hook(self, project, receiver, types, **target):
        self.admin.made(f"/projects/{project}/webhook/policies", {
            "name": "deploy", "event_types": types,
            "targets": [{"type": "http", "address": receiver.url, "payload_format": "Default", "secret": HOOK_SECRET, **target}]})

    def receiver(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        return receiver

    def test_a_release_reaches_production_and_a_deployer_hears_of_it(self):
        boss = self.user("boss", staging=2, production=4)
        deployer, argo = self.receiver(), self.receiver()
        self.hook(self.production, deployer, ["PROMOTION_DONE"])
        self.hook(self.staging, argo, ["PUSH_ARTIFACT"], auth_header="what both know")
        self.push("dev-7", "not a release")
        digest = self.push("release-1.4", "a release")
        self.becomes(self.test, ["waiting"])
        wait_until(lambda: self.promotions(self.test)[0]["waiting_for"], 20, "it was looked at")
        waiting = self.promotions(self.test)[0]
        self.assertEqual((waiting["waiting_for"], waiting["automatic"], waiting["requester"]),
                         (["the check e2e has not been reported"], True, "admin"))
        journey = self.journey("release-1.4")
        self.assertEqual(journey["digest"], digest)
        self.assertEqual([(one["environment"], one["there"]) for one in journey["stages"]],
                         [("test", True), ("staging", False), ("production", False)])
        self.assertEqual(journey["stages"][1]["promotion"]["waiting_for"], ["the check e2e has not been reported"])
        self.assertIsNone(journey["stages"][2]["promotion"])
        refused = boss.request("POST", f"/projects/{self.staging}/promotions/{waiting['id']}/approve")
        self.assertEqual(refused.status, 403, "who approves has nothing to say about this target")

        self.assertEqual(self.check(digest, "failed").json()["reporter"], "admin")
        wait_until(lambda: self.promotions(self.test)[0]["waiting_for"] == ["the check e2e has failed"], 20, "it still waits")
        self.assertEqual(self.states(self.test), ["waiting"])
        self.assertEqual(self.check(digest, "passed").status, 200)
        self.becomes(self.test, ["done"])
        self.assertEqual(self.digest_in(self.staging, "release-1.4"), digest)
        self.assertIsNone(self.digest_in(self.staging, "dev-7"))

        self.becomes(self.staging, ["done", "pending"])
        number = self.promotions(self.staging)[1]["id"]
        stage = self.journey(digest)["stages"][2]["promotion"]
        self.assertEqual((stage["id"], stage["state"], stage["approvals_given"], stage["approvals_needed"]),
                         (number, "pending", 0, 1))
        done = boss.expect(200, "POST", f"/projects/{self.production}/promotions/{number}/approve", {"comment": "go"}).json()
        self.assertEqual((done["state"], done["error"]), ("done", ""))
        self.assertEqual(self.digest_in(self.production, "release-1.4"), digest)
        stages = self.journey(digest)["stages"]
        self.assertEqual([one["there"] for one in stages], [True, True, True])
        self.assertEqual([place["tags"][0]["name"] for place in stages[2]["places"]], ["release-1.4"])

        wait_until(lambda: deployer.deliveries, 30, "the deployer hears of it")
        delivery = deployer.deliveries[0]
        self.assertTrue(is_genuine(HOOK_SECRET, delivery.headers["Entrepot-Signature"], delivery.body))
        self.assertTrue(flux_accepts(HOOK_SECRET, delivery.headers["X-Signature"], delivery.body))
        self.assertFalse(flux_accepts(HOOK_SECRET, delivery.headers["X-Signature"], delivery.body + b" "))
        data = delivery.json()["event_data"]
        self.assertEqual(data["resources"], [{
            "digest": digest, "tag": "release-1.4", "repository": f"{self.production}/app",
            "resource_url": f"hub.example/{self.production}/app:release-1.4",
            "reference": f"hub.example/{self.production}/app:release-1.4@{digest}"}])
        self.assertEqual((data["custom_attributes"]["to"], data["custom_attributes"]["id"]), (self.production, str(number)))
        wait_until(lambda: argo.deliveries, 30, "Argo CD hears of staging")
        self.assertEqual(argo_cd_reads("what both know", argo.deliveries[0]), ("hub.example", f"{self.staging}/app", "release-1.4"))
        self.assertIsNone(argo_cd_reads("something else", argo.deliveries[0]))

        again = self.registry.push_image(f"{self.test}/app", "release-1.4", b"a release")
        self.assertEqual(again, digest)
        self.push("release-1.5", "the next one")
        self.becomes(self.test, ["done", "waiting"])

    def test_a_newer_digest_supersedes_the_older(self):
        first = self.push("release-2", "first")
        self.becomes(self.test, ["waiting"])
        second = self.push("release-2", "second")
        self.becomes(self.test, ["superseded", "waiting"])
        self.assertIn(second, self.promotions(self.test)[0]["error"])
        self.assertEqual(self.check(first, "passed").status, 200)
        self.assertEqual(self.check(second, "passed").status, 200)
        self.becomes(self.test, ["superseded", "done"])
        self.assertEqual(self.digest_in(self.staging, "release-2"), second)
        waiting = self.push("release-3", "third")
        self.becomes(self.test, ["superseded", "done", "waiting"])
        number = self.promotions(self.test)[2]["id"]
        cancelled = self.admin.expect(200, "POST", f"/projects/{self.test}/promotions/{number}/cancel").json()
        self.assertEqual(cancelled["state"], "cancelled")
        self.assertEqual(self.check(waiting, "passed").status, 200)
        self.assertEqual(self.states(self.test), ["superseded", "done", "cancelled"])

    def test_labels_and_signatures_open_gates_too(self):
        signature = "application/vnd.dev.cosign.artifact.sig.v1+json"
        self.admin.expect(200, "PUT", f"/projects/{self.test}/promotionpolicies/{self.first}", {
            "name": "release", "target_project": self.staging, "trigger": "event_based", "tag_selectors": RELEASES, "approvals": 0,
            "gates": [{"kind": "label", "value": "ready"}, {"kind": "accessory", "value": signature}]})
        digest = self.push("release-1", "x")
        wait_until(lambda: [len(one["waiting_for"]) for one in self.promotions(self.test)] == [2], 20, "two gates are shut")
        label = self.admin.made("/labels", {"name": "ready", "scope": "p", "color": "#00FF00",
                                            "project_id": self.admin.get(f"/projects/{self.test}")["project_id"]})
        self.admin.post(f"/projects/{self.test}/repositories/app/artifacts/{digest}/labels", {"id": label}, 200)
        wait_until(lambda: [len(one["waiting_for"]) for one in self.promotions(self.test)] == [1], 20, "one is open")
        config, blob = b"{}", b"signed"
        for data in (config, blob):
            self.registry.push_blob(f"{self.test}/app", data)
        subject = self.registry.request("GET", f"/v2/{self.test}/app/manifests/{digest}")
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": signature,
                    "config": descriptor("application/vnd.oci.empty.v1+json", config),
                    "layers": [descriptor("application/octet-stream", blob)],
                    "subject": {"mediaType": subject.headers["Content-Type"], "digest": digest, "size": len(subject.body)}}
        self.registry.push_manifest(f"{self.test}/app", digest_of(json.dumps(manifest).encode()), manifest)
        self.becomes(self.test, ["done"])
        found = self.registry.request("GET", f"/v2/{self.staging}/app/referrers/{digest}").json()["manifests"]
        self.assertEqual([one["artifactType"] for one in found], [signature])

    def test_who_may_see_and_report_what(self):
        digest = self.push("release-1", "x")
        self.becomes(self.test, ["waiting"])
        guest, developer = self.user("guest", test=3), self.user("developer", test=2)
        stranger = self.user("stranger")
        self.assertEqual(self.check(digest, "passed", guest).status, 403)
        self.assertEqual(self.check(digest, "passed", stranger).status, 404)
        self.assertEqual(self.check(digest, "running", developer).json()["state"], "running")
        path = f"/projects/{self.test}/repositories/app/artifacts/{digest}/checks"
        self.assertEqual([one["name"] for one in guest.get(path)], ["e2e"])
        self.assertEqual(stranger.request("GET", path).status, 404)
        self.assertEqual(developer.request("DELETE", path + "/e2e").status, 403)
        self.assertEqual([one["environment"] for one in self.journey(digest, developer)["stages"]], ["test"])
        self.assertEqual(stranger.request("GET", f"/projects/{self.test}/pipeline").status, 404)
        self.assertEqual(guest.request("GET", f"/projects/{self.test}/pipeline").status, 403)
        seen = developer.get(f"/projects/{self.test}/pipeline")
        self.assertEqual(([one["project"] for one in seen["stages"]], seen["steps"]), ([self.test], []))
        for project in (self.test, self.staging, self.production):
            whole = self.admin.get(f"/projects/{project}/pipeline")
            self.assertEqual([one["environment"] for one in whole["stages"]], ["test", "staging", "production"])
            self.assertEqual([(one["project"], one["target_project"], one["trigger"]) for one in whole["steps"]],
                             [(self.test, self.staging, "event_based"), (self.staging, self.production, "event_based")])

    def test_nonsense_is_refused_and_lists_have_pages(self):
        digest = self.push("release-1", "x")
        path = f"/projects/{self.test}/repositories/app/artifacts/{digest}/checks"
        for wrong in ({}, {"state": "flaky"}, {"state": 1}, {"state": "passed", "url": "javascript:alert(1)"},
                      {"state": "passed", "summary": "x" * 4097}, {"state": "passed", "url": "https://" + "x" * 2048}, []):
            self.assertEqual(self.admin.request("PUT", path + "/e2e", wrong).status, 400, wrong)
        for name in ("a%20b", "x" * 129):
            self.assertEqual(self.admin.request("PUT", f"{path}/{name}", {"state": "passed"}).status, 400, name)
        self.assertEqual(self.admin.request("PUT", path.replace(digest, "no-such") + "/e2e", {"state": "passed"}).status, 404)
        self.assertEqual(self.admin.request("DELETE", path + "/e2e").status, 404)
        for i in range(64):
            self.admin.expect(200, "PUT", f"{path}/c{i:02}", {"state": "passed"})
        self.assertEqual(self.admin.request("PUT", path + "/more", {"state": "passed"}).status, 412)
        page = self.admin.request("GET", path, query={"page": 2, "page_size": 50, "q": "state=passed"})
        self.assertEqual((page.headers["X-Total-Count"], [one["name"] for one in page.json()][:1]), ("64", ["c50"]))
        for wrong in ({"trigger": "moon"}, {"gates": [{"kind": "check"}]}):
            answer = self.admin.request("POST", f"/projects/{self.test}/promotionpolicies",
                                        {"name": "wrong", "target_project": self.production, **wrong})
            self.assertEqual(answer.status, 400, (wrong, answer))
        answer = self.admin.request("PUT", f"/projects/{self.test}", {"metadata": {"environment": "two words"}})
        self.assertEqual(answer.status, 400, answer)

    def test_the_same_by_the_command_line(self):
        self.push("release-1", "x")
        environment = {"ENTREPOT_URL": "http://" + self.server.host, "ENTREPOT_USER": "admin", "ENTREPOT_PASSWORD": PASSWORD,
                       "HOME": str(self.work), "PATH": os.environ["PATH"]}

        def ctl(*words):
            return run(settings.binary, "ctl", *words, env=environment).stdout

        one = f"{self.test}/app:release-1"
        wait_until(lambda: "the check e2e" in ctl("promotion", "journey", one), 20, "it says why")
        ctl("check", "set", one, "e2e", "passed", "--summary", "fine")
        self.assertIn("passed", ctl("check", "list", one))
        steps = ctl("promotion", "pipeline", self.staging)
        self.assertIn(f"{self.staging} (staging)", steps)
        self.assertIn("check e2e", steps)
        self.becomes(self.test, ["done"])


@unittest.skipIf(settings.foreign, "about our own server")
class EnvironmentsAndCrashes(Chain):
    def test_killed_again_and_again_each_release_arrives_once(self):
        self.lay(self.serve())
        digests = {}
        for round_number in range(3):
            for i in range(4):
                tag = f"release-{round_number}-{i}"
                digests[tag] = self.push(tag, tag)
                self.assertEqual(self.check(digests[tag], "passed").status, 200)
            self.server.kill()
            self.server.start()
            self.use(self.server)
        wait_until(lambda: self.states(self.test) == ["done"] * len(digests), 120, "all have gone on")
        for tag, digest in digests.items():
            self.assertEqual(self.digest_in(self.staging, tag), digest)
        wait_until(lambda: sorted(self.states(self.production)) == ["pending"] * len(digests), 60, "all wait for a person, once")


@unittest.skipUnless(settings.database == "postgres", "of PostgreSQL: there several instances share a database")
class EnvironmentsOfTwo(Chain):
    def test_two_instances_start_each_promotion_once(self):
        shared = {"ENTREPOT_AUTH_MASTER_KEY": MASTER_KEY, "ENTREPOT_STORAGE_ROOT": str(self.work / "blobs")}
        one = self.serve(environment=shared)
        self.lay(one)
        other = self.serve(environment=shared, database=one.database)
        clients = [self.client(one), self.client(other)]
        digests = {}

        def release(client, name, numbers):
            for i in numbers:
                client.push_image(f"{self.test}/{name}", f"release-{i}", f"{name} {i}".encode())

        threads = [threading.Thread(target=release, args=(client, f"app{place}", range(10))) for place, client in enumerate(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for place in range(2):
            for i in range(10):
                tag = f"release-{i}"
                digests[(f"app{place}", tag)] = self.registry.request(
                    "HEAD", f"/v2/{self.test}/app{place}/manifests/{tag}").headers["Docker-Content-Digest"]
        apis = [Api(one.host), Api(other.host)]
        for api in apis:
            self.addCleanup(api.close)
        for place, ((name, _), digest) in enumerate(digests.items()):
            self.assertEqual(self.check(digest, "passed", apis[place % 2], name=name).status, 200)
        wait_until(lambda: self.states(self.test) == ["done"] * 20, 60, "each has gone on, once")
        wait_until(lambda: self.states(self.production) == ["pending"] * 20, 60, "and waits in production, once")
        for (name, tag), digest in digests.items():
            self.assertEqual(self.digest_in(self.staging, tag, name), digest)
