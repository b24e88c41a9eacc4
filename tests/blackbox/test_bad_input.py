"""Every malformed name, digest, range or manifest gets the specification's status and code, and the server goes on."""
import json
import unittest

from support import settings
from support.registry import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, descriptor, digest_of
from support.scenario import Scenario

EMPTY = digest_of(b"")
ABSENT = digest_of(b"nobody pushed this")


@unittest.skipIf(settings.foreign, "about our own codes")
class BadInput(Scenario):
    def setUp(self):
        super().setUp()
        self.registry = self.client()
        self.repository = f"{self.project}/app"

    def refused(self, status, code, method, path, body=None, headers=None):
        answer = self.registry.request(method, path, body, headers)
        self.assertEqual(answer.status, status, f"{method} {path}: {answer}")
        if method != "HEAD":
            self.assertIn(code, answer.codes(), f"{method} {path}")
            self.assertTrue(answer.headers["Content-Type"].startswith("application/json"))

    def start(self):
        return self.registry.expect(202, "POST", f"/v2/{self.repository}/blobs/uploads/").headers["Location"]

    @staticmethod
    def with_digest(location, digest):
        return location + ("&" if "?" in location else "?") + "digest=" + digest

    def test_names(self):
        for name in ("UPPER/app", "a..b/app", "-a/app", "a_/app", "a/.b", "a___b/app", "a/b%00c", "a/%2e%2e/b", "x" * 256):
            with self.subTest(name):
                self.refused(400, "NAME_INVALID", "POST", f"/v2/{name}/blobs/uploads/")

    def test_paths_that_climb_reach_nothing(self):
        for path in ("/v2/../../etc/passwd", "/v2/%2e%2e/%2e%2e/etc/passwd", "/v2/a/blobs/../../../etc/passwd",
                     "/..%2f..%2fetc/passwd", "//etc/passwd", "/v2/a/blobs/sha256:../../../../etc/passwd",
                     "/v2/a/manifests/..%2f..%2f..%2fetc%2fpasswd", "/v2/a/blobs/uploads/../../../entrepot.db"):
            with self.subTest(path):
                answer = self.registry.request("GET", path)
                self.assertIn(answer.status, (400, 401, 404, 405))
                self.assertNotIn(b"root:", answer.body)

    def test_names_that_look_like_routes_are_legal(self):
        for name in (f"{self.project}/blobs", f"{self.project}/tags/list", f"{self.project}/manifests/uploads",
                     f"{self.project}/service/token", f"{self.project}/v2", self.project):
            with self.subTest(name):
                digest = self.registry.push_image(name, "list", b"layer of " + name.encode())
                self.assertEqual(self.registry.pull_image(name, "list"), digest)
                self.assertEqual(self.registry.expect(200, "GET", f"/v2/{name}/tags/list").json(),
                                 {"name": name, "tags": ["list"]})

    def test_digests(self):
        self.registry.push_image(self.repository, "1", b"layer")
        for digest in ("sha256:abc", "sha256:" + "A" * 64, "sha256:" + "g" * 64, "md5:" + "a" * 32,
                       "sha256:" + "a" * 65, "sha512:" + "a" * 64, "sha256:" + "a" * 63 + "%00"):
            with self.subTest(digest):
                self.refused(400, "DIGEST_INVALID", "PUT", self.with_digest(self.start(), digest), b"x")
                answer = self.registry.request("GET", f"/v2/{self.repository}/blobs/{digest}")
                self.assertIn(answer.status, (400, 404))

    def test_bytes_that_do_not_match_their_digest_are_never_visible(self):
        self.refused(400, "DIGEST_INVALID", "PUT", self.with_digest(self.start(), ABSENT), b"other bytes")
        self.refused(404, "BLOB_UNKNOWN", "GET", f"/v2/{self.repository}/blobs/{ABSENT}")
        self.refused(400, "DIGEST_INVALID", "POST", f"/v2/{self.repository}/blobs/uploads/?digest={ABSENT}", b"other")
        self.refused(404, "BLOB_UNKNOWN", "HEAD", f"/v2/{self.repository}/blobs/{ABSENT}")

    def test_unknown_things(self):
        self.registry.push_image(self.repository, "1", b"layer")
        self.refused(404, "BLOB_UNKNOWN", "GET", f"/v2/{self.repository}/blobs/{ABSENT}")
        self.refused(404, "MANIFEST_UNKNOWN", "GET", f"/v2/{self.repository}/manifests/none")
        self.refused(404, "MANIFEST_UNKNOWN", "GET", f"/v2/{self.repository}/manifests/{ABSENT}")
        self.refused(404, "MANIFEST_UNKNOWN", "DELETE", f"/v2/{self.repository}/manifests/none")
        self.refused(404, "BLOB_UNKNOWN", "DELETE", f"/v2/{self.repository}/blobs/{ABSENT}")
        self.refused(404, "NAME_UNKNOWN", "GET", f"/v2/{self.project}/nothing/tags/list")
        for upload in ("0" * 32, "nonsense", "..", "%2e%2e"):
            answer = self.registry.request("PATCH", f"/v2/{self.repository}/blobs/uploads/{upload}", b"x")
            self.assertEqual(answer.status, 404, f"{upload}: {answer}")

    def test_an_upload_belongs_to_its_repository(self):
        session = self.start().split("?")[0].rsplit("/", 1)[1]
        self.registry.push_image(f"{self.project}/other", "1", b"layer")
        self.refused(404, "BLOB_UPLOAD_UNKNOWN", "PATCH", f"/v2/{self.project}/other/blobs/uploads/{session}", b"x")

    def test_blob_ranges(self):
        data = self.random.randbytes(4000)
        digest = self.registry.push_blob(self.repository, data)
        path = f"/v2/{self.repository}/blobs/{digest}"
        for given, first, last in (("bytes=0-0", 0, 0), ("bytes=500-1499", 500, 1499), ("bytes=3000-", 3000, 3999),
                                   ("bytes=-500", 3500, 3999), ("bytes=2000-9000", 2000, 3999),
                                   ("bytes=-9000", 0, 3999)):
            with self.subTest(given):
                answer = self.registry.request("GET", path, headers={"Range": given})
                self.assertEqual(answer.status, 206)
                self.assertEqual(answer.headers["Content-Range"], f"bytes {first}-{last}/4000")
                self.assertEqual(answer.body, data[first:last + 1])
        for given in ("bytes=4000-", "bytes=5000-6000", "bytes=-0"):
            with self.subTest(given):
                answer = self.registry.request("GET", path, headers={"Range": given})
                self.assertEqual(answer.status, 416)
                self.assertEqual(answer.headers["Content-Range"], "bytes */4000")
        for given in ("bytes=a-b", "bytes=", "lines=0-1", "bytes=99999999999999999999999-"):
            with self.subTest(given):
                self.assertIn(self.registry.request("GET", path, headers={"Range": given}).status, (200, 416))

    def test_chunks_out_of_order(self):
        location = self.start()
        location = self.registry.expect(202, "PATCH", location, b"x" * 100, {"Content-Range": "0-99"}).headers["Location"]
        self.assertEqual(self.registry.request("PATCH", location, b"y" * 10, {"Content-Range": "200-209"}).status, 416)
        self.assertEqual(self.registry.request("PATCH", location, b"y" * 10, {"Content-Range": "0-9"}).status, 416)
        for given in ("bytes 100-109", "100", "109-100", "a-b", "100-300", "-"):
            with self.subTest(given):
                answer = self.registry.request("PATCH", location, b"y" * 10, {"Content-Range": given})
                self.assertIn(answer.status, (400, 416))
        status = self.registry.expect(204, "GET", location)
        self.assertEqual(status.headers["Range"], "0-99")

    def manifest(self, **changes):
        config, layer = b"{}", b"layer"
        for data in (config, layer):
            self.registry.push_blob(self.repository, data)
        return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config),
                "layers": [descriptor(OCI_LAYER, layer)], **changes}

    def test_manifests(self):
        good = self.manifest()
        path = f"/v2/{self.repository}/manifests/1"
        bad = {
            "no JSON": b"{",
            "nothing": b"",
            "an array": b"[]",
            "a bomb": b"[" * 100_000,
            "a nested bomb": b'{"a":' * 50_000,
            "no UTF-8": b'{"schemaVersion":2,"mediaType":"\xff"}',
            "a size below zero": {**good, "config": {**good["config"], "size": -1}},
            "a size in text": {**good, "config": {**good["config"], "size": "2"}},
            "a bad digest": {**good, "config": {**good["config"], "digest": "sha256:zz"}},
            "layers that are no list": {**good, "layers": {}},
            "another media type inside": {**good, "mediaType": OCI_INDEX},
        }
        for name, manifest in bad.items():
            with self.subTest(name):
                body = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
                self.refused(400, "MANIFEST_INVALID", "PUT", path, body, {"Content-Type": OCI_MANIFEST})
        missing = self.manifest(config=descriptor(OCI_CONFIG, b"never pushed"))
        answer = self.registry.request("PUT", path, json.dumps(missing).encode(), {"Content-Type": OCI_MANIFEST})
        self.assertIn(answer.status, (400, 404))
        self.assertEqual(answer.codes(), ["MANIFEST_BLOB_UNKNOWN"])
        self.refused(404, "MANIFEST_UNKNOWN", "GET", path)

    def test_a_manifest_must_match_the_digest_it_is_pushed_by(self):
        body = json.dumps(self.manifest()).encode()
        self.refused(400, "DIGEST_INVALID", "PUT", f"/v2/{self.repository}/manifests/{ABSENT}", body,
                     {"Content-Type": OCI_MANIFEST})
        self.refused(404, "MANIFEST_UNKNOWN", "GET", f"/v2/{self.repository}/manifests/{ABSENT}")

    def test_a_manifest_of_4_mib_is_taken_and_a_larger_one_is_not(self):
        manifest = self.manifest(annotations={"filler": ""})
        room = 4 * 1024 * 1024 - len(json.dumps(manifest).encode())
        manifest["annotations"]["filler"] = "x" * room
        self.registry.push_manifest(self.repository, "large", manifest)
        manifest["annotations"]["filler"] += "x"
        answer = self.registry.request("PUT", f"/v2/{self.repository}/manifests/larger", json.dumps(manifest).encode(),
                                       {"Content-Type": OCI_MANIFEST})
        self.assertEqual(answer.status, 413)

    def test_tags(self):
        body = json.dumps(self.manifest()).encode()
        for tag in ("-a", ".a", "a" * 129, "a%20b", "a%2Fb", "%C3%A9"):
            with self.subTest(tag):
                answer = self.registry.request("PUT", f"/v2/{self.repository}/manifests/{tag}", body,
                                               {"Content-Type": OCI_MANIFEST})
                self.assertIn(answer.status, (400, 404))

    def test_pages(self):
        self.registry.push_image(self.repository, "1", b"layer")
        for given in ("n=-1", "n=a", "n=1.5", "n=99999999999999999999999"):
            with self.subTest(given):
                answer = self.registry.request("GET", f"/v2/{self.repository}/tags/list?{given}")
                self.assertIn(answer.status, (200, 400))
        nothing = self.registry.expect(200, "GET", f"/v2/{self.repository}/tags/list?n=0")
        self.assertEqual(nothing.json()["tags"], [])
        self.assertIsNone(nothing.headers["Link"])

    def test_referrers_of_a_bad_digest(self):
        self.registry.push_image(self.repository, "1", b"layer")
        self.refused(400, "DIGEST_INVALID", "GET", f"/v2/{self.repository}/referrers/sha256:abc")
        empty = self.registry.expect(200, "GET", f"/v2/{self.repository}/referrers/{ABSENT}")
        self.assertEqual(empty.headers["Content-Type"], OCI_INDEX)
        self.assertEqual(empty.json()["manifests"], [])

    def test_a_blob_that_a_manifest_needs_stays(self):
        layer = b"a layer in use"
        self.registry.push_image(self.repository, "1", layer)
        self.refused(405, "UNSUPPORTED", "DELETE", f"/v2/{self.repository}/blobs/{digest_of(layer)}")
        self.registry.expect(202, "DELETE", f"/v2/{self.repository}/manifests/{self.registry.pull_image(self.repository, '1')}")
        self.registry.expect(202, "DELETE", f"/v2/{self.repository}/blobs/{digest_of(layer)}")
        self.refused(404, "BLOB_UNKNOWN", "GET", f"/v2/{self.repository}/blobs/{digest_of(layer)}")

    def test_a_mount_needs_the_blob_to_be_there(self):
        self.registry.push_blob(f"{self.project}/source", b"mounted")
        target = f"/v2/{self.repository}/blobs/uploads/?mount={digest_of(b'mounted')}"
        self.registry.expect(201, "POST", f"{target}&from={self.project}/source")
        self.registry.expect(202, "POST",
                             f"/v2/{self.repository}/blobs/uploads/?mount={ABSENT}&from={self.project}/source")

    def test_the_empty_blob(self):
        self.registry.push_blob(self.repository, b"")
        self.assertEqual(self.registry.pull_blob(self.repository, EMPTY), b"")

    def test_unknown_methods_and_paths(self):
        for method, path in (("PUT", "/v2/"), ("PATCH", f"/v2/{self.repository}/tags/list"), ("BREW", "/v2/")):
            with self.subTest(f"{method} {path}"):
                self.assertIn(self.registry.request(method, path).status, (401, 404, 405))
        self.assertEqual(self.registry.request("GET", "/nowhere").status, 404)
