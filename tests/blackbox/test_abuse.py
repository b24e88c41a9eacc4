"""Attacks that once worked, each named after what it did."""
import json
import socket
import unittest

from support import settings
from support.registry import OCI_MANIFEST, descriptor, digest_of
from support.scenario import Scenario


@unittest.skipIf(settings.foreign, "about our own answers")
class Abuse(Scenario):
    def setUp(self):
        super().setUp()
        self.registry = self.client()
        self.repository = f"{self.project}/app"

    def test_a_manifests_own_media_type_splits_no_response(self):
        for media_type in ("x/y\r\nSet-Cookie: evil=1", "x/y\r\nContent-Length: 5\r\n\r\nHELLO", "x/y\"z", "x", "x/" + "y" * 300,
                           "x/\0"):
            with self.subTest(media_type[:20]):
                body = json.dumps({"mediaType": media_type})
                answer = self.registry.request("PUT", f"/v2/{self.repository}/manifests/split", body.encode())
                self.assertEqual(answer.status, 400)
                self.assertIn("MANIFEST_INVALID", answer.codes())

    def test_what_a_pusher_calls_html_is_no_page_of_ours(self):
        path = f"/v2/{self.repository}/manifests/page"
        self.registry.expect(201, "PUT", path, b"<script>", {"Content-Type": "text/html"})
        answer = self.registry.expect(200, "GET", path)
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertIn("sandbox", answer.headers["Content-Security-Policy"])

    def test_a_hidden_project_and_a_missing_one_are_the_same(self):
        self.registry.push_image(self.repository, "1", b"layer")

        def seen(name, method, body=None):
            answer = self.registry.raw(method, f"/api/v2.0/projects/{name}", body)
            volatile = ("Date", "X-Request-Id")
            headers = sorted((key, value) for key, value in answer.headers.items() if key not in volatile)
            return answer.status, headers, answer.body.replace(name.encode(), b"NAME")
        missing = self.project[:-1] + ("x" if self.project[-1] != "x" else "y")
        for method, body in (("GET", None), ("PUT", b'{"public":true}'), ("DELETE", None)):
            with self.subTest(method):
                self.assertEqual(seen(self.project, method, body), seen(missing, method, body))

    def test_a_descriptor_does_not_lie_about_its_blobs_size(self):
        config = self.registry.push_blob(self.repository, b"{}")
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [],
                    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 3}}
        answer = self.registry.request("PUT", f"/v2/{self.repository}/manifests/liar", json.dumps(manifest).encode(),
                                       {"Content-Type": OCI_MANIFEST})
        self.assertEqual((answer.status, answer.codes()), (400, ["SIZE_INVALID"]))

    def test_a_stored_image_is_not_relabelled(self):
        digest = self.registry.push_image(self.repository, "1", b"layer")
        bytes_ = self.registry.expect(200, "GET", f"/v2/{self.repository}/manifests/{digest}").body
        answer = self.registry.request("PUT", f"/v2/{self.repository}/manifests/{digest}", bytes_,
                                       {"Content-Type": "text/html"})
        self.assertEqual(answer.status, 400)
        self.assertEqual(self.registry.pull_image(self.repository, "1"), digest)

    def test_a_chunk_longer_than_its_range_is_refused(self):
        location = self.registry.expect(202, "POST", f"/v2/{self.repository}/blobs/uploads/").headers["Location"]
        answer = self.registry.request("PATCH", location, iter([b"0123", b"4567"]), {"Content-Range": "0-3"})
        self.assertEqual((answer.status, answer.codes()), (400, ["SIZE_INVALID"]))

    def test_two_authorizations_are_one_too_many(self):
        with socket.create_connection((self.registry.host.split(":")[0], int(self.registry.host.split(":")[1])), 10) as peer:
            peer.sendall(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YTpi\r\nAuthorization: Basic Yzpk\r\n\r\n")
            self.assertTrue(peer.recv(4096).startswith(b"HTTP/1.1 400"))

    def test_pages_of_referrers_are_bounded_in_bytes(self):
        subject = descriptor(OCI_MANIFEST, b"subject")
        config = self.registry.push_blob(self.repository, b"{}")
        for number in range(4):
            manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [], "subject": subject,
                        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
                        "annotations": {"note": "x" * 2_000_000 + str(number)}}
            body = json.dumps(manifest).encode()
            self.registry.expect(201, "PUT", f"/v2/{self.repository}/manifests/{digest_of(body)}", body,
                                 {"Content-Type": OCI_MANIFEST})
        answer = self.registry.expect(200, "GET", f"/v2/{self.repository}/referrers/{subject['digest']}")
        self.assertLess(len(answer.body), 8 << 20)
        self.assertIn('rel="next"', answer.headers["Link"])
