"""Virtual repositories: a project answers from its sources what it doesn't have itself."""
import json
import os
import unittest

from support import settings
from support.api import Api
from support.peers import Distribution
from support.registry import OCI_MANIFEST, Registry, descriptor, digest_of
from support.scenario import run
from support.server import PASSWORD, Server
from test_proxy import ALLOW, push_image


@unittest.skipIf(settings.foreign, "it is about this registry")
class Virtual(unittest.TestCase):
    """base = what is pushed to it, then `web` (a team's), then `hub` (a cache of docker-registry)."""

    @classmethod
    def setUpClass(cls):
        cls.upstream = Distribution().start()
        cls.server = Server(environment=ALLOW).start()
        cls.api = Api(cls.server.host)
        endpoint = {"name": "hub", "type": "docker-registry", "url": "http://" + cls.upstream.host, "insecure": True}
        number = cls.api.made("/registries", endpoint)
        cls.api.post("/projects", {"project_name": "web"})
        cls.api.post("/projects", {"project_name": "hub", "registry_id": number, "public": True})
        cls.api.post("/projects", {"project_name": "base", "public": True,
                                   "sources": [{"project": "web"}, {"project": "hub", "except": ["acme/**"]}]})
        for name in ("wanda", "olga"):
            cls.api.post("/users", {"username": name, "password": "Somebody1pass", "email": f"{name}@example.com",
                                    "realname": name})
        cls.api.post("/projects/web/members", {"role_id": 3, "member_user": {"username": "wanda"}})

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.upstream.close()

    def client(self, user="admin", password=PASSWORD):
        client = Registry(self.server.host, user=user, password=password)
        self.addCleanup(client.close)
        return client

    def pull(self, name, reference, **who):
        return self.client(**who).request("GET", f"/v2/{name}/manifests/{reference}")

    def push(self, repository, tag, size=2000):
        return push_image(self.server.host, repository, tag, size, PASSWORD, "admin")

    def test_what_the_project_lacks_comes_from_the_first_source_that_has_it(self):
        theirs, at_hub = push_image(self.upstream.host, "app", "1", 400_000)
        got = self.pull("base/app", "1")
        self.assertEqual((got.status, got.body), (200, at_hub), got)
        self.assertEqual(got.headers["Content-Location"], "/v2/hub/app/manifests/1")
        blob = self.client().request("GET", f"/v2/base/app/blobs/{digest_of(theirs)}")
        self.assertEqual((blob.status, blob.body), (200, theirs))
        head = self.client().request("HEAD", f"/v2/base/app/blobs/{digest_of(theirs)}")
        self.assertEqual((head.status, head.headers["Content-Length"]), (200, str(len(theirs))))
        _, in_web = self.push("web/app", "1")
        self.assertEqual(self.pull("base/app", "1").body, in_web, "web comes before hub")
        self.assertEqual(self.pull("base/app", digest_of(at_hub)).body, at_hub, "digests are found wherever they are")
        _, own = self.push("base/app", "1")
        self.assertEqual(self.pull("base/app", "1").body, own, "what it has itself comes first")
        self.assertEqual(self.pull("base/app", "none").status, 404)
        self.assertEqual(self.pull("base/nowhere", "1").status, 404)

    def test_nobody_gets_what_they_may_not_pull_from_the_source(self):
        _, in_web = self.push("web/secret", "1")
        self.assertEqual(self.pull("base/secret", "1").body, in_web)
        wanda = {"user": "wanda", "password": "Somebody1pass"}
        olga = {"user": "olga", "password": "Somebody1pass"}
        self.assertEqual(self.pull("base/secret", "1", **wanda).body, in_web, "a token for base is enough")
        refused, absent = self.pull("base/secret", "1", **olga), self.pull("base/no-such", "1", **olga)
        self.assertEqual((refused.status, absent.status), (404, 404), "and it can't be told from what isn't there")
        digest = digest_of(in_web)
        self.assertEqual(self.pull("base/secret", digest, **olga).status, 404)
        for name in ("secret", "no-such"):
            asked = self.client(user=None).raw("GET", f"/v2/base/{name}/manifests/1")
            self.assertEqual(asked.status, 401, "clients log in when they are asked to")
        tags = self.client(**olga).request("GET", "/v2/base/secret/tags/list")
        self.assertEqual(tags.status, 404, tags)
        self.assertEqual(self.client(**wanda).request("GET", "/v2/base/secret/tags/list").json()["tags"], ["1"])

    def test_names_that_are_excepted_never_leave(self):
        push_image(self.upstream.host, "acme/app", "1", 1000)
        self.assertEqual(self.pull("hub/acme/app", "1").status, 200)
        self.assertEqual(self.pull("base/acme/app", "1").status, 404)

    def test_lists_are_joined(self):
        push_image(self.upstream.host, "joined", "b", 1000)
        push_image(self.upstream.host, "joined", "d", 1000)
        self.push("web/joined", "c")
        self.push("base/joined", "a")
        self.push("base/joined", "d")
        client = self.client()
        self.assertEqual(client.request("GET", "/v2/base/joined/tags/list").json(),
                         {"name": "base/joined", "tags": ["a", "b", "c", "d"]})
        page, seen = "/v2/base/joined/tags/list?n=1", []
        while page and len(seen) < 10:
            answer = client.request("GET", page)
            seen += answer.json()["tags"]
            link = answer.headers.get("Link", "")
            page = link[1:link.index(">")] if link else ""
        self.assertEqual(seen, ["a", "b", "c", "d"])

    def test_a_signature_beside_what_another_project_has_is_found(self):
        _, in_web = self.push("web/signed", "1")
        subject = {"mediaType": OCI_MANIFEST, "digest": digest_of(in_web), "size": len(in_web)}
        client = self.client()
        for name, repository in (("one", "base/signed"), ("two", "web/signed"), ("three", "web/signed")):
            client.push_blob(repository, b"{}")
            signature = json.dumps({
                "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/x.signature",
                "config": descriptor("application/vnd.oci.empty.v1+json", b"{}"), "layers": [], "subject": subject,
                "annotations": {"name": name}}).encode()
            client.push_manifest(repository, digest_of(signature), signature)
        listed = client.request("GET", f"/v2/base/signed/referrers/{digest_of(in_web)}").json()["manifests"]
        self.assertEqual({one["annotations"]["name"] for one in listed}, {"one", "two", "three"})
        one = client.request("GET", f"/v2/web/signed/referrers/{digest_of(in_web)}").json()["manifests"]
        self.assertEqual({entry["annotations"]["name"] for entry in one}, {"two", "three"})

    def test_a_tag_stops_at_a_source_that_can_not_answer_unless_it_is_optional(self):
        self.api.post("/projects", {"project_name": "last", "public": True})
        _, last = self.push("last/only", "1")
        sources = [{"project": "hub"}, {"project": "last"}]
        self.api.post("/projects", {"project_name": "chain", "public": True, "sources": sources})
        self.assertEqual(self.pull("chain/only", "1").body, last)
        self.upstream.stop()
        try:
            self.assertEqual(self.pull("chain/only", "1").status, 200, "it was not at the hub a moment ago")
            self.push("last/later", "1")
            self.assertEqual(self.pull("chain/later", "1").status, 503)
            self.assertEqual(self.pull("chain/only", digest_of(last)).body, last, "a digest is the same anywhere")
            sources[0]["optional"] = True
            self.api.put("/projects/chain", {"sources": sources})
            self.assertEqual(self.pull("chain/later", "1").status, 200)
            self.assertEqual(self.pull("chain/nowhere", "1").status, 503, "nobody knows")
        finally:
            self.upstream.start()

    def test_a_project_comes_where_it_is_named_itself(self):
        self.api.post("/projects", {"project_name": "after", "public": True,
                                    "sources": [{"project": "hub", "optional": True}, {"project": "after"}]})
        _, own = self.push("after/alone", "1")
        self.assertEqual(self.pull("after/alone", "1").body, own)
        _, other = self.push("after/lagging", "1")
        self.pull("after/lagging", digest_of(other))
        _, newest = push_image(self.upstream.host, "lagging", "1", 500)
        for _ in range(3):
            self.assertEqual(self.pull("after/lagging", "1").body, newest, "what lags behind is read through")
        self.assertEqual(self.pull("after/lagging", digest_of(other)).body, other)
        shown = self.api.get("/projects/after")["sources"]
        self.assertEqual([one["project"] for one in shown], ["hub", "after"])

    def test_renamed_and_deleted_sources(self):
        for name in ("first", "second"):
            self.api.post("/projects", {"project_name": name, "public": True})
            self.push(f"{name}/app", "1")
        self.api.post("/projects", {"project_name": "both", "public": True,
                                    "sources": [{"project": "first"}, {"project": "second"}]})
        self.api.post("/projects/first/rename", {"name": "premier"}, status=(200, 201))
        self.assertEqual(self.pull("both/app", "1").headers["Content-Location"], "/v2/premier/app/manifests/1")
        self.api.post("/projects/both/rename", {"name": "together"}, status=(200, 201))
        answer = self.pull("both/app", "1")
        self.assertEqual(answer.headers["Content-Location"], "/v2/premier/app/manifests/1", "also by its former name")
        self.api.delete("/projects/premier/repositories/app")
        self.api.delete("/projects/premier")
        self.assertEqual(self.pull("together/app", "1").headers["Content-Location"], "/v2/second/app/manifests/1")

    def test_settings_are_checked_and_shown(self):
        wrong = [
            [{"project": "none"}], [{"project_id": 999999}], [{}], [{"project": "web", "repositories": ["{a"]}],
            [{"project": "web"}, {"project": "web"}], "web", [{"project": "web", "optional": "perhaps"}],
            [{"project": "web", "project_id": 999999}],
        ]
        for number, sources in enumerate(wrong):
            answer = self.api.request("POST", "/projects", {"project_name": f"wrong{number}", "sources": sources})
            self.assertEqual(answer.status, 400, (sources, answer))
        shown = self.api.get("/projects/base")["sources"]
        self.assertEqual([one["project"] for one in shown], ["web", "hub"])
        self.assertEqual(shown[1]["except"], ["acme/**"])
        olga = Api(self.server.host, "olga", "Somebody1pass")
        hub = {"project": "hub", "project_id": shown[1]["project_id"], "optional": False}
        self.assertEqual(olga.get("/projects/base")["sources"], [hub], "she can't see web, and patterns tell names")
        self.assertEqual(olga.request("PUT", "/projects/base", {"sources": []}).status, 403)
        mine = olga.request("POST", "/projects", {"project_name": "olgas", "sources": [{"project": "web"}]})
        self.assertEqual(mine.status, 400, mine)
        told = [olga.request("POST", "/projects", {"project_name": "olgas", "sources": [{"project": name, "project_id": 1}]})
                for name in ("web", "no-such")]
        self.assertEqual(told[0].json()["errors"][0]["message"], told[1].json()["errors"][0]["message"])
        itself = {"project": "itself", "repositories": ["a/**"]}
        self.assertEqual(self.api.request("POST", "/projects", {"project_name": "itself", "sources": [itself]}).status, 400)

    def test_what_is_read_can_be_sent_back(self):
        self.api.post("/projects", {"project_name": "before"})
        self.api.post("/projects", {"project_name": "roundtrip", "sources": [{"project": "before"}, {"project": "roundtrip"}]})
        read = self.api.get("/projects/roundtrip")["sources"]
        self.api.post("/projects/before/rename", {"name": "behind"}, status=(200, 201))
        self.api.post("/projects/roundtrip/rename", {"name": "turned"}, status=(200, 201))
        self.api.put("/projects/turned", {"sources": read})
        self.assertEqual([one["project"] for one in self.api.get("/projects/turned")["sources"]], ["behind", "turned"])
        self.api.delete("/projects/behind")
        gone = self.api.get("/projects/turned")["sources"]
        self.assertNotIn("project", gone[0])
        self.api.put("/projects/turned", {"sources": gone})

    def test_pushes_see_what_is_there_itself(self):
        client = self.client()
        shared = b"a layer that web has" * 100
        client.push_image("web/pushed", "1", shared)
        client.push_image("base/pushed", "2", shared, b"and one of its own")
        self.assertEqual(client.pull_image("base/pushed", "1"), client.pull_image("web/pushed", "1"))
        client.pull_image("base/pushed", "2")
        self.api.post("/projects", {"project_name": "late", "sources": [{"project": "web"}, {"project": "late"}]})
        begun = client.expect(202, "POST", "/v2/late/pushed/blobs/uploads/")
        client.expect(202, "PATCH", begun.headers["Location"], b"some", {"Content-Range": "0-3"})
        self.assertEqual(client.expect(204, "GET", begun.headers["Location"]).headers["Range"], "0-3")

    def test_a_repository_that_moved_within_a_source_is_followed(self):
        _, moved = self.push("web/old", "1")
        push_image(self.upstream.host, "old", "1", 700)
        self.api.post("/projects/web/repositories/old/rename", {"name": "web/new"}, status=(200, 201))
        self.assertEqual(self.pull("base/old", "1").body, moved, "and not the hub's of the same name")

    def test_who_refuses_has_not_said_that_it_lacks_the_tag(self):
        endpoint = {"name": "locked", "type": "docker-registry", "url": "http://" + self.server.host,
                    "credential": {"type": "basic", "access_key": "admin", "access_secret": "Wrong1password"}}
        number = self.api.made("/registries", endpoint)
        self.api.post("/projects", {"project_name": "locked", "registry_id": number})
        self.push("web/web/svc", "1")
        sources = [{"project": "locked"}, {"project": "web"}]
        self.api.post("/projects", {"project_name": "strict", "sources": sources})
        self.assertEqual(self.pull("strict/web/svc", "1").status, 403)
        sources[0]["optional"] = True
        self.api.put("/projects/strict", {"sources": sources})
        self.assertEqual(self.pull("strict/web/svc", "1").status, 200)

    def test_the_command_line(self):
        def ctl(*words):
            return run(settings.binary, "ctl", *words, env={
                "ENTREPOT_URL": f"http://{self.server.host}", "ENTREPOT_USER": "admin", "ENTREPOT_PASSWORD": PASSWORD,
                "PATH": os.environ["PATH"], "HOME": "/nonexistent"})
        ctl("project", "create", "byctl", "--source", "web", "--source", "hub=library/**,!library/own-*")
        shown = self.api.get("/projects/byctl")["sources"]
        self.assertEqual([one["project"] for one in shown], ["web", "hub"])
        self.assertEqual((shown[1]["repositories"], shown[1]["except"]), (["library/**"], ["library/own-*"]))
        ctl("project", "update", "byctl", "--no-sources")
        self.assertEqual(self.api.get("/projects/byctl").get("sources", []), [])
        ctl("project", "create", "cache", "--caches", "hub", "--freshness", "ttl", "--ttl", "60", "--only", "library/**")
        ctl("project", "update", "cache", "--bandwidth", "10MiB")
        settings_now = self.api.get("/projects/cache")["proxy_settings"]
        self.assertEqual(settings_now, {"freshness": "ttl", "ttl": 60, "repositories": ["library/**"],
                                        "bytes_per_second": 10 * 1024 * 1024})
