"""Acknowledged means durable: the server runs under strace, and before the first byte of a 201 or a delete's 202 leaves,
the blob's data, the directory that names it and the database's log have been synced. The analyser itself
(tests/crash/trace.py) is first shown traces in which a sync is missing or late."""
import hashlib
import http.client
import pathlib
import random
import sys
import time
import unittest

from support import settings
from support.registry import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, descriptor, digest_of
from support.scenario import Scenario
from support.server import Server, wait_until

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from crash import trace  # noqa: E402  (its folder is on the path only now)

GOOD = """\
11 openat(5</d/blobs/slots/0/tmp>, "7", O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 21</d/blobs/slots/0/tmp/7>
11 pwrite64(21</d/blobs/slots/0/tmp/7>, "= 3 (x)", 7, 0) = 7
11 fdatasync(21</d/blobs/slots/0/tmp/7> <unfinished ...>
12 fdatasync(9</d/entrepot.db-wal>)        = 0
11 <... fdatasync resumed>)          = 0
11 renameat(5</d/blobs/slots/0/tmp>, "7", 4</d/blobs>, "sha256/ab/abcd") = 0
11 fsync(22</d/blobs/sha256/ab>)     = 0
12 pwrite64(9</d/entrepot.db-wal>, "\\0\\0"..., 24, 32) = 24
12 fdatasync(9</d/entrepot.db-wal>)        = 0
10 sendmsg(30<TCP:[127.0.0.1:5000->127.0.0.1:4711]>, {msg_iov=[{iov_base="HTTP/1.1 201 Created\\r\\n"..., iov_len=99}]}, 0) = 99
"""


class Analyser(unittest.TestCase):
    def faults(self, text, recorded=None):
        calls = trace.read(text)
        return trace.faults(calls, 0, trace.answer_of(calls, 4711, (201,)), "/d", ("abcd", 7), recorded)

    def without(self, *lines):
        return "".join(line for number, line in enumerate(GOOD.splitlines(True)) if number not in lines)

    def moved(self, source, target):
        lines = GOOD.splitlines(True)
        lines.insert(target, lines.pop(source))
        return "".join(lines)

    def test_a_trace_with_every_sync_is_accepted(self):
        self.assertEqual(self.faults(GOOD), [])

    def test_a_missing_sync_of_the_data_is_seen(self):
        self.assertEqual(self.faults(self.without(2, 4)), ["/d/blobs/slots/0/tmp/7 was written and not synced"])

    def test_a_missing_sync_of_the_directory_is_seen(self):
        self.assertEqual(self.faults(self.without(6)), ["/d/blobs/sha256/ab was given a name and not synced"])

    def test_a_missing_sync_of_the_log_is_seen(self):
        self.assertEqual(self.faults(self.without(8)), ["/d/entrepot.db-wal was written and not synced"])

    def test_a_sync_that_ends_after_the_answer_left_does_not_count(self):
        self.assertEqual(self.faults(self.moved(4, 9)), ["/d/blobs/slots/0/tmp/7 was written and not synced"])

    def test_a_directory_synced_before_it_got_the_name_does_not_count(self):
        self.assertEqual(self.faults(self.moved(6, 5)), ["/d/blobs/sha256/ab was given a name and not synced"])

    def test_a_failed_sync_does_not_count(self):
        failed = GOOD.replace("12 fdatasync(9</d/entrepot.db-wal>)        = 0\n10", "12 fdatasync(9</d/entrepot.db-wal>)   = -1 EIO "
                              "(Input/output error)\n10")
        self.assertEqual(self.faults(failed), ["/d/entrepot.db-wal was written and not synced"])

    def test_an_operation_that_wrote_nothing_is_seen(self):
        self.assertEqual(self.faults(self.without(*range(9))),
                         ["nothing was written to the database's log", "the blob's file was not given its name"])

    def journaled(self, *replaced):
        lines = GOOD.replace("pwrite64(21</d/blobs/slots/0/tmp/7>", "pwrite64(20</d/blobs/slots/0/journal-0>, \"...\", 103, 0) = 103"
                             "\n11 pwrite64(21</d/blobs/slots/0/tmp/7>").replace("fdatasync(21</d/blobs/slots/0/tmp/7>",
                                                                            "fdatasync(20</d/blobs/slots/0/journal-0>")
        lines = lines.replace("11 fsync(22</d/blobs/sha256/ab>)     = 0\n", "")
        for old, new in replaced:
            lines = lines.replace(old, new)
        return lines

    def test_a_synced_journal_stands_for_file_and_name(self):
        self.assertEqual(self.faults(self.journaled()), [])

    def test_a_journal_that_is_not_synced_is_seen(self):
        text = self.journaled(("11 fdatasync", "11 openat"))
        self.assertEqual(self.faults(text), ["/d/blobs/slots/0/journal-0 was written and not synced"])

    def test_a_journal_that_can_not_hold_the_blob_does_not_count(self):
        text = self.journaled((", 103, 0) = 103", ", 5, 0) = 5"))
        self.assertEqual(self.faults(text), ["/d/blobs/slots/0/tmp/7 was written and not synced",
                                             "/d/blobs/sha256/ab was given a name and not synced"])

    def audited(self, record, *synced):
        """With a write to the audit trail."""
        lines = GOOD.splitlines(True)
        path = "/d/audit/i91/00000001.jsonl"
        return "".join(lines[:-1] + [f'13 pwrite64(7<{path}>, "{record}", 300, 9000) = 300\n',
                                     *(f"13 fdatasync(7<{path}>)        = 0\n" for _ in synced), lines[-1]])

    def test_a_record_of_the_operation_that_is_synced_is_accepted(self):
        self.assertEqual(self.faults(self.audited("request_id: r-1", "synced"), "r-1"), [])

    def test_a_record_of_the_operation_that_is_not_synced_is_seen(self):
        self.assertEqual(self.faults(self.audited("request_id: r-1"), "r-1"),
                         ["/d/audit/i91/00000001.jsonl was written and not synced"])

    def test_a_record_of_another_request_does_not_count(self):
        self.assertEqual(self.faults(self.audited("request_id: r-2")), [])
        self.assertEqual(self.faults(self.audited("request_id: r-2", "synced"), "r-1"),
                         ["nothing was written to the audit trail"])

    def test_an_answer_to_another_client_is_not_taken(self):
        self.assertIsNone(trace.answer_of(trace.read(GOOD), 711, (201,)))


