"""The mixed load: each worker changes one repository, in every way the API has, and records what it does."""
import base64
import json
import re
import threading
import urllib.parse

from .record import GONE, Manifest, Repository, Upload
from .wire import Lost, Wire

TAGS = [f"t{number}" for number in range(6)]
MOST_MANIFESTS = 12
MOST_UPLOADS = 6
# How often each is drawn. All but the reads have to be killed within their acknowledgement.
WEIGHTS = {"token": 2, "begin": 4, "patch": 8, "put": 5, "put_whole": 6, "single_post": 6, "mount": 4,
           "manifest_by_tag": 6, "manifest_by_digest": 4, "manifest_with_tags": 3, "index": 2, "tag_move": 5,
           "tag_delete": 3, "manifest_delete": 3, "blob_delete": 4, "cancel": 2, "read": 6}
KINDS = [kind for kind in WEIGHTS if kind != "read"]


class Login:
    """Where tokens come from, as the registry's challenge says."""

    def __init__(self, challenge, user, password):
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        self._path = urllib.parse.urlsplit(fields["realm"]).path
        self._service = fields["service"]
        self.headers = {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}

    def path(self, own, others):
        scopes = [f"repository:{own}:pull,push,delete"] + [f"repository:{other}:pull" for other in others]
        return f"{self._path}?" + urllib.parse.urlencode([("service", self._service), *(("scope", s) for s in scopes)])


