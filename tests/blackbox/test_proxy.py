"""A project caches another registry: one of our own, and docker-registry 2.8."""
import concurrent.futures
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import tempfile
import threading
import time
import unittest

from support import image, settings
from support.api import Api
from support.peers import Distribution
from support.registry import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Registry, descriptor, digest_of
from support.scenario import run
from support.server import PASSWORD, Server
from support.tools import have_go, tool

ALLOW = {"ENTREPOT_OUTBOUND_ALLOW": "127.0.0.0/8"}


def push_image(host, repository, tag, size, password="", user=None):
    """An image of one layer; answers the layer."""
    client = Registry(host, user=user, password=password)
    layer = os.urandom(size)
    config = json.dumps({"architecture": "amd64", "os": "linux", "created": str(time.time())}).encode()
    for blob in (config, layer):
        begun = client.request("POST", f"/v2/{repository}/blobs/uploads/")
        assert begun.status == 202, begun
        place = begun.headers["Location"]
        place += ("&" if "?" in place else "?") + "digest=" + digest_of(blob)
        done = client.request("PUT", place, body=blob)
        assert done.status == 201, done
    manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config),
                           "layers": [descriptor(OCI_LAYER, layer)]}).encode()
    done = client.request("PUT", f"/v2/{repository}/manifests/{tag}", body=manifest,
                          headers={"Content-Type": OCI_MANIFEST})
    assert done.status == 201, done
    client.close()
    return layer, manifest


class Caching:
    """What holds with any upstream."""
    program = "docker-registry"

    @classmethod
    def setUpClass(cls):
        cls.upstream = Distribution(cls.program).start()
        cls.server = Server(environment=ALLOW).start()
        cls.api = Api(cls.server.host)
        cls.hub = cls.proxy("hub", "docker-registry", "http://" + cls.upstream.host)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.upstream.close()

    @classmethod
    def proxy(cls, name, kind, url, **credential):
        endpoint = {"name": name, "type": kind, "url": url, "insecure": True, **credential}
        made = cls.api.request("POST", "/registries", endpoint)
        assert made.status == 201, made
        number = int(made.headers["Location"].rsplit("/", 1)[1])
        made = cls.api.request("POST", "/projects", {"project_name": name, "registry_id": number, "public": True})
        assert made.status == 201, made
        return name

    def client(self):
        return Registry(self.server.host, password=PASSWORD)

    def pull(self, repository, reference):
        return self.client().request("GET", f"/v2/{repository}/manifests/{reference}")

    def test_an_image_is_brought_once_and_stays_when_the_upstream_is_gone(self):
        layer, manifest = push_image(self.upstream.host, "team/app", "1", 3_000_000)
        got = self.pull("hub/team/app", "1")
        self.assertEqual(got.status, 200, got)
        self.assertEqual(got.body, manifest)
        blob = self.client().request("GET", f"/v2/hub/team/app/blobs/{digest_of(layer)}")
        self.assertEqual(blob.status, 200)
        self.assertEqual(blob.body, layer)
        part = self.client().request("GET", f"/v2/hub/team/app/blobs/{digest_of(layer)}",
                                     headers={"Range": "bytes=1000000-1999999"})
        self.assertEqual(part.status, 206)
        self.assertEqual(part.body, layer[1_000_000:2_000_000])
        tags = self.client().request("GET", "/v2/hub/team/app/tags/list")
        self.assertEqual(tags.json()["tags"], ["1"])
        self.upstream.stop()
        try:
            self.assertEqual(self.pull("hub/team/app", "1").body, manifest)
            blob = self.client().request("GET", f"/v2/hub/team/app/blobs/{digest_of(layer)}")
            self.assertEqual(blob.body, layer)
            self.assertEqual(self.client().request("GET", "/v2/hub/team/app/tags/list").json()["tags"], ["1"])
            missing = self.pull("hub/team/other", "1")
            self.assertEqual(missing.status, 503, missing)
        finally:
            self.upstream.start()

    def test_skopeo_copies_a_multi_architecture_image_out_of_it(self):
        run("skopeo", "copy", "--quiet", "--all", "--preserve-digests", "--dest-tls-verify=false", image.multi(),
            f"docker://{self.upstream.host}/team/multi:1")
        work = pathlib.Path(tempfile.mkdtemp(prefix="entrepot-proxy-"))
        try:
            source = f"docker://{self.server.host}/hub/team/multi:1"
            run("skopeo", "copy", "--quiet", "--all", "--preserve-digests", "--src-tls-verify=false", source,
                f"oci:{work}/back:1")
            raw = run("skopeo", "inspect", "--raw", "--tls-verify=false", source).stdout
            self.assertEqual(raw, run("skopeo", "inspect", "--raw", image.multi()).stdout)
        finally:
            shutil.rmtree(work)


