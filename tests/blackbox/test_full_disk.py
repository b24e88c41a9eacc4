"""A file system of 64 MB, filled to its last block: blobs and manifests (the database) are refused with 507 and an
`errors` body within a time limit, what is there can be pulled, and pushes work again once there is room, without a
restart. A restart on the full disk, clean or after kill -9, loses nothing either."""
import json
import os
import unittest

from support import settings
from support.registry import OCI_CONFIG, OCI_MANIFEST, Registry, descriptor, digest_of
from support.scenario import Scenario, run
from support.server import PASSWORD, wait_until

SIZE = 64 << 20
REQUEST_LIMIT = 30  # seconds: a hang, not a slow disk


@unittest.skipIf(settings.foreign, "needs a server of its own")
class FilledToTheLastBlock(Scenario):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.fail("this test mounts a small file system and has to run as root")
        place, picture = self.work / "small", self.work / "picture"
        place.mkdir()
        with open(picture, "wb") as file:
            file.truncate(SIZE)
        run("mkfs.ext4", "-q", "-m", "0", "-O", "has_journal", picture)
        if run("mount", "-o", "loop", picture, place, check=False).returncode:
            run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "entrepot-test", place)
        self.addCleanup(run, "umount", "-l", place)
        self.place = place
        self.ballast = place / "ballast"
        self.server = self.own_server(data=place / "data")
        self.registry = Registry(self.server.host, password=PASSWORD, timeout=REQUEST_LIMIT)
        self.addCleanup(self.registry.close)
        self.kept = {}

    def push_blob(self, size):
        data = self.random.randbytes(size)
        digest = digest_of(data)
        answer = self.registry.request("POST", f"/v2/library/full/blobs/uploads/?digest={digest}", data)
        if answer.status == 201:
            self.kept[digest] = data
        return answer

    def push_in_chunks(self, size):
        started = self.registry.request("POST", "/v2/library/full/blobs/uploads/")
        if started.status != 202:
            return started
        data, location = self.random.randbytes(size), started.headers["Location"]
        appended = self.registry.request("PATCH", location, data)
        if appended.status != 202:
            return appended
        return self.registry.request("PUT", f"{location}?digest={digest_of(data)}")

    def manifest(self, size):
        config = b"{}"
        form = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config), "layers": [],
                "annotations": {"org.example.padding": self.random.randbytes(size // 2).hex()}}
        return json.dumps(form).encode()

    def push_manifest(self, size):
        data = self.manifest(size)
        digest = digest_of(data)
        answer = self.registry.request("PUT", f"/v2/library/full/manifests/{digest}", data, {"Content-Type": OCI_MANIFEST})
        if answer.status == 201:
            self.kept[digest] = data
        return answer

    def until_refused(self, push, size, at_most):
        for _ in range(at_most):
            answer = push(size)
            if answer.status != 201:
                break
        self.assertEqual(answer.status, 507, f"{push.__name__} of {size} bytes: {answer}")
        self.assertTrue(answer.codes())
        self.assertTrue(answer.headers["Content-Type"].startswith("application/json"))

    def fill_with_ballast(self):
        """Takes every block that is left."""
        with open(self.ballast, "ab", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        file.write(b"\1" * size)
                        os.fsync(file.fileno())
                except OSError:
                    pass

    def everything_is_there(self):
        for digest, data in self.kept.items():
            kind = "manifests" if data.startswith(b'{"schemaVersion"') else "blobs"
            answer = self.registry.request("GET", f"/v2/library/full/{kind}/{digest}")
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(answer.body, data)
        self.assertEqual(self.registry.pull_image("library/kept", "1"), self.image)

    def recovers(self):
        self.ballast.unlink()
        wait_until(lambda: self.push_blob(100_000).status == 201, 10, "a blob is taken once there is room")
        wait_until(lambda: self.push_in_chunks(100_000).status == 201, 10, "an upload is taken once there is room")
        wait_until(lambda: self.push_manifest(10_000).status == 201, 10, "a manifest is taken once there is room")
        self.registry.push_image("library/after", "1", b"room again")
        self.everything_is_there()

    def fill(self):
        self.image = self.registry.push_image("library/kept", "1", b"pushed while there was room")
        self.registry.push_blob("library/full", b"{}")
        self.ballast.write_bytes(b"\1" * (24 << 20))
        self.until_refused(self.push_blob, 2 << 20, 40)
        self.fill_with_ballast()
        self.until_refused(self.push_blob, 200_000, 40)
        self.until_refused(self.push_blob, 5_000, 400)
        self.until_refused(self.push_in_chunks, 200_000, 40)
        self.until_refused(self.push_manifest, 2_000_000, 40)

    def test_blobs_and_manifests_are_refused_pulls_go_on_and_room_is_used_at_once(self):
        self.fill()
        self.assertEqual(self.server.status("/healthz"), 200)
        self.everything_is_there()
        fresh = self.client(self.server)  # logs in while there is no room
        self.assertEqual(fresh.pull_image("library/kept", "1"), self.image)
        # Deletes need a little of the log; they are done or refused.
        gone = next(iter(self.kept))
        answer = self.registry.request("DELETE", f"/v2/library/full/blobs/{gone}")
        self.assertIn(answer.status, (202, 405, 507), answer)
        if answer.status == 202:
            del self.kept[gone]
        self.recovers()

    def test_small_manifests_fill_the_database_and_are_refused(self):
        self.image = self.registry.push_image("library/kept", "1", b"pushed while there was room")
        self.registry.push_blob("library/full", b"{}")
        self.fill_with_ballast()
        self.until_refused(self.push_manifest, 30_000, 3000)
        self.everything_is_there()
        self.recovers()

    def test_a_restart_on_the_full_disk_loses_nothing(self):
        self.fill()
        self.server.kill()
        self.server.start(ready=False)
        # It may answer or say why it can't start; with room it starts, and nothing is lost.
        wait_until(lambda: self.server.process.poll() is not None or self.server.status("/healthz") == 200, 30,
                   "it serves, or ends")
        started = self.server.process.poll() is None
        if started:
            self.everything_is_there()
        self.ballast.unlink()
        if not started:
            self.assertIn("full", self.server.log_tail().lower())
            self.server.start()
        self.everything_is_there()
        self.registry.push_image("library/after", "1", b"room again")


if __name__ == "__main__":
    unittest.main()