class Worker:
    """Lives as long as its data directory; each round it gets a new thread and a new connection."""

    def __init__(self, name, contents, login, random):
        self.repository = Repository(name)
        self.contents = contents
        self.login = login
        self.random = random
        self.others = []
        self.token = None
        self.acknowledged = 0
        self.error = None
        self._mark = 0
        self._wire = self._killer = self._thread = None

    # ---- the thread

    def start(self, host, killer, counts):
        self._killer = killer
        self._wire = Wire(host, killer, counts)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self):
        self._thread.join(120)
        if self._thread.is_alive():
            raise AssertionError(f"{self.repository.name}: a request hangs after the server was killed")
        if self.error:
            raise AssertionError(str(self.error)) from self.error

    def _run(self):
        try:
            while self._killer.struck is None:
                self.step()
        except Lost:
            pass
        except BaseException as error:  # shown by join() in the test's own thread
            self.error = error
            self._killer.strike()
        finally:
            self._wire.close()

    def step(self):
        if self.token is None:
            self.do_token()
        wanted = self._killer.wanted()
        if wanted and getattr(self, "do_" + wanted)() is not False:
            return
        kind = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        getattr(self, "do_" + kind)()

    # ---- requests

    def path(self, tail):
        return f"/v2/{self.repository.name}/{tail}"

    def change(self, kind, expected, effects, method, path, body=b"", headers=None):
        """Sends what makes `effects` true; returns (status, headers, body) once it is acknowledged."""
        self.repository.attempt(effects)
        answer = self._wire.send(kind, method, path, body, {"Authorization": f"Bearer {self.token}", **(headers or {})})
        if answer[0] not in expected:
            raise AssertionError(f"{kind} {method} {path}: wanted {expected}, got {answer[0]} {answer[2][:300]!r}")
        if answer[0] == expected[0]:
            self.repository.acknowledge(effects)
            self.acknowledged += 1
        return answer

    def any_content(self, large=0.12):
        pool = self.contents.large if self.random.random() < large else self.contents.small
        return self.random.choice(pool)

    def do_token(self):
        path = self.login.path(self.repository.name, self.others)
        status, _, body = self._wire.send("token", "GET", path, headers=self.login.headers)
        if status != 200:
            raise AssertionError(f"{path}: {status} {body[:300]!r}")
        self.token = json.loads(body)["token"]
        self.acknowledged += 1

    # ---- blobs

    def do_begin(self, kind="begin", keep=True, digest=None):
        if keep and len(self.repository.uploads) >= MOST_UPLOADS:
            return False
        digest = digest or self.any_content(0.3)
        algorithm = "?digest-algorithm=sha512" if digest.startswith("sha512") else ""
        _, headers, _ = self.change(kind, (202,), [], "POST", self.path("blobs/uploads/") + algorithm)
        return self.begun(headers, digest)

    def begun(self, headers, digest):
        upload = Upload(urllib.parse.urlsplit(headers["Location"]).path, digest, self.contents.bytes[digest])
        self.repository.uploads.append(upload)
        return upload

    def do_patch(self):
        unfinished = [upload for upload in self.repository.uploads if len(upload.data) - upload.acknowledged > 2]
        if not unfinished:
            return False
        upload = self.random.choice(unfinished)
        start, left = upload.acknowledged, len(upload.data) - upload.acknowledged
        count = left if self.random.random() < 0.3 else self.random.randint(2, left)
        headers = {"Content-Type": "application/octet-stream"}
        if self.random.random() < 0.5:
            headers["Content-Range"] = f"{start}-{start + count - 1}"
        upload.attempted = start + count
        _, answer, _ = self.change("patch", (202,), [], "PATCH", upload.location, upload.data[start:start + count], headers)
        if answer["Range"] != f"0-{start + count - 1}":
            raise AssertionError(f"PATCH to {start + count} was answered by Range {answer['Range']}")
        upload.acknowledged = upload.attempted
        return True

    def finish(self, upload, kind):
        start = upload.acknowledged
        upload.attempted, upload.finishing = len(upload.data), True
        effects = [(self.repository.blobs, upload.digest, True)]
        self.change(kind, (201,), effects, "PUT", f"{upload.location}?digest={upload.digest}", upload.data[start:])
        self.end(upload)
        return True

    def end(self, upload):
        self.repository.uploads.remove(upload)
        self.repository.ended.append(upload.location)

    def do_put(self):
        begun = [upload for upload in self.repository.uploads if upload.acknowledged]
        return self.finish(self.random.choice(begun), "put") if begun else False

    def do_put_whole(self):
        return self.finish(self.do_begin(keep=False, digest=self.any_content()), "put_whole")

    def do_cancel(self):
        if not self.repository.uploads:
            return False
        self.cancel(self.random.choice(self.repository.uploads))
        return True

    def cancel(self, upload):
        upload.cancelling = True
        self.change("cancel", (204,), [], "DELETE", upload.location)
        self.end(upload)

    def do_single_post(self):
        digest = self.any_content()
        effects = [(self.repository.blobs, digest, True)]
        self.change("single_post", (201,), effects, "POST", self.path(f"blobs/uploads/?digest={digest}"),
                    self.contents.bytes[digest])

    def do_mount(self):
        digest, source = self.any_content(0.2), self.random.choice(self.others)
        cell = self.repository.blobs.get(digest, {False})
        effects = [(self.repository.blobs, digest, True)]
        path = self.path(f"blobs/uploads/?mount={digest}&from={urllib.parse.quote(source, safe='')}")
        status, headers, _ = self.change("mount", (201, 202), effects, "POST", path)
        if status == 202:  # the source does not hold it: an upload was begun instead
            self.repository.blobs[digest] = cell
            self.cancel(self.begun(headers, digest))

    def do_blob_delete(self):
        linked = self.repository.linked()
        if not linked:
            return False
        digest = self.random.choice(linked)
        if digest in self.repository.needed():
            self.change("refused", (405,), [], "DELETE", self.path(f"blobs/{digest}"))
            return False
        effects = [(self.repository.blobs, digest, False)]
        self.change("blob_delete", (202,), effects, "DELETE", self.path(f"blobs/{digest}"))
        return True

    # ---- manifests and tags

    def put_manifest(self, kind, manifest, reference, tags=()):
        self.repository.known[manifest.digest] = manifest
        effects = [(self.repository.manifests, manifest.digest, True)]
        effects += [(self.repository.tags, tag, manifest.digest) for tag in tags]
        self.change(kind, (201,), effects, "PUT", self.path(f"manifests/{reference}"), manifest.bytes,
                    {"Content-Type": manifest.media_type})
        return True

    def new_manifest(self):
        linked = self.repository.linked()
        if not linked or len(self.repository.present()) >= MOST_MANIFESTS:
            return None
        self._mark += 1
        blobs = self.random.sample(linked, min(len(linked), self.random.randint(1, 4)))
        present = self.repository.present()
        subject = self.random.choice(present) if present and self.random.random() < 0.25 else None
        return Manifest(self.repository, self.contents, blobs, subject, mark=self._mark)

    def do_manifest_by_tag(self):
        manifest, tag = self.new_manifest(), self.random.choice(TAGS)
        return self.put_manifest("manifest_by_tag", manifest, tag, [tag]) if manifest else False

    def do_manifest_by_digest(self):
        manifest = self.new_manifest()
        return self.put_manifest("manifest_by_digest", manifest, manifest.digest) if manifest else False

    def do_manifest_with_tags(self):
        manifest, tags = self.new_manifest(), self.random.sample(TAGS, 2)
        if not manifest:
            return False
        return self.put_manifest("manifest_with_tags", manifest, f"{manifest.digest}?tag={tags[0]}&tag={tags[1]}", tags)

    def do_index(self):
        present = self.repository.present()
        if not present or len(present) >= MOST_MANIFESTS:
            return False
        self._mark += 1
        children = self.random.sample(present, min(2, len(present)))
        tag = self.random.choice(TAGS)
        index = Manifest(self.repository, self.contents, [], children=children, mark=self._mark)
        return self.put_manifest("index", index, tag, [tag])

    def do_tag_move(self):
        tagged, present = self.repository.tagged(), self.repository.present()
        if not tagged or not present:
            return False
        tag, manifest = self.random.choice(tagged), self.random.choice(present)
        return self.put_manifest("tag_move", manifest, tag, [tag])

    def do_tag_delete(self):
        tagged = self.repository.tagged()
        if not tagged:
            return False
        tag = self.random.choice(tagged)
        effects = [(self.repository.tags, tag, GONE)]
        self.change("tag_delete", (202,), effects, "DELETE", self.path(f"manifests/{tag}"))
        return True

    def do_manifest_delete(self):
        present = self.repository.present()
        if not present:
            return False
        digest = self.random.choice(present).digest
        effects = [(self.repository.manifests, digest, False)]
        effects += [(self.repository.tags, tag, GONE) for tag, cell in self.repository.tags.items() if digest in cell]
        self.change("manifest_delete", (202,), effects, "DELETE", self.path(f"manifests/{digest}"))
        return True

    # ---- reads: what was acknowledged is there at once

    def do_read(self):
        tagged, linked = self.repository.tagged(), self.repository.linked()
        if tagged:
            tag = self.random.choice(tagged)
            (digest,) = self.repository.tags[tag]
            self.compare(f"manifests/{tag}", self.repository.known[digest].bytes)
        if linked:
            digest = self.random.choice(linked)
            self.compare(f"blobs/{digest}", self.contents.bytes[digest])

    def compare(self, tail, wanted):
        _, _, body = self.change("read", (200,), [], "GET", self.path(tail))
        if body != wanted:
            raise AssertionError(f"{self.path(tail)} came back as other bytes")