@unittest.skipIf(settings.foreign, "it is about this registry")
class Proxy(Caching, unittest.TestCase):
    def test_many_clients_at_once_all_get_the_blob_of_one_fetch(self):
        layer, _ = push_image(self.upstream.host, "team/many", "1", 40_000_000)

        def fetch(_):
            return self.client().request("GET", f"/v2/hub/team/many/blobs/{digest_of(layer)}").body
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            for body in pool.map(fetch, range(20)):
                self.assertEqual(hashlib.sha256(body).digest(), hashlib.sha256(layer).digest())
        metrics = self.client().raw("GET", "/metrics").body.decode()
        came = [line for line in metrics.splitlines()
                if line.startswith('entrepot_proxy_upstream_bytes_total{upstream="hub"}')]
        self.assertLess(float(came[0].rsplit(" ", 1)[1]), 100_000_000, "twenty would be 800 MB")

    def test_nothing_can_be_pushed_to_it_and_deleting_is_allowed(self):
        client = self.client()
        refused = client.request("POST", "/v2/hub/team/new/blobs/uploads/")
        self.assertEqual(refused.status, 405, refused)
        self.assertIn("proxy cache", refused.body.decode())
        push_image(self.upstream.host, "team/gone", "1", 1000)
        self.assertEqual(self.pull("hub/team/gone", "1").status, 200)
        digest = self.pull("hub/team/gone", "1").headers["Docker-Content-Digest"]
        self.assertEqual(client.request("DELETE", f"/v2/hub/team/gone/manifests/{digest}").status, 202)
        self.assertEqual(self.pull("hub/team/gone", "1").status, 200, "it is fetched again")

    def test_one_of_our_own_behind_a_log_in(self):
        with Server() as other:
            Api(other.host).request("POST", "/projects", {"project_name": "shop"})
            layer, manifest = push_image(other.host, "shop/web", "v1", 500_000, password=PASSWORD, user="admin")
            credential = {"type": "basic", "access_key": "admin", "access_secret": PASSWORD}
            self.proxy("ours", "docker-registry", "http://" + other.host, credential=credential)
            self.assertEqual(self.pull("ours/shop/web", "v1").body, manifest)
            blob = self.client().request("GET", f"/v2/ours/shop/web/blobs/{digest_of(layer)}")
            self.assertEqual(blob.body, layer)
            self.assertEqual(self.pull("ours/shop/web", "v9").status, 404)

    def test_a_log_in_page_in_the_way_reaches_nobody(self):
        class Portal(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = b"<html>please log in</html>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(page)
            do_HEAD = do_GET

            def log_message(self, *_):
                pass
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Portal) as portal:
            threading.Thread(target=portal.serve_forever, daemon=True).start()
            self.proxy("portal", "docker-registry", f"http://127.0.0.1:{portal.server_port}")
            got = self.pull("portal/some/app", "1")
            self.assertGreaterEqual(got.status, 400, got)
            self.assertNotIn(b"please log in", got.body)
            blob = self.client().request("GET", f"/v2/portal/some/app/blobs/{digest_of(b'x')}")
            self.assertGreaterEqual(blob.status, 400)
            portal.shutdown()


@unittest.skipIf(settings.foreign, "it is about this registry")
@unittest.skipUnless(have_go(), "Distribution 3 is built with Go")
class ProxyOfDistribution3(Caching, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = tool("distribution")
        super().setUpClass()


if __name__ == "__main__":
    unittest.main()