@unittest.skipIf(settings.database, "looks at SQLite's log; PostgreSQL's is its own")
class Durability(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(wrapper=[*trace.COMMAND, "-o", "/dev/null"])
        cls.trace_path = cls.server.data.parent / "trace"
        cls.server.wrapper[-1] = str(cls.trace_path)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.id())
        self.registry = self.client(self.server)
        self.repository = f"{self.project}/durable"
        # The project and the repository exist, so each operation's own writes are all that is seen.
        self.registry.push_image(self.repository, "first", b"first layer")
        self.data = str(self.server.data.resolve())

    def text(self):
        return self.trace_path.read_text(errors="replace")

    def send(self, method, path, body=b"", headers=None):
        """One request on a connection of its own; (headers, the client's port)."""
        connection = http.client.HTTPConnection(self.server.host, timeout=60)
        self.addCleanup(connection.close)
        connection.connect()
        port = connection.sock.getsockname()[1]
        connection.request(method, path, body, {"Authorization": self.registry.basic(), **(headers or {})})
        response = connection.getresponse()
        answer = response.read()
        self.assertIn(response.status, (201, 202), answer)
        return response.headers, port

    def proves(self, statuses, since, port, blob=None, recorded=None):
        """strace writes its file as it goes; the answer's own line may come a moment after the answer."""
        wait_until(lambda: trace.answer_of(trace.read(self.text()), port, statuses), 20, "the answer is in the trace")
        calls = trace.read(self.text())
        missing = trace.faults(calls, since, trace.answer_of(calls, port, statuses), self.data, blob, recorded)
        self.assertEqual(missing, [])

    def now(self):
        """The line of the trace at which the next operation begins, once what went before has been written out."""
        before = -1
        while (count := len(self.text().splitlines())) != before:
            before = count
            time.sleep(0.05)
        return count

    def blob(self, size):
        data = self.random.randbytes(size)
        return data, digest_of(data), (hashlib.sha256(data).hexdigest(), size)

    def push(self, size, chunk=None):
        data, digest, blob = self.blob(size)
        since = self.now()
        headers, _ = self.send("POST", f"/v2/{self.repository}/blobs/uploads/")
        location, rest = headers["Location"], data
        while chunk and len(rest) > chunk:
            self.send("PATCH", location, rest[:chunk])
            rest = rest[chunk:]
        _, port = self.send("PUT", f"{location}?digest={digest}", rest)
        self.proves((201,), since, port, blob)
        return data

    def test_a_small_blob_by_put(self):
        self.push(1000)

    def test_a_large_blob_by_put(self):
        self.push(9 << 20)

    def test_a_large_blob_in_chunks(self):
        self.push(9 << 20, 2 << 20)

    def test_a_small_blob_in_chunks(self):
        self.push(3000, 1000)

    def test_a_blob_by_a_single_post(self):
        for size in (1000, 3 << 20):
            data, digest, blob = self.blob(size)
            since = self.now()
            _, port = self.send("POST", f"/v2/{self.repository}/blobs/uploads/?digest={digest}", data)
            self.proves((201,), since, port, blob)

    def test_a_blob_that_is_stored_already_for_another_repository(self):
        data = self.push(2000)
        self.repository = f"{self.project}/other"
        self.registry.push_image(self.repository, "first", b"another layer")
        since = self.now()
        _, port = self.send("POST", f"/v2/{self.repository}/blobs/uploads/?digest={digest_of(data)}", data)
        self.proves((201,), since, port, (hashlib.sha256(data).hexdigest(), len(data)))

    def manifest(self, mark):
        config, layer = b'{"architecture":"amd64","os":"linux"}', mark.encode()
        for data in (config, layer):
            self.registry.push_blob(self.repository, data)
        return b'{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}' % (
            OCI_MANIFEST.encode(), *(str(part).replace("'", '"').encode() for part in (
                descriptor(OCI_CONFIG, config), descriptor(OCI_LAYER, layer))))

    def test_a_manifest_by_tag_and_by_digest(self):
        for mark, reference in (("by tag", "one"), ("by digest", None)):
            manifest = self.manifest(mark)
            since = self.now()
            answer, port = self.send("PUT", f"/v2/{self.repository}/manifests/{reference or digest_of(manifest)}", manifest,
                                     {"Content-Type": OCI_MANIFEST})
            self.proves((201,), since, port, recorded=answer["X-Request-Id"])

    def test_deletes_of_a_tag_a_manifest_and_a_blob(self):
        manifest = self.manifest("to be deleted")
        layer = digest_of(b"to be deleted")
        self.registry.push_manifest(self.repository, "gone", manifest)
        for path in ("manifests/gone", f"manifests/{digest_of(manifest)}", f"blobs/{layer}"):
            since = self.now()
            answer, port = self.send("DELETE", f"/v2/{self.repository}/{path}")
            self.proves((202,), since, port, recorded=answer["X-Request-Id"])

    def test_a_mount(self):
        data = self.push(500)
        target = f"{self.project}/mounted"
        self.registry.push_image(target, "first", b"a third layer")
        since = self.now()
        answer, port = self.send("POST", f"/v2/{target}/blobs/uploads/?mount={digest_of(data)}&from={self.repository}")
        self.proves((201,), since, port, recorded=answer["X-Request-Id"])

    def test_small_blobs_whose_files_a_power_loss_took_come_back(self):
        """Files without a sync of their own are taken away; what was synced, the journal, has to bring them back."""
        server = self.own_server()
        registry = self.client(server)
        kept = {}
        for size in (1, 100, 4096, 65536):
            data = self.random.randbytes(size)
            kept[registry.push_blob("library/lost", data)] = data
        server.kill()
        for digest in kept:
            found = list(server.data.rglob(digest.removeprefix("sha256:")))
            self.assertEqual(len(found), 1, "a blob has one file under its digest")
            found[0].unlink()
        server.start()
        for digest, data in kept.items():
            self.assertEqual(registry.pull_blob("library/lost", digest), data)


if __name__ == "__main__":
    unittest.main()
