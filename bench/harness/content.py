"""What is served: made once, pushed into every registry, and laid out as files for nginx."""
import base64
import dataclasses
import hashlib
import http.client
import json
import pathlib
import random
import urllib.parse

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
REPOSITORY = "bench/app"
TAGGED = "bench/tags"
SMALL_BLOBS = 500
SMALL_BYTES = 4096
BIG_BYTES = 100_000_000
MEDIUM_BYTES = 1_000_000
IMAGES = 100
TAGS = 10_000


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def manifest_of(config, layer, annotation):
    def descriptor(kind, blob):
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest_of(blob), "size": len(blob)}
    return json.dumps({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor("config.v1+json", config),
        "layers": [descriptor("layer.v1.tar+gzip", layer)], "annotations": {"name": annotation}},
        separators=(",", ":")).encode()


@dataclasses.dataclass
class Content:
    small: list
    big: bytes
    medium: bytes
    config: bytes
    manifests: list  # of IMAGES images that share the config and have one small blob each

    @property
    def blobs(self):
        return [*self.small, self.medium, self.big, self.config]

    @staticmethod
    def tag(index):
        return f"v{index:05}"


def make():
    """The same content in every run."""
    source = random.Random(20260101)
    small = [source.randbytes(SMALL_BYTES) for _ in range(SMALL_BLOBS)]
    config = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
    manifests = [manifest_of(config, small[i], f"image {i}") for i in range(IMAGES)]
    return Content(small, source.randbytes(BIG_BYTES), source.randbytes(MEDIUM_BYTES), config, manifests)


def lay_out(content, root):
    """The files that nginx serves under the registry's own paths."""
    blobs = pathlib.Path(root) / "v2" / REPOSITORY / "blobs"
    manifests = pathlib.Path(root) / "v2" / REPOSITORY / "manifests"
    blobs.mkdir(parents=True)
    manifests.mkdir(parents=True)
    for blob in content.blobs:
        (blobs / digest_of(blob)).write_bytes(blob)
    for i, manifest in enumerate(content.manifests):
        (manifests / content.tag(i)).write_bytes(manifest)
        (manifests / digest_of(manifest)).write_bytes(manifest)


class Pusher:
    """Pushes into one repository of one registry over one connection."""

    def __init__(self, server, repository):
        self.base = f"/v2/{repository}"
        self.connection = http.client.HTTPConnection(server.endpoint, timeout=120)
        self.headers = server.authorization(repository, "pull,push")

    def request(self, method, path, expected, body=None, content_type=None):
        headers = dict(self.headers)
        if content_type:
            headers["Content-Type"] = content_type
        self.connection.request(method, path, body=body, headers=headers)
        response = self.connection.getresponse()
        answer = response.read()
        if response.status != expected:
            raise RuntimeError(f"{method} {path}: status {response.status}: {answer[:300]!r}")
        return response, answer

    def blob(self, content):
        response, _ = self.request("POST", f"{self.base}/blobs/uploads/", 202, body=b"")
        location = urllib.parse.urlsplit(response.headers["Location"])
        query = "&".join(filter(None, [location.query, "digest=" + digest_of(content)]))
        self.request("PUT", f"{location.path}?{query}", 201, content, "application/octet-stream")

    def manifest(self, reference, content):
        self.request("PUT", f"{self.base}/manifests/{reference}", 201, content, MANIFEST)


def seed(content, server):
    """Everything but the 10,000 tags; each blob is read back once, so that no figure stands on wrong bytes."""
    pusher = Pusher(server, REPOSITORY)
    for blob in content.blobs:
        pusher.blob(blob)
    for i, manifest in enumerate(content.manifests):
        pusher.manifest(content.tag(i), manifest)
    check(content, server)


def check(content, server):
    connection = http.client.HTTPConnection(server.endpoint, timeout=120)
    headers = server.authorization(REPOSITORY, "pull") | {"Accept": MANIFEST}
    wanted = {f"blobs/{digest_of(blob)}": blob for blob in (content.small[0], content.medium, content.big)}
    wanted[f"manifests/{content.tag(0)}"] = content.manifests[0]
    for path, blob in wanted.items():
        connection.request("GET", f"/v2/{REPOSITORY}/{path}", headers=headers)
        response = connection.getresponse()
        if response.read() != blob or response.status != 200:
            raise RuntimeError(f"{server.name} does not give back {path}: status {response.status}")


def seed_tags(content, server, generator):
    """10,000 tags on one manifest in a repository of their own, pushed by the load generator."""
    pusher = Pusher(server, TAGGED)
    pusher.blob(content.config)
    pusher.blob(content.small[0])
    body = generator.scratch / "tagged-manifest.json"
    body.write_bytes(content.manifests[0])
    paths = generator.file_of(f"/v2/{TAGGED}/manifests/{content.tag(i)}" for i in range(TAGS))
    headers = [f"{name}: {value}" for name, value in pusher.headers.items()] + [f"Content-Type: {MANIFEST}"]
    arguments = ["fetch", "--each-once", "--method", "PUT", "--body", str(body), "--status", "201", "--paths", paths]
    for header in headers:
        arguments += ["--header", header]
    seen = generator.run(server, arguments, connections=16)
    if seen["errors"] or seen["units"] != TAGS:
        raise RuntimeError(f"{server.name}: tags were not made: {seen}")


def check_pages(server):
    connection = http.client.HTTPConnection(server.endpoint, timeout=120)
    connection.request("GET", f"/v2/{TAGGED}/tags/list?n=100", headers=server.authorization(TAGGED, "pull"))
    tags = json.loads(connection.getresponse().read())["tags"]
    if tags != [f"v{i:05}" for i in range(100)]:
        raise RuntimeError(f"{server.name} does not page: {len(tags)} tags")


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
