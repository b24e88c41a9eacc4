"""A drill: three sites with links between them, images that are pushed at two of them all the while, a link that is cut,
and instances that are killed and brought back. At the end every site holds everything, whole, and no content has
crossed a link a second time."""
import contextlib
import json
import threading
import time
import unittest
import urllib.error

from support import settings
from support.api import Api
from support.registry import OCI_MANIFEST, Registry, descriptor, digest_of
from support.scenario import Scenario
from support.server import PASSWORD, wait_until
from support.sites import Network

MIB = 1 << 20
MBIT = 200
BIG = (160 if settings.soak else 40) * MIB
ROUNDS = 12 if settings.soak else 1
# What a killed copy had sent for nothing: a chunk that has grown once, and the six small images beside it.
LOST_AT_MOST = (16 + 6) * MIB
KILLED = 2  # a round: b, and a that sends to it
OVERHEAD = 1.1  # headers of TCP and HTTP, manifests, questions and logging in
SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"
EMPTY = b"{}"


class Pusher(threading.Thread):
    """Pushes small signed images to one site until it is told to end; what was acknowledged is written down."""

    def __init__(self, site, repository, random):
        super().__init__()
        self.site, self.repository, self.random = site, repository, random
        self.tags, self.signatures, self.layers = {}, {}, {}
        self.over = threading.Event()
        self.error = None

    def run(self):
        number = 0
        while not self.over.wait(0.15):
            # Away or killed: whatever was not acknowledged is pushed again.
            with contextlib.suppress(OSError, AssertionError, urllib.error.URLError):
                client = Registry(self.site.host, "admin", PASSWORD, timeout=20)
                with contextlib.closing(client):
                    self.push(client, f"v{number}")
                    number += 1

    def push(self, client, tag):
        layer = self.random.randbytes(self.random.randrange(10_000, 700_000))
        digest = client.push_image(self.repository, tag, layer)
        self.tags[tag] = digest
        self.layers[tag] = len(layer)
        if self.random.random() < 0.3:
            self.sign(client, tag, digest)

    def sign(self, client, tag, digest):
        subject = client.expect(200, "GET", f"/v2/{self.repository}/manifests/{digest}", headers={"Accept": OCI_MANIFEST})
        client.push_blob(self.repository, EMPTY)
        signature = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": SIGNATURE,
                     "config": descriptor("application/vnd.oci.empty.v1+json", EMPTY), "layers": [],
                     "subject": {"mediaType": OCI_MANIFEST, "digest": digest, "size": len(subject.body)}}
        signed = digest_of(json.dumps(signature).encode())
        client.push_manifest(self.repository, signed, signature)
        self.signatures[tag] = signed

    def end(self):
        self.over.set()
        self.join()


@unittest.skipIf(settings.foreign, "needs servers of its own")
class ThreeSites(Scenario):
    def setUp(self):
        super().setUp()
        self.network = Network(self, MBIT)
        self.sites = [self.network.site(letter, data=self.work / letter).start() for letter in "abc"]
        self.a, self.b, self.c = self.sites
        # Everything of a goes to b and c, everything of c to a and b.
        self.replicate(self.a, "core", self.b, self.c)
        self.replicate(self.c, "edge", self.a, self.b)

    def api(self, site):
        api = Api(site.host)
        self.addCleanup(api.close)
        return api

    def replicate(self, source, project, *targets):
        api = self.api(source)
        api.post("/projects", {"project_name": project})
        for target in targets:
            number = api.made("/registries", {
                "name": "to-" + target.namespace, "url": "http://" + target.host, "type": "entrepot",
                "credential": {"type": "basic", "access_key": "admin", "access_secret": PASSWORD}})
            api.made("/replication/policies", {
                "name": f"{project}-{target.namespace}", "enabled": True, "override": True, "dest_registry": {"id": number},
                "dest_namespace_replace_count": 0, "trigger": {"type": "event_based"},
                "filters": [{"type": "name", "value": project + "/**"}]})

    def test_cut_off_killed_and_brought_back_nothing_is_lost_or_copied_twice(self):
        pushers = [Pusher(self.a, "core/app", self.random), Pusher(self.c, "edge/app", self.random)]
        for pusher in pushers:
            self.addCleanup(pusher.end)
            pusher.start()
        big = {}
        for number in range(ROUNDS):
            self.round(number, big)
        for pusher in pushers:
            pusher.end()
            self.assertGreater(len(pusher.tags), 10)
        self.come_to_rest(pushers, big)
        for site in self.sites:
            self.expect_whole(site, pushers, big)
        self.expect_nothing_sent_twice(pushers)

    def round(self, number, big):
        """A big image on its way while c is cut off; b is killed while it receives, a while it sends."""
        with contextlib.closing(self.client(self.a)) as client:
            big[f"big{number}"] = client.push_image("core/big", f"big{number}", self.random.randbytes(BIG))
        self.c.cut()
        time.sleep(1)
        self.b.kill()
        time.sleep(2)
        self.b.start()
        time.sleep(2)
        self.a.kill()
        self.a.start()
        time.sleep(3)
        self.c.join()

    def come_to_rest(self, pushers, big):
        """Until nothing is pending at either source and every tag stands everywhere."""
        sources = [self.api(site) for site in (self.a, self.c)]

        def rests():
            lags = [api.expect(200, "GET", "/replication/lag").json() for api in sources]
            return all(entry["artifacts"] == 0 for lag in lags for entry in lag)
        wait_until(rests, 240, "the lag of all policies goes away")
        wait_until(lambda: all(self.holds(site, pushers, big) for site in self.sites), 120, "every tag stands at each site")

    def holds(self, site, pushers, big):
        with contextlib.closing(Registry(site.host, "admin", PASSWORD)) as client:
            answer = client.request("GET", "/v2/core/big/tags/list")
            if answer.status != 200 or set(answer.json()["tags"]) != set(big):
                return False
            for pusher in pushers:
                answer = client.request("GET", f"/v2/{pusher.repository}/tags/list?n=10000")
                if answer.status != 200 or not set(pusher.tags) <= set(answer.json()["tags"]):
                    return False
        return True

    def expect_whole(self, site, pushers, big):
        with contextlib.closing(Registry(site.host, "admin", PASSWORD)) as client:
            for tag, digest in big.items():
                self.assertEqual(client.pull_image("core/big", tag), digest)
            for pusher in pushers:
                for tag, digest in pusher.tags.items():
                    self.assertEqual(client.pull_image(pusher.repository, tag), digest, (site.namespace, tag))
                for tag, signature in pusher.signatures.items():
                    path = f"/v2/{pusher.repository}/referrers/{pusher.tags[tag]}"
                    found = [entry["digest"] for entry in client.expect(200, "GET", path).json()["manifests"]]
                    self.assertEqual(found, [signature], (site.namespace, tag))

    def expect_nothing_sent_twice(self, pushers):
        """b is sent all and pushed nothing, so what its link brought in is what replication sent."""
        content = ROUNDS * BIG + sum(size for pusher in pushers for size in pusher.layers.values())
        images = sum(len(pusher.tags) + len(pusher.signatures) for pusher in pushers)
        received = self.b.received()
        limit = content * OVERHEAD + images * 30_000 + ROUNDS * KILLED * LOST_AT_MOST
        print(f"   {images} manifests and {content >> 20} MiB of content, of which {received >> 20} MiB crossed b's link")
        self.assertLess(limit, 2 * content, "or a second copy of everything would not be seen")
        self.assertLess(received, limit, content)
