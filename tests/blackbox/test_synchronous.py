"""Projects that several sites of ours hold: pushes that k of n sites have to have, sites that go, and homes that change."""
import contextlib
import json
import threading
import unittest
import uuid

from support import settings
from support.api import Api
from support.registry import OCI_MANIFEST, Registry, descriptor, digest_of
from support.scenario import Scenario
from support.server import PASSWORD, Server, wait_until

CLOSED = "http://127.0.0.1:1"
MIB = 1 << 20


@unittest.skipIf(settings.foreign, "the management API is our own")
class Synchronous(Scenario):
    def setUp(self):
        super().setUp()
        self.servers, self.apis, self.clients = {}, {}, {}
        for name in ("home", "one", "two"):
            self.start(name)
        self.repository = f"{self.project}/web"
        self.apis["home"].post("/projects", {"project_name": self.project})

    def start(self, name):
        if name not in self.servers:
            server = Server(data=self.work / name)
            self.servers[name] = server
            server.environment = {"ENTREPOT_OUTBOUND_ALLOW": "127.0.0.0/8", "ENTREPOT_AUTH_EXTERNAL_URL": self.address(name)}
            self.addCleanup(server.close)
        self.servers[name].start()
        if name in self.apis:
            self.apis[name].close()
        self.apis[name] = Api(self.servers[name].host)
        self.addCleanup(self.apis[name].close)
        self.clients[name] = self.client(self.servers[name])

    def address(self, name):
        return f"http://{self.servers[name].host}"

    def endpoint(self, at, to):
        """Of one site at another, by its name; of an address that nobody is at as it is."""
        known = to in self.servers
        body = {"name": f"to-{to if known else 'nobody'}-{uuid.uuid4().hex[:6]}", "type": "entrepot",
                "url": self.address(to) if known else to,
                "credential": {"type": "basic", "access_key": "admin", "access_secret": PASSWORD}}
        return self.apis[at].made("/registries", body)

    def path(self, rest=""):
        return f"/projects/{self.project}/synchronisation{rest}"

    def settings_of(self, at, sites, **more):
        return {"sites": [{"registry_id": self.endpoint(at, site)} for site in sites], "timeout": 5, **more}

    def set_up(self, sites=("one", "two"), **more):
        answer = self.apis["home"].expect(200, "PUT", self.path(), self.settings_of("home", sites, **more))
        return answer.json()

    def digest(self, name, tag):
        answer = self.clients[name].request("HEAD", f"/v2/{self.repository}/manifests/{tag}", headers={"Accept": OCI_MANIFEST})
        return answer.headers.get("Docker-Content-Digest") if answer.status == 200 else None

    def push(self, name, tag, content):
        """The answer to the manifest's PUT, or to the blob before it that is refused already."""
        client = self.clients[name]
        for blob in (content, b"{}"):
            begun = client.request("POST", f"/v2/{self.repository}/blobs/uploads/")
            if begun.status != 202:
                return begun
            client.expect(201, "PUT", begun.headers["Location"] + "?digest=" + digest_of(blob), blob,
                          {"Content-Type": "application/octet-stream"})
        manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                               "config": descriptor("application/vnd.oci.image.config.v1+json", b"{}"),
                               "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", content)]}).encode()
        return client.request("PUT", f"/v2/{self.repository}/manifests/{tag}", manifest, {"Content-Type": OCI_MANIFEST})

    def state(self, name):
        return self.apis[name].expect(200, "GET", self.path()).json()

    def events(self, name, kind):
        found, after = [], 0
        while True:
            answer = self.apis[name].expect(200, "GET", "/events", query={"after": after, "limit": 1000})
            if int(answer.headers["X-Next-Cursor"]) == after:
                return [event for event in found if event["type"] == kind]
            found += answer.json()
            after = int(answer.headers["X-Next-Cursor"])

    def up_to_date(self):
        return all(site["lacking"] == 0 and site["knows_home"] for site in self.state("home")["sites"])

    def test_an_acknowledged_push_is_at_all_sites(self):
        self.set_up(required=2)
        answer = self.push("home", "1", b"x" * 300_000)
        self.assertEqual(answer.status, 201, answer.body)
        self.assertIsNone(answer.headers.get("Warning"))
        digest = answer.headers["Docker-Content-Digest"]
        for name in ("home", "one", "two"):
            self.assertEqual(self.digest(name, "1"), digest, name)
        # Nobody else writes to a follower, and it says where the home is.
        refused = self.clients["one"].request("POST", f"/v2/{self.repository}/blobs/uploads/")
        self.assertEqual(refused.status, 403)
        self.assertIn(self.address("home").encode(), refused.body)
        for path, method in ((f"/v2/{self.repository}/manifests/1", "DELETE"), (f"/v2/{self.repository}/manifests/{digest}", "DELETE")):
            self.assertEqual(self.clients["one"].request(method, path).status, 403, path)
        tags = f"/projects/{self.project}/repositories/web/artifacts/1/tags"
        self.assertEqual(self.apis["one"].request("POST", tags, {"name": "2"}).status, 403)
        # What is deleted here goes there.
        self.assertEqual(self.clients["home"].request("DELETE", f"/v2/{self.repository}/manifests/1").status, 202)
        wait_until(lambda: self.digest("one", "1") is None and self.digest("two", "1") is None, 30, "the tag goes")
        self.assertEqual(self.state("one")["role"], "follower")

    def uploads(self, name):
        """The sizes of the uploads that are under way at a site."""
        folder = self.servers[name].data / "blobs" / "uploads"
        sizes = []
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                sizes.append(path.stat().st_size)
        return sizes

    def send(self, place, part):
        answer = self.clients["home"].expect(202, "PATCH", place, part, {"Content-Type": "application/octet-stream"})
        return answer.headers["Location"]

    def begin_upload(self):
        return self.clients["home"].expect(202, "POST", f"/v2/{self.repository}/blobs/uploads/").headers["Location"]

    def test_a_blob_goes_to_the_sites_while_it_comes(self):
        self.set_up(required=2, timeout=60)
        blob = self.random.randbytes(12 * MIB)

        def half_way(place):
            place = self.send(self.send(place, blob[:3 * MIB]), blob[3 * MIB:6 * MIB])
            wait_until(lambda: all(max(self.uploads(name), default=0) > 4 * MIB for name in ("one", "two")), 30, "it is sent on")
            return place

        def none_left(*names):
            wait_until(lambda: not any(self.uploads(name) for name in names), 30, "nothing stays at the sites")
        home = self.clients["home"]
        # One that is cancelled, and one that has another digest.
        home.expect(204, "DELETE", half_way(self.begin_upload()))
        none_left("one", "two")
        place = self.send(half_way(self.begin_upload()), blob[6 * MIB:])
        home.expect(400, "PUT", place + "?digest=" + digest_of(b"something else"), b"")
        none_left("one", "two")
        # One in whose middle a site dies, and comes back when it has come.
        place = half_way(self.begin_upload())
        self.servers["two"].kill()
        place = self.send(place, blob[6 * MIB:])
        home.expect(201, "PUT", place + "?digest=" + digest_of(blob), b"")
        self.start("two")
        answer = self.push("home", "1", blob)
        self.assertEqual(answer.status, 201, answer.body)
        self.assertEqual(self.clients["two"].pull_blob(self.repository, digest_of(blob)), blob)
        none_left("one")
        # Whole in one request; by two clients at once; and when the sites have it.
        other = self.random.randbytes(8 * MIB)
        threads = [threading.Thread(target=self.push_whole, args=(other,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for tag, content in (("2", other), ("3", blob)):
            self.assertEqual(self.push("home", tag, content).status, 201)
            for name in ("one", "two"):
                self.assertEqual(self.clients[name].pull_blob(self.repository, digest_of(content)), content, (tag, name))
        none_left("one")

    def push_whole(self, blob):
        with contextlib.closing(Registry(self.servers["home"].host, "admin", PASSWORD)) as client:
            client.expect(201, "POST", f"/v2/{self.repository}/blobs/uploads/?digest={digest_of(blob)}", blob,
                          {"Content-Type": "application/octet-stream"})

    def test_what_was_there_before_is_brought_over(self):
        digest = self.push("home", "old", b"old content").headers["Docker-Content-Digest"]
        self.set_up(required=1)
        wait_until(self.up_to_date, 30, "the sites catch up")
        self.assertEqual(self.digest("one", "old"), digest)
        self.assertEqual(self.digest("two", "old"), digest)
        # A project that is stopped is like any other, everywhere.
        self.apis["home"].expect(200, "DELETE", self.path())
        self.assertEqual(self.apis["one"].request("GET", self.path()).status, 404)
        self.assertEqual(self.push("one", "own", b"own").status, 201)

    def test_too_few_sites_refuse_or_degrade_and_catch_up(self):
        self.set_up(required=2)
        self.servers["two"].kill()
        answer = self.push("home", "1", b"refused")
        self.assertEqual(answer.status, 503, answer.body)
        self.assertIn(b"to-two", answer.body)
        self.assertIsNone(self.digest("home", "1"), "what was not acknowledged is not to be seen")
        self.set_up_again(required=1)
        answer = self.push("home", "1", b"one is enough")
        self.assertEqual(answer.status, 201, answer.body)
        self.set_up_again(required=2, when_fewer="degrade")
        answer = self.push("home", "2", b"degraded")
        self.assertEqual(answer.status, 201, answer.body)
        self.assertIn("to-two", answer.headers["Warning"])
        self.assertEqual(self.digest("one", "2"), answer.headers["Docker-Content-Digest"])
        self.assertEqual([event["tag"] for event in self.events("home", "synchronisation.degraded")], ["2"])
        metrics = self.clients["home"].request("GET", "/metrics").body.decode()
        self.assertIn('entrepot_synchronous_pushes_total{outcome="degraded"} 1', metrics)
        self.start("two")
        wait_until(self.up_to_date, 60, "the site that was away catches up")
        self.assertEqual(self.digest("two", "2"), answer.headers["Docker-Content-Digest"])
        self.assertEqual(self.digest("two", "1"), self.digest("home", "1"))

    def set_up_again(self, **more):
        """The same sites with other settings."""
        now = self.state("home")
        sites = [{"registry_id": site["registry_id"]} for site in now["sites"]]
        self.apis["home"].expect(200, "PUT", self.path(), {"sites": sites, "timeout": 5, **more})

    def test_the_home_is_killed_in_the_middle_of_pushes(self):
        self.set_up(required=1)
        acknowledged, stop = {}, threading.Event()

        def pushing():
            number = 0
            while not stop.is_set():
                tag = f"t{number % 5}"
                number += 1
                try:
                    answer = self.push("home", tag, f"content {number}".encode() * 1000)
                except OSError:
                    return
                if answer.status == 201:
                    acknowledged[tag] = answer.headers["Docker-Content-Digest"]
        thread = threading.Thread(target=pushing)
        thread.start()
        try:
            wait_until(lambda: len(acknowledged) == 5, 60, "some pushes are acknowledged")
            self.servers["home"].kill()
        finally:
            stop.set()
            thread.join()
        # k = 1: each acknowledged tag is, or was overtaken, at one of the sites at least.
        for tag in acknowledged:
            self.assertTrue(self.digest("one", tag) or self.digest("two", tag), tag)
        self.start("home")
        wait_until(self.up_to_date, 60, "what was on its way is brought over")
        for number in range(5):
            tag = f"t{number}"
            self.assertEqual(self.digest("one", tag), self.digest("home", tag))
            self.assertEqual(self.digest("two", tag), self.digest("home", tag))

    def test_a_follower_takes_over_and_the_old_home_comes_back(self):
        self.set_up(required=1, when_fewer="degrade")
        both = self.push("home", "both", b"known to all").headers["Docker-Content-Digest"]
        wait_until(self.up_to_date, 30, "the sites catch up")
        # The home is cut off from its sites, and acknowledges alone.
        self.servers["one"].kill()
        self.servers["two"].kill()
        alone = self.push("home", "contested", b"accepted alone")
        self.assertEqual(alone.status, 201)
        only = self.push("home", "only-there", b"accepted alone too")
        self.assertEqual(only.status, 201)
        self.servers["home"].kill()
        self.start("one")
        self.start("two")
        self.assertEqual(self.push("one", "contested", b"not yet").status, 403)
        body = self.settings_of("one", ("two", "home"), required=1, when_fewer="degrade")
        taken = self.apis["one"].expect(200, "POST", self.path("/takeover"), body).json()
        self.assertEqual((taken["role"], taken["epoch"]), ("home", 2))
        theirs = self.push("one", "contested", b"by the new home")
        self.assertEqual(theirs.status, 201, theirs.body)
        self.assertEqual(self.digest("two", "contested"), theirs.headers["Docker-Content-Digest"])
        self.assertEqual(self.state("two")["home"], self.address("one"))

        self.start("home")
        wait_until(lambda: self.state("home")["role"] == "follower", 60, "the old home steps down")
        wait_until(lambda: self.digest("home", "contested") == theirs.headers["Docker-Content-Digest"], 60, "and is overruled")
        wait_until(lambda: self.digest("home", "only-there") is None, 60, "also in what only it had")
        self.assertEqual(self.digest("home", "both"), both)
        self.assertEqual(self.digest("home", alone.headers["Docker-Content-Digest"]), alone.headers["Docker-Content-Digest"],
                         "what was overruled can be had by its digest")
        overruled = {event["tag"]: event["digest"] for event in self.events("home", "synchronisation.overruled")}
        self.assertEqual(overruled, {"contested": alone.headers["Docker-Content-Digest"],
                                     "only-there": only.headers["Docker-Content-Digest"]})
        refused = self.push_refused("home")
        self.assertIn(self.address("one").encode(), refused.body)

    def push_refused(self, name):
        refused = self.clients[name].request("POST", f"/v2/{self.repository}/blobs/uploads/")
        self.assertEqual(refused.status, 403, refused.body)
        return refused

    def test_of_two_homes_the_older_one_is_fenced(self):
        self.set_up(required=2)
        self.assertEqual(self.push("home", "1", b"one").status, 201)
        # "one" takes over while the old home lives, and doesn't know of it: its own site "home" is at a dead address.
        dead = self.endpoint("one", CLOSED)
        sites = [{"registry_id": self.endpoint("one", "two")}, {"registry_id": dead}]
        self.apis["one"].expect(200, "POST", self.path("/takeover"), {"sites": sites, "required": 1, "timeout": 5})
        answers = {}

        def push(name):
            answers[name] = self.push(name, "moved", b"moved by " + name.encode())
        threads = [threading.Thread(target=push, args=(name,)) for name in ("home", "one")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers["one"].status, 201, answers["one"].body)
        self.assertIn(answers["home"].status, (403, 503), answers["home"].body)
        for name in ("one", "two"):
            self.assertEqual(self.digest(name, "moved"), answers["one"].headers["Docker-Content-Digest"], name)
        wait_until(lambda: self.state("home")["role"] == "fenced", 30, "the old home learns of it")
        self.push_refused("home")
        self.assertEqual(len(self.events("home", "synchronisation.fenced")), 1)
        self.assertIsNone(self.digest("home", "moved"))

    def test_bad_input(self):
        good = self.settings_of("home", ("one",))
        api = self.apis["home"]
        for change in ({"sites": []}, {"required": 0}, {"required": 2}, {"timeout": 0}, {"timeout": 301},
                       {"when_fewer": "perhaps"}, {"home": "not an address"}, {"home": "http://a\r\nb"},
                       {"sites": [{"project": "x"}]}, {"sites": good["sites"] * 2}, {"sites": "one"},
                       {"sites": [{**good["sites"][0], "project": "../.."}]}):
            self.assertEqual(api.request("PUT", self.path(), {**good, **change}).status, 400, change)
        self.assertEqual(api.request("PUT", self.path(), {**good, "sites": [{"registry_id": 99999}]}).status, 404)
        self.assertEqual(api.request("GET", self.path()).status, 404)
        self.assertEqual(api.request("POST", "/projects/nowhere/synchronisation/takeover", good).status, 404)
        for body in ({"epoch": 0, "home": "https://a"}, {"home": "https://a"}, {"epoch": 1, "home": "a b"}, {"epoch": 10 ** 12, "home": "https://a"}):
            self.assertEqual(api.request("PUT", self.path("/home"), body).status, 400, body)
        self.set_up(sites=("one",))
        one = self.clients["one"]
        for headers, status in (({"Entrepot-Home-Epoch": "x"}, 400), ({"Entrepot-Home-Epoch": "0"}, 400),
                                ({"Entrepot-Home-Epoch": "2", "Entrepot-Home": self.address("home")}, 412),
                                ({"Entrepot-Home-Epoch": "1", "Entrepot-Home": "http://other"}, 412)):
            answer = one.request("POST", f"/v2/{self.repository}/blobs/uploads/", headers=headers)
            self.assertEqual(answer.status, status, (headers, answer.body))
        self.assertEqual(self.apis["one"].request("PUT", self.path("/home"), {"epoch": 1, "home": "https://other"}).status, 409)


if __name__ == "__main__":
    unittest.main()
