"""A small client of the distribution API that logs in the way real clients do: challenge, token, retry."""
import base64
import hashlib
import http.client
import json
import re
import urllib.parse

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
ANY_MANIFEST = ", ".join((OCI_MANIFEST, OCI_INDEX, "application/vnd.docker.distribution.manifest.v2+json",
                          "application/vnd.docker.distribution.manifest.list.v2+json", "*/*"))


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def codes(self):
        """The codes of an `errors` body."""
        return [error["code"] for error in self.json()["errors"]]

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


def digest_of(data, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def descriptor(media_type, data, **more):
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}


class Registry:
    """One connection, one user (user=None: anonymous). Not to be shared between threads."""

    def __init__(self, host, user="admin", password="", timeout=60):
        self.host = host
        self.user = user
        self.password = password
        self.timeout = timeout
        self._connection = None
        self._tokens = {}

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def raw(self, method, path, body=None, headers=None):
        """One request as it is, without credentials; connects again where the server closed an idle connection."""
        path = re.sub(r"^https?://[^/]+", "", path)
        fresh = self._connection is None
        if fresh:
            self._connection = http.client.HTTPConnection(self.host, timeout=self.timeout)
        try:
            self._connection.request(method, path, body=body, headers=headers or {})
            response = self._connection.getresponse()
            answer = Answer(response, response.read())
        except (ConnectionError, http.client.HTTPException):
            self.close()
            if fresh or hasattr(body, "read"):
                raise
            return self.raw(method, path, body, headers)
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        return answer

    def request(self, method, path, body=None, headers=None):
        """One request, with a token fetched (and kept) for what the challenge asks."""
        headers = dict(headers or {})
        # A mount needs a token for two repositories.
        key = path if "mount=" in path else (method in ("GET", "HEAD"), re.sub(r"/(blobs|manifests|tags|referrers)/.*", "", path.split("?")[0]))
        if key in self._tokens:
            headers["Authorization"] = f"Bearer {self._tokens[key]}"
        answer = self.raw(method, path, body, headers)
        challenge = answer.headers.get("WWW-Authenticate", "")
        if answer.status != 401 or not challenge.startswith("Bearer "):
            return answer
        self._tokens[key] = self.token(challenge)
        headers["Authorization"] = f"Bearer {self._tokens[key]}"
        if hasattr(body, "seek"):
            body.seek(0)
        return self.raw(method, path, body, headers)

    def basic(self):
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def token(self, challenge):
        parameters = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = [("service", parameters.get("service", ""))]
        query += [("scope", scope) for scope in parameters.get("scope", "").split(" ") if scope]
        realm = parameters["realm"]
        answer = self.raw("GET", f"{realm}?{urllib.parse.urlencode(query)}",
                          headers={"Authorization": self.basic()} if self.user else {})
        if answer.status != 200:
            raise AssertionError(f"no token from {realm}: {answer}")
        return answer.json()["token"]

    # What scenarios do, in one line each. Every method raises AssertionError where the registry did not do as asked.

    def expect(self, status, method, path, body=None, headers=None):
        answer = self.request(method, path, body, headers)
        if answer.status != status:
            raise AssertionError(f"{method} {path}: wanted {status}, got {answer}")
        return answer

    def push_blob(self, repository, data, algorithm="sha256"):
        digest = digest_of(data, algorithm)
        self._upload(repository, digest, data)
        return digest

    def push_file(self, repository, path):
        """A layer that memory need not hold; its descriptor."""
        with open(path, "rb") as file:
            digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
            size = file.seek(0, 2)
            file.seek(0)
            self._upload(repository, digest, file, {"Content-Length": str(size)})
        return {"mediaType": OCI_LAYER, "digest": digest, "size": size}

    def _upload(self, repository, digest, body, headers=None):
        started = self.expect(202, "POST", f"/v2/{repository}/blobs/uploads/")
        location = started.headers["Location"]
        self.expect(201, "PUT", location + ("&" if "?" in location else "?") + "digest=" + digest, body,
                    {"Content-Type": "application/octet-stream", **(headers or {})})

    def push_manifest(self, repository, reference, manifest, media_type=OCI_MANIFEST):
        data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        self.expect(201, "PUT", f"/v2/{repository}/manifests/{reference}", data, {"Content-Type": media_type})
        return digest_of(data)

    def push_image(self, repository, tag, *layers):
        """Config, layers and manifest; returns the manifest's digest."""
        for data in layers:
            self.push_blob(repository, data)
        return self.push_image_of(repository, tag, [descriptor(OCI_LAYER, layer) for layer in layers])

    def push_image_of(self, repository, tag, layers):
        """Config and manifest of layers that are there, by their descriptors; returns the manifest's digest."""
        config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {
            "type": "layers", "diff_ids": [layer["digest"] for layer in layers]}}).encode()
        self.push_blob(repository, config)
        return self.push_manifest(repository, tag, {
            "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config), "layers": layers})

    def pull_blob(self, repository, digest):
        answer = self.expect(200, "GET", f"/v2/{repository}/blobs/{digest}")
        algorithm = digest.split(":")[0]
        if digest_of(answer.body, algorithm) != digest:
            raise AssertionError(f"{digest} came back as other bytes")
        return answer.body

    def pull_image(self, repository, reference):
        """Reads the manifest and everything it names, and checks every byte; returns the manifest's digest."""
        answer = self.expect(200, "GET", f"/v2/{repository}/manifests/{reference}", headers={"Accept": ANY_MANIFEST})
        digest = digest_of(answer.body)
        if answer.headers["Docker-Content-Digest"] != digest:
            raise AssertionError(f"{reference}: bytes of {digest} under {answer.headers['Docker-Content-Digest']}")
        manifest = answer.json()
        for child in manifest.get("manifests", []):
            self.pull_image(repository, child["digest"])
        for part in [*([manifest["config"]] if "config" in manifest else []), *manifest.get("layers", [])]:
            if len(self.pull_blob(repository, part["digest"])) != part["size"]:
                raise AssertionError(f"{part['digest']} has another size")
        return digest
