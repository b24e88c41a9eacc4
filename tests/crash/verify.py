"""After a kill and a restart: everything acknowledged is there, and nothing is half there.

A cell with two right values is narrowed to the one that is found: from then on it must stay."""
import http.client
import json
import shutil
import sqlite3
import tempfile

from .record import GONE, sha


class Check:
    def __init__(self, host, contents, random):
        self._connection = http.client.HTTPConnection(host, timeout=60)
        self._contents = contents
        self._random = random
        self._read = set()  # large blobs whose bytes were compared
        self.questions = 0
        self.resumed = 0
        self._token = None

    def close(self):
        self._connection.close()

    def ask(self, method, path, body=None):
        self.questions += 1
        self._connection.request(method, path, body=body, headers={"Authorization": f"Bearer {self._token}"})
        response = self._connection.getresponse()
        return response.status, response.headers, response.read()

    def worker(self, worker, finish_uploads):
        """`worker`'s token was issued before the kill: it must still be good."""
        self._token = worker.token
        if self._token is None:
            return
        repository = worker.repository
        self.blobs(repository)
        self.manifests(repository)
        self.tags(repository)
        self.whole(repository)
        self.uploads(repository, finish_uploads)

    def narrow(self, cells, key, found, what):
        if found not in cells[key]:
            raise AssertionError(f"{what}: found {found!r}, right would be {cells[key]!r}")
        cells[key] = {found}

    def present(self, method, path):
        status, headers, body = self.ask(method, path)
        if status not in (200, 404):
            raise AssertionError(f"{method} {path}: {status} {body[:300]!r}")
        return status == 200, headers, body

    def blobs(self, repository):
        for digest in list(repository.blobs):
            path = f"/v2/{repository.name}/blobs/{digest}"
            wanted = self._contents.bytes[digest]
            method = "HEAD" if digest in self._read else "GET"
            found, headers, body = self.present(method, path)
            self.narrow(repository.blobs, digest, found, path)
            if found and (int(headers["Content-Length"]) != len(wanted) or method == "GET" and body != wanted):
                raise AssertionError(f"{path} came back as other bytes")
            if found and digest in self._contents.large:
                self._read.add(digest)

    def manifests(self, repository):
        for digest in list(repository.manifests):
            path = f"/v2/{repository.name}/manifests/{digest}"
            found, headers, body = self.present("GET", path)
            self.narrow(repository.manifests, digest, found, path)
            manifest = repository.known[digest]
            if found and (body != manifest.bytes or headers["Content-Type"] != manifest.media_type):
                raise AssertionError(f"{path} came back as other bytes")

    def tags(self, repository):
        for tag in list(repository.tags):
            path = f"/v2/{repository.name}/manifests/{tag}"
            found, headers, body = self.present("GET", path)
            digest = sha(body) if found else GONE
            self.narrow(repository.tags, tag, digest, path)
            if found and (headers["Docker-Content-Digest"] != digest or repository.manifests[digest] != {True}):
                raise AssertionError(f"{path} names a manifest that is not there by its digest")
        status, _, body = self.ask("GET", f"/v2/{repository.name}/tags/list")
        listed = json.loads(body)["tags"] if status == 200 else []
        if listed != sorted(repository.tagged()):
            raise AssertionError(f"{repository.name} lists {listed}, right would be {sorted(repository.tagged())}")

    def whole(self, repository):
        """No manifest without its blobs; the referrers of a subject are the manifests that name it."""
        linked = set(repository.linked())
        referrers = {}
        for manifest in repository.present():
            if not manifest.blobs <= linked:
                raise AssertionError(f"{repository.name}@{manifest.digest} lacks {manifest.blobs - linked}")
            if manifest.subject:
                referrers.setdefault(manifest.subject, set()).add(manifest.digest)
        for subject in {manifest.subject for manifest in repository.known.values() if manifest.subject}:
            path = f"/v2/{repository.name}/referrers/{subject}"
            status, _, body = self.ask("GET", path)
            found = {entry["digest"] for entry in json.loads(body)["manifests"]} if status == 200 else None
            if found != referrers.get(subject, set()):
                raise AssertionError(f"{path}: {status} {found}, right would be {referrers.get(subject)}")

    # ---- uploads

    def uploads(self, repository, finish_some):
        for location in repository.ended:
            status, _, body = self.ask("GET", location)
            if status != 404:
                raise AssertionError(f"{location} had ended, and is back: {status} {body[:300]!r}")
        for upload in list(repository.uploads):
            status, headers, body = self.ask("GET", upload.location)
            if status == 404:
                self.ended_unseen(repository, upload)
                continue
            if status != 204:
                raise AssertionError(f"GET {upload.location}: {status} {body[:300]!r}")
            offset = 0 if headers["Range"] == "0-0" else int(headers["Range"].removeprefix("0-")) + 1
            if not upload.acknowledged <= offset <= upload.attempted:
                raise AssertionError(f"{upload.location} stands at {offset}; {upload.acknowledged} were acknowledged, "
                                     f"{upload.attempted} sent")
            must_finish = upload.finishing or upload.cancelling
            upload.acknowledged = upload.attempted = offset
            if must_finish or (finish_some and self._random.random() < 0.5):
                self.finish(repository, upload)

    def ended_unseen(self, repository, upload):
        """The kill came after the session's last transaction and before its acknowledgement."""
        if not upload.finishing and not upload.cancelling:
            raise AssertionError(f"{upload.location} is gone with {upload.acknowledged} acknowledged bytes")
        if upload.finishing and repository.blobs[upload.digest] != {True}:
            raise AssertionError(f"{upload.location} has ended, but there is no blob {upload.digest}")
        repository.uploads.remove(upload)
        repository.ended.append(upload.location)

    def finish(self, repository, upload):
        status, _, body = self.ask("PUT", f"{upload.location}?digest={upload.digest}", upload.data[upload.acknowledged:])
        if status != 201:
            raise AssertionError(f"{upload.location} can not be finished from {upload.acknowledged} of {len(upload.data)} "
                                 f"(a PUT was cut off: {upload.finishing}): {status} {body[:300]!r}")
        self.resumed += 1
        repository.uploads.remove(upload)
        repository.ended.append(upload.location)
        repository.blobs[upload.digest] = {True}
        path = f"/v2/{repository.name}/blobs/{upload.digest}"
        if self.ask("GET", path)[2] != upload.data:
            raise AssertionError(f"{path}: a resumed upload came back as other bytes")


def check_database(data):
    """SQLite's own opinion of what the kill left, asked of a copy: opening it would mend it."""
    with tempfile.TemporaryDirectory(prefix="entrepot-kill-") as scratch:
        for path in data.glob("entrepot.db*"):
            if not path.name.endswith("-shm"):
                shutil.copy(path, scratch)
        database = sqlite3.connect(f"{scratch}/entrepot.db")
        try:
            verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
            orphans = database.execute("PRAGMA foreign_key_check").fetchall()
        finally:
            database.close()
    if verdict != "ok" or orphans:
        raise AssertionError(f"the database after the kill: {verdict}, foreign keys without their row: {orphans[:5]}")
