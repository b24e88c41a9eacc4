"""Two of our own registries, and one of another kind, that copy from and to each other by policies."""
import json
import re
import time
import unittest
import urllib.request
import uuid

from support import settings
from support.api import Api
from support.peers import Distribution, programs
from support.registry import OCI_INDEX, OCI_MANIFEST, Registry, descriptor, digest_of
from support.scenario import Scenario
from support.server import PASSWORD, Server, wait_until

MIB = 1 << 20
OUTBOUND = {"ENTREPOT_OUTBOUND_ALLOW": "127.0.0.0/8"}
SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"


def count_of(server, metric):
    with urllib.request.urlopen(f"http://{server.host}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(float(value) for value in re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", text, re.M))


def sent_by(server):
    """Bytes of blobs that tasks of this process have sent, by its own count."""
    return count_of(server, "entrepot_replication_bytes_total")


@unittest.skipIf(settings.foreign, "the management API is our own")
class Replication(Scenario):
    def setUp(self):
        super().setUp()
        self.here = self.started("here")
        self.there = self.started("there")
        self.api = self.admin_of(self.here)
        self.source, self.target = self.client(self.here), self.client(self.there)
        self.admin_of(self.there)
        self.number = self.endpoint(self.there.host)

    def started(self, name):
        server = Server(data=self.work / name, environment=OUTBOUND).start()
        self.addCleanup(server.close)
        return server

    def admin_of(self, server):
        api = Api(server.host)
        self.addCleanup(api.close)
        return api

    def endpoint(self, host, api=None, anonymous=False, kind="docker-registry"):
        body = {"name": "e" + uuid.uuid4().hex[:8], "url": "http://" + host, "type": kind}
        if not anonymous:
            body["credential"] = {"type": "basic", "access_key": "admin", "access_secret": PASSWORD}
        return (api or self.api).made("/registries", body)

    def policy(self, push=True, trigger="manual", api=None, number=None, **more):
        side = {"dest_registry": {"id": number or self.number}} if push else {"src_registry": {"id": number or self.number}}
        body = {"name": "p" + uuid.uuid4().hex[:8], "enabled": True, "override": True, "trigger": {"type": trigger}, **side, **more}
        return (api or self.api).made("/replication/policies", body)

    def execute(self, policy, api=None, seconds=60):
        api = api or self.api
        number = api.made("/replication/executions", {"policy_id": policy})
        self.wait_for(number, api, seconds)
        return number

    def wait_for(self, number, api=None, seconds=60, status="Succeed"):
        api = api or self.api
        state = {}

        def ended():
            state.update(api.expect(200, "GET", f"/replication/executions/{number}").json())
            return state["status"] in ("Succeed", "Failed", "Stopped")
        wait_until(ended, seconds, f"execution {number} ends")
        self.assertEqual(state["status"], status, (state, self.logs(number, api)))
        return state

    def logs(self, number, api=None):
        api = api or self.api
        tasks = api.expect(200, "GET", f"/replication/executions/{number}/tasks").json()
        return "\n".join(api.expect(200, "GET", f"/replication/executions/{number}/tasks/{task['id']}/log").body.decode()
                         for task in tasks)

    def digest(self, client, repository, reference):
        answer = client.request("HEAD", f"/v2/{repository}/manifests/{reference}", headers={"Accept": f"{OCI_MANIFEST}, {OCI_INDEX}"})
        return answer.headers.get("Docker-Content-Digest") if answer.status == 200 else None

    def test_push_pull_and_nothing_twice(self):
        self.api.post("/projects", {"project_name": self.project})
        wanted = self.source.push_image(f"{self.project}/web", "1.0", b"layer one", b"x" * 300_000)
        self.source.push_image(f"{self.project}/web", "dev", b"not this one")
        policy = self.policy(dest_namespace="mirror", filters=[{"type": "name", "value": f"{self.project}/**"},
                                                               {"type": "tag", "value": "1.*"}])
        number = self.execute(policy)
        self.assertEqual(self.digest(self.target, "mirror/web", "1.0"), wanted)
        self.assertIsNone(self.digest(self.target, "mirror/web", "dev"))
        self.assertIn(f"{self.project}/web:1.0 → mirror/web:1.0: copied", self.logs(number))
        again = self.execute(policy)
        self.assertEqual(self.api.expect(200, "GET", f"/replication/executions/{again}/tasks").json(), [], "nothing to do")

        # The other way round, by the other registry's policy.
        other = self.admin_of(self.there)
        back = self.endpoint(self.here.host, api=other)
        pulling = self.policy(push=False, api=other, number=back, dest_namespace="fetched",
                              filters=[{"type": "name", "value": f"{self.project}/web"}])
        self.execute(pulling, api=other)
        self.assertEqual(self.digest(self.target, "fetched/web", "1.0"), wanted)
        self.assertIsNotNone(self.digest(self.target, "fetched/web", "dev"))

    def test_events_bring_signatures_and_take_tags_away(self):
        self.api.post("/projects", {"project_name": self.project})
        self.policy(trigger="event_based", deletion=True, filters=[{"type": "name", "value": f"{self.project}/**"}])
        repository = f"{self.project}/app"
        digest = self.source.push_image(repository, "1", b"one")
        wait_until(lambda: self.digest(self.target, repository, "1") == digest, 20, "the push is repeated")
        signed = self.sign(self.source, repository, digest)
        wait_until(lambda: self.digest(self.target, repository, signed), 20, "its signature follows")
        referrers = self.target.expect(200, "GET", f"/v2/{repository}/referrers/{digest}").json()["manifests"]
        self.assertEqual([entry["digest"] for entry in referrers], [signed])
        self.source.expect(202, "DELETE", f"/v2/{repository}/manifests/1")
        wait_until(lambda: self.digest(self.target, repository, "1") is None, 20, "the tag goes there, too")

    def sign(self, client, repository, digest):
        subject = client.request("GET", f"/v2/{repository}/manifests/{digest}", headers={"Accept": OCI_MANIFEST})
        client.push_blob(repository, b"{}")
        signature = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": SIGNATURE,
                     "config": descriptor("application/vnd.oci.empty.v1+json", b"{}"), "layers": [],
                     "subject": {"mediaType": OCI_MANIFEST, "digest": digest, "size": len(subject.body)}}
        signed = digest_of(json.dumps(signature).encode())
        client.push_manifest(repository, signed, signature)
        return signed

    def tasks_of(self, number, api=None):
        return (api or self.api).expect(200, "GET", f"/replication/executions/{number}/tasks").json()

    def test_two_of_ours_compare_digests_of_ranges(self):
        self.api.post("/projects", {"project_name": self.project})
        tags = [(f"{self.project}/{name}", tag) for name in ("api", "web", "web/front") for tag in ("1", "2", "3", "4", "5", "6")]
        digests = {place: self.source.push_image(*place, repr(place).encode()) for place in tags}
        filters = [{"type": "name", "value": f"{self.project}/**"}]
        ours = self.endpoint(self.there.host, kind="entrepot")
        back = self.endpoint(self.here.host, api=self.admin_of(self.there), kind="entrepot")
        other = self.admin_of(self.there)
        pushing = self.policy(number=ours, filters=filters)
        # Pulled into a project of another name, where digests leave the name out.
        pulling = self.policy(push=False, api=other, number=back, filters=filters, dest_namespace="mirror", dest_namespace_replace_count=1)

        def copied(number, api):
            return sorted(line for line in self.logs(number, api).splitlines() if " → " in line and "copied" in line)

        for policy, api, asked, mirror in ((pushing, self.api, self.there, self.project), (pulling, other, self.here, "mirror")):
            first = self.execute(policy, api)
            self.assertEqual(len(copied(first, api)), len(tags))
            before = count_of(asked, "entrepot_http_requests_total")
            again = self.execute(policy, api)
            self.assertEqual(self.tasks_of(again, api), [], "nothing to do")
            requests = count_of(asked, "entrepot_http_requests_total") - before
            self.assertLess(requests, len(tags), "less than one question a tag")

            # Exactly what changes: a tag moves, one comes, one is signed. One goes, which stays there.
            moved, new = self.source.push_image(*tags[7], b"moved " + mirror.encode()), (f"{self.project}/new", mirror)
            self.source.push_image(*new, b"new")
            signed = self.sign(self.source, *(tags[0][0], digests[tags[0]])) if mirror != "mirror" else \
                self.sign(self.source, tags[1][0], digests[tags[1]])
            gone = tags[17] if mirror != "mirror" else tags[16]
            self.source.expect(202, "DELETE", f"/v2/{gone[0]}/manifests/{gone[1]}")
            lines = "\n".join(copied(self.execute(policy, api), api))
            self.assertIn(f"{tags[7][0]}:{tags[7][1]} → ", lines)
            self.assertIn(f"{new[0]}:{new[1]} → ", lines)
            self.assertEqual(len(lines.splitlines()), 3, lines)
            there = [repository.replace(self.project, mirror) for repository in (tags[7][0], tags[0][0], gone[0])]
            self.assertEqual(self.digest(self.target, there[0], tags[7][1]), moved)
            self.assertEqual(self.digest(self.target, there[1], signed), signed)
            self.assertEqual(self.digest(self.target, there[2], gone[1]), digests[gone])
            self.assertEqual(self.tasks_of(self.execute(policy, api), api), [])

        # A robot that may only pull is told the same.
        robot = self.made_robot()
        reading = Api(self.here.host, user=robot["name"], password=robot["secret"])
        self.addCleanup(reading.close)
        states = reading.expect(200, "GET", f"/tag-states?after_repository={self.project}/&limit=100").json()
        self.assertEqual((states["tags"], states["more"]), (len(tags), False))

    def made_robot(self):
        body = {"name": "r" + uuid.uuid4().hex[:8], "level": "project", "duration": -1,
                "permissions": [{"kind": "project", "namespace": self.project, "access": [{"resource": "repository", "action": "pull"}]}]}
        return self.api.expect(201, "POST", "/robots", body).json()

    def test_two_registries_that_push_into_each_other_come_to_rest(self):
        self.api.post("/projects", {"project_name": self.project})
        other = self.admin_of(self.there)
        filters = [{"type": "name", "value": f"{self.project}/**"}]
        self.policy(trigger="event_based", filters=filters, dest_namespace_replace_count=0)
        self.policy(trigger="event_based", filters=filters, api=other, number=self.endpoint(self.here.host, api=other),
                    dest_namespace_replace_count=0)
        repository = f"{self.project}/app"
        first = self.source.push_image(repository, "1", b"one")
        wait_until(lambda: self.digest(self.target, repository, "1") == first, 20, "it goes over")
        second = self.target.push_image(repository, "1", b"two")
        wait_until(lambda: self.digest(self.source, repository, "1") == second, 20, "it comes back changed")
        time.sleep(3)  # in circles it would go on now
        counts = [len(api.expect(200, "GET", "/replication/executions?page_size=100").json()) for api in (self.api, other)]
        self.assertLessEqual(sum(counts), 6, counts)
        self.assertEqual(self.digest(self.target, repository, "1"), second)

    def test_killed_in_the_middle_of_a_blob_it_goes_on_there(self):
        self.api.post("/projects", {"project_name": self.project})
        size = 48 * MIB
        layer = self.random.randbytes(size)
        digest = self.source.push_image(f"{self.project}/big", "1", layer)
        policy = self.policy(speed=8 * 1024, filters=[{"type": "name", "value": f"{self.project}/big"}])
        number = self.api.made("/replication/executions", {"policy_id": policy})
        wait_until(lambda: self.upload_of(self.there) >= 16 * MIB, 60, "the first chunks are over")
        self.here.kill()
        before = self.upload_of(self.there)
        self.here.start()
        self.wait_for(number, seconds=120)
        self.assertEqual(self.digest(self.target, f"{self.project}/big", "1"), digest)
        log = self.logs(number)
        self.assertIn("goes on at", log)
        sent_after = sent_by(self.here)
        self.assertGreater(sent_after, 0)
        self.assertLessEqual(sent_after, size - before + 64 * 1024, "what had arrived is not sent again")

    def upload_of(self, server):
        """The size of the one upload under way in the server's storage."""
        folder = server.data / "blobs" / "uploads"
        return max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=0)

    def test_another_registry_as_target_and_as_source(self):
        self.api.post("/projects", {"project_name": self.project})
        digest = self.source.push_image(f"{self.project}/web", "1", b"small", self.random.randbytes(20 * MIB))
        peers = programs()
        if not peers:
            self.skipTest("no registry of others is installed")
        for version, program in peers.items():
            with self.subTest(distribution=version):
                peer = Distribution(program).start()
                self.addCleanup(peer.close)
                foreign = Registry(peer.host, user=None)
                self.addCleanup(foreign.close)
                number = self.endpoint(peer.host, anonymous=True)
                self.execute(self.policy(number=number, dest_namespace="library",
                                         filters=[{"type": "name", "value": f"{self.project}/**"}]))
                self.assertEqual(self.digest(foreign, "library/web", "1"), digest)
                again = "again" + version.replace(".", "-")
                self.execute(self.policy(push=False, number=number, dest_namespace=again,
                                         filters=[{"type": "name", "value": "library/**"}]))
                self.assertEqual(self.digest(self.source, f"{again}/web", "1"), digest)
