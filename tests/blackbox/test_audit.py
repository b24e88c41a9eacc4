"""Who did what: changes, pulls, log-ins and denials are in the audit trail, the trail proves itself, goes on after a
kill, is forwarded to syslog, and a full disk refuses changes while pulls go on. No secret is ever in it."""
import base64
import json
import os
import pathlib
import pwd
import re
import socket
import ssl
import subprocess
import threading
import unittest
import urllib.parse

from support import settings
from support.registry import Registry
from support.scenario import Scenario, root_only, run
from support.server import PASSWORD, free_port, wait_until

PLANTED = "Planted1secret"


def records_in(data):
    """Every record line of the trail, in the order of each chain."""
    records = []
    for path in sorted(pathlib.Path(data, "audit").glob("*/*.jsonl")):
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith('{"n":'):
                records.append(json.loads(line))
    return records


def short(record):
    return (record["operation"], record["resource_type"], record["resource"], record["result"], record.get("user", ""))


class Syslog:
    """A server that takes octet-counted messages (RFC 6587, RFC 5425) on one port, and can go away and come back."""

    def __init__(self, port, context=None):
        self.port = port
        self.context = context
        self.messages = []
        self.lock = threading.Lock()
        self.listener = None
        self.connections = []

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()
        return self

    def close(self):
        if self.listener.fileno() < 0:
            return
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            except OSError:
                pass

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
            except OSError:
                if listener.fileno() < 0:
                    return
                continue
            self.connections.append(connection)
            threading.Thread(target=self.read, args=(connection,), daemon=True).start()

    def read(self, connection):
        pending = b""
        try:
            while data := connection.recv(65536):
                pending += data
                while match := re.match(rb"(\d+) ", pending):
                    end = match.end() + int(match[1])
                    if len(pending) < end:
                        break
                    with self.lock:
                        self.messages.append(pending[match.end():end].decode())
                    pending = pending[end:]
        except OSError:
            pass

    def records(self):
        with self.lock:
            return [json.loads(message[message.index("{"):]) for message in self.messages]

    def resources(self):
        return {record["resource"] for record in self.records()}


class AuditScenario(Scenario):
    def serve(self, **more):
        self.server = self.own_server(data=self.work / "data", **more)
        self.registry = self.client(self.server)
        self.addCleanup(self.registry.close)

    def api(self, method, path, body=None, user="admin", password=PASSWORD, headers=None):
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        given = {"Authorization": f"Basic {basic}", "Content-Type": "application/json", **(headers or {})}
        return self.registry.raw(method, f"/api/v2.0/{path}", json.dumps(body) if body is not None else None, given)

    def make_project(self, name):
        answer = self.api("POST", "projects", {"project_name": name})
        self.assertEqual(answer.status, 201, answer)

    def verify(self):
        database = ["--database", self.server.database] if self.server.database else []
        return subprocess.run([settings.binary, "audit", "verify", "--data", self.server.data, *database],
                              capture_output=True, text=True, timeout=60, check=False)

    def assert_proven(self):
        done = self.verify()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def wait_for(self, operation, resource):
        wait_until(lambda: any(record["operation"] == operation and record["resource"] == resource
                               for record in records_in(self.server.data)), 10, f"{operation} {resource} is recorded")


@unittest.skipIf(settings.foreign, "needs a server of its own")
class WhoDidWhat(AuditScenario):
    def setUp(self):
        super().setUp()
        self.serve()

    def story(self):
        self.make_project("team")
        digest = self.registry.push_image("team/app", "1.0", b"layer")
        for _ in range(5):
            self.registry.pull_image("team/app", "1.0")
        self.registry.expect(202, "DELETE", f"/v2/team/app/manifests/{digest}")
        self.wait_for("pull", "team/app:1.0")
        return digest

    def test_a_short_story_is_recorded_with_who_what_and_result(self):
        digest = self.story()
        told = [short(record) for record in records_in(self.server.data)]
        for expected in (("create", "project", "team", "ok", "admin"),
                         ("create", "artifact", "team/app:1.0", "ok", "admin"),
                         ("pull", "artifact", "team/app:1.0", "ok", "admin"),
                         ("delete", "artifact", f"team/app@{digest}", "ok", "admin"),
                         ("login", "user", "admin", "ok", "admin")):
            self.assertIn(expected, told)
        created = next(r for r in records_in(self.server.data) if short(r)[:2] == ("create", "artifact"))
        self.assertEqual(created["after"]["digest"], digest)
        self.assertEqual(created["client"], "127.0.0.1")
        self.assertTrue(created["request_id"])
        self.assertGreater(created["project_id"], 0)
        self.assertGreater(created["tenant_id"], 0)
        pulls = [r for r in records_in(self.server.data) if r["operation"] == "pull"]
        self.assertEqual(sum(r.get("count", 1) for r in pulls), 5)
        self.assert_proven()

    def test_denials_and_failed_log_ins_are_recorded_and_repeated_ones_counted(self):
        self.make_project("team")
        answer = self.api("GET", "projects/team", password="Wrong1password")
        self.assertEqual(answer.status, 401)
        stranger = self.client(self.server, user=None)
        for _ in range(20):
            self.assertIn(stranger.raw("POST", "/api/v2.0/projects", "{}").status, (401, 403))
        wait_until(lambda: sum(r.get("count", 1) for r in records_in(self.server.data) if r["result"] == "denied") == 20,
                   10, "every denial is counted")
        denials = [r for r in records_in(self.server.data) if r["result"] == "denied"]
        self.assertLess(len(denials), 20)
        failed = [r for r in records_in(self.server.data) if short(r)[:1] + short(r)[3:] == ("login", "failed", "admin")]
        self.assertEqual(len(failed), 1)
        with self.assertRaises(AssertionError):
            self.client(self.server, password="Wrong1password").pull_image("team/app", "1.0")
        wait_until(lambda: any("wrong" in r.get("detail", "") and r["operation"] == "login"
                               for r in records_in(self.server.data)[2:]), 10, "the token endpoint's failure is recorded")

    def test_pulls_and_log_ins_can_be_left_out_and_changes_can_not(self):
        refused = self.api("PUT", "configurations", {"disabled_audit_log_event_types": "create_project"})
        self.assertEqual(refused.status, 400)
        self.assertIn("always recorded", refused.body.decode())
        for name, value in (("skip_audit_log_database", True), ("audit_log_forward_endpoint", "syslog:514")):
            self.assertEqual(self.api("PUT", "configurations", {name: value}).status, 400, name)
        shown = self.api("GET", "configurations").json()
        self.assertEqual((shown["skip_audit_log_database"], shown["audit_log_forward_endpoint"]),
                         ({"value": False, "editable": False}, {"value": "", "editable": False}))
        left_out = {"disabled_audit_log_event_types": "pull_artifact,login_user"}
        self.assertEqual(self.api("PUT", "configurations", left_out).status, 200)
        self.make_project("team")
        self.registry.push_image("team/app", "1.0", b"layer")
        self.registry.pull_image("team/app", "1.0")
        self.assertEqual(self.api("GET", "projects/team", password="Wrong1password").status, 401)
        self.server.stop()
        seen = {short(r)[:2] + (r["result"],) for r in records_in(self.server.data)}
        self.assertLessEqual({("create", "artifact", "ok"), ("create", "project", "ok"), ("login", "user", "failed"),
                              ("update", "configuration", "ok"), ("update", "configuration", "failed")}, seen)
        self.assertFalse({("pull", "artifact", "ok"), ("login", "user", "ok")} & seen, seen)
        self.assert_proven()

    def test_the_lists_answer_in_the_shapes_of_harbor(self):
        self.story()
        logs = self.api("GET", "audit-logs?page_size=100")
        self.assertEqual(logs.status, 200, logs)
        for entry in logs.json():
            self.assertEqual(set(entry), {"id", "username", "resource", "resource_type", "operation", "op_time"})
        self.assertEqual(int(logs.headers["X-Total-Count"]), len(logs.json()))
        times = [entry["op_time"] for entry in logs.json()]
        self.assertEqual(times, sorted(times, reverse=True))

        query = urllib.parse.quote("operation=create,resource_type=artifact")
        found = self.api("GET", f"auditlog-exts?q={query}").json()
        self.assertEqual([entry["resource"] for entry in found], ["team/app:1.0"])
        self.assertTrue(found[0]["operation_result"])
        fuzzy = self.api("GET", f"projects/team/logs?q={urllib.parse.quote('resource=~APP')}").json()
        self.assertEqual({entry["operation"] for entry in fuzzy}, {"create", "pull", "delete"})
        self.assertEqual(self.api("GET", "tenants/default/logs").status, 200)
        self.assertIn({"event_type": "create_project"}, self.api("GET", "auditlog-exts/events").json())
        self.assertEqual(self.api("GET", "audit-logs?q=nonsense%3D1").status, 400)
        self.assertEqual(self.api("GET", "audit-logs?sort=resource").status, 400)
        self.assertEqual(self.registry.raw("GET", "/api/v2.0/audit-logs").status, 401)

    def test_pages_and_cursors_walk_the_whole_list_once(self):
        for number in range(7):
            self.make_project(f"project-{number}")
        everything = [entry["id"] for entry in self.api("GET", "audit-logs?page_size=100").json()]
        pages = [entry["id"] for page in range(1, 5)
                 for entry in self.api("GET", f"audit-logs?page_size=2&page={page}").json()]
        self.assertEqual(pages, everything[:8])
        cursor, walked = "", []
        while True:
            answer = self.api("GET", f"audit-logs?page_size=3&cursor={cursor}")
            walked += [entry["id"] for entry in answer.json()]
            cursor = answer.headers.get("X-Next-Cursor", "")
            if not cursor:
                break
        self.assertEqual(walked, everything)
        oldest = [entry["id"] for entry in self.api("GET", "audit-logs?page_size=100&sort=op_time").json()]
        self.assertEqual(oldest, everything[::-1])

    def test_the_trail_survives_a_kill_and_shows_tampering(self):
        self.story()
        before = records_in(self.server.data)
        self.server.kill()
        self.server.start()
        self.make_project("after")
        records = records_in(self.server.data)
        self.assertEqual(records[:len(before)], before)
        self.assertEqual([r["n"] for r in records], list(range(1, len(records) + 1)))
        self.server.stop()
        self.assert_proven()
        shown = run(settings.binary, "audit", "show", "--data", self.server.data, "--resource", "team/app",
                    "--operation", "pull").stdout.splitlines()
        self.assertEqual([json.loads(line)["resource"] for line in shown], ["team/app:1.0"] * len(shown))
        self.assertTrue(shown)

        segment = next(pathlib.Path(self.server.data, "audit").glob("*/*.jsonl"))
        whole = segment.read_bytes()
        segment.write_bytes(whole.replace(b'"user":"admin"', b'"user":"nobod"', 1))
        done = self.verify()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("BROKEN at segment 1, record 1", done.stdout)
        lines = whole.splitlines(keepends=True)
        segment.write_bytes(b"".join(lines[:-2]))  # the last block
        self.assertEqual(self.verify().returncode, 1)
        segment.unlink()
        self.assertEqual(self.verify().returncode, 1)
        segment.write_bytes(whole)
        self.assert_proven()

    def test_a_planted_secret_is_nowhere(self):
        self.api("GET", "projects", password=PLANTED)
        self.api("POST", "projects", {"project_name": "team", "password": PLANTED, "secret": PLANTED})
        self.api("POST", "users", {"username": "dora", "email": "d@example.org", "realname": "Dora",
                                   "password": PLANTED, "comment": ""})
        self.registry.raw("POST", "/service/token", urllib.parse.urlencode({
            "grant_type": "password", "service": "entrepot", "client_id": "x", "username": "dora", "password": PLANTED}),
            {"Content-Type": "application/x-www-form-urlencoded"})
        self.server.stop()
        self.assertTrue(records_in(self.server.data))
        for path in (*pathlib.Path(self.server.data, "audit").rglob("*"), self.server.log_path):
            if path.is_file():
                self.assertNotIn(PLANTED.encode(), path.read_bytes(), path)


@unittest.skipIf(settings.foreign, "about our own program")
class BesideTheServer(AuditScenario):
    def setUp(self):
        super().setUp()
        self.serve()

    def reset(self, data=None, **environment):
        database = ["--database", self.server.database] if self.server.database else []
        own = {name: value for name, value in os.environ.items() if not name.startswith("ENTREPOT_")}
        return run(settings.binary, "reset-admin-password", "--data", data or self.server.data, *database,
                   check=False, env={**own, **environment})

    def resets(self):
        return [record for record in records_in(self.server.data) if record.get("client") == "local"]

    def test_a_reset_of_the_admins_password_is_recorded_in_the_instances_chain_and_proven(self):
        self.server.stop()
        forwarded = self.work / "forwarded.jsonl"
        done = self.reset(ENTREPOT_AUDIT_FORWARD_FILE=str(forwarded))
        self.assertEqual(done.returncode, 0, done.stderr)
        password = done.stdout.split("password: ")[1].split()[0]
        record, = self.resets()
        self.assertEqual(short(record)[:4], ("update", "user", "admin", "ok"))
        self.assertEqual(record["user"], "local:" + pwd.getpwuid(os.getuid()).pw_name)
        self.assertEqual(record["user_id"], 0)
        self.assertNotIn(password, json.dumps(record))
        self.assertEqual(len(list(pathlib.Path(self.server.data, "audit").iterdir())), 1)
        self.assertEqual(json.loads(forwarded.read_text().splitlines()[-1])["n"], record["n"])
        self.assert_proven()
        self.server.start()
        listed = self.api("GET", "auditlog-exts?q=username=" + record["user"], password=password)
        self.assertEqual([entry["resource"] for entry in listed.json()], ["admin"])
        self.assert_proven()

    @unittest.skipUnless(settings.database == "postgres", "with SQLite the server must be stopped")
    def test_a_reset_beside_a_running_instance_has_a_chain_of_its_own(self):
        for _ in range(2):
            done = self.reset()
            self.assertEqual(done.returncode, 0, done.stderr)
        password = done.stdout.split("password: ")[1].split()[0]
        name = (self.server.data / "instance").read_text().strip()
        chain = self.server.data / "audit" / f"{name}-local"
        self.assertEqual([record["n"] for record in self.resets()], [1, 2])
        self.assertEqual([path.name for path in chain.glob("*.jsonl")], ["00000001.jsonl"])
        self.assert_proven()
        listed = self.api("GET", "auditlog-exts?q=resource_type=user,operation=update", password=password)
        self.assertEqual([entry["resource"] for entry in listed.json()], ["admin", "admin"])
        chain.rename(self.work / "gone")
        done = self.verify()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(f"{name}-local: BROKEN", done.stdout)

    def test_a_reset_that_cannot_be_recorded_changes_nothing(self):
        if not self.server.database:
            self.server.stop()
        taken = self.work / "file"
        taken.write_text("no directory")
        done = self.reset(ENTREPOT_AUDIT_DIRECTORY=str(taken))
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertNotIn("password:", done.stdout)
        missing = self.reset(self.work / "none")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("data directory", missing.stderr)
        if not self.server.database:
            self.server.start()
        self.assertEqual(self.api("GET", "users/current").status, 200)
        self.assertEqual(self.resets(), [])

    @root_only
    def test_root_leaves_nothing_that_the_servers_user_cannot_read(self):
        self.server.stop()
        owner = pwd.getpwnam("nobody")
        for path in [self.server.data, *self.server.data.rglob("*")]:
            os.chown(path, owner.pw_uid, owner.pw_gid)
        self.work.chmod(0o755)
        for segment in self.server.data.glob("audit/*/*.jsonl"):
            segment.unlink()  # so that one is made
        done = self.reset()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.resets()[0]["user"], "local:root")
        strange = [path for path in self.server.data.rglob("*") if path.stat().st_uid != owner.pw_uid]
        self.assertEqual(strange, [])


@unittest.skipIf(settings.foreign, "needs a server of its own")
class Forwarding(AuditScenario):
    def certificate(self):
        """A certificate for 127.0.0.1 that is its own authority."""
        key, certificate = self.work / "key.pem", self.work / "certificate.pem"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=syslog",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context, certificate

    def waits_for(self, syslog, resource):
        wait_until(lambda: resource in syslog.resources(), 40, f"{resource} arrives")

    def test_syslog_over_tcp_gets_every_record_also_those_of_its_absence(self):
        port = free_port()
        syslog = Syslog(port).open()
        self.addCleanup(syslog.close)
        self.serve(environment={"ENTREPOT_AUDIT_FORWARD_SYSLOG": f"tcp://127.0.0.1:{port}",
                                "ENTREPOT_AUDIT_FORWARD_FILE": str(self.work / "copy.jsonl"),
                                "ENTREPOT_INSTANCE_NAME": "first.example"})
        self.make_project("while-it-listens")
        self.waits_for(syslog, "while-it-listens")
        message = syslog.messages[0]
        self.assertRegex(message, r"^<10[89]>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z first\.example entrepot - \w+ - \{")
        syslog.close()
        for number in range(5):
            self.make_project(f"while-it-is-away-{number}")
        self.server.stop()
        self.server.start()
        self.make_project("after-a-restart")
        again = Syslog(port).open()
        self.addCleanup(again.close)
        self.waits_for(again, "after-a-restart")
        self.assertLessEqual({f"while-it-is-away-{number}" for number in range(5)}, again.resources())
        wait_until(lambda: "after-a-restart" in (self.work / "copy.jsonl").read_text(), 10, "the file has it too")
        copied = [json.loads(line)["n"] for line in (self.work / "copy.jsonl").read_text().splitlines()]
        self.assertEqual(copied, list(range(1, len(copied) + 1)))

    def test_syslog_over_tls_is_checked_and_gets_every_record(self):
        context, certificate = self.certificate()
        port = free_port()
        syslog = Syslog(port, context).open()
        self.addCleanup(syslog.close)
        self.serve(environment={"ENTREPOT_AUDIT_FORWARD_SYSLOG": f"tls://127.0.0.1:{port}"})
        self.make_project("to-a-stranger")  # whose certificate nobody vouches for
        metric = 'entrepot_audit_forward_failures_total{to="syslog"}'
        wait_until(lambda: re.search(re.escape(metric) + r" [1-9]", self.registry.raw("GET", "/metrics").body.decode()),
                   20, "the failure is counted")
        self.assertEqual(syslog.messages, [])
        self.server.stop()
        self.server.environment["ENTREPOT_AUDIT_FORWARD_CA"] = str(certificate)
        self.server.start()
        self.waits_for(syslog, "to-a-stranger")


@unittest.skipIf(settings.foreign, "needs a server of its own")
class FullDisk(AuditScenario):
    def test_changes_are_refused_pulls_go_on_and_what_was_dropped_is_told(self):
        if os.geteuid() != 0:
            self.fail("this test mounts a small file system and has to run as root")
        place, picture = self.work / "small", self.work / "picture"
        place.mkdir()
        with open(picture, "wb") as file:
            file.truncate(16 << 20)
        run("mkfs.ext4", "-q", "-m", "0", picture)
        run("mount", "-o", "loop", picture, place)
        self.addCleanup(run, "umount", "-l", place)
        # Only the trail is on the small disk.
        self.serve(environment={"ENTREPOT_AUDIT_DIRECTORY": str(place)})
        self.registry.push_image("library/kept", "1", b"kept")
        ballast = place / "ballast"
        made = self.api("POST", "labels", {"name": "big", "scope": "g"})
        self.assertEqual(made.status, 201, made)
        with open(ballast, "ab") as file:
            for size in (1 << 20, 1 << 14, 4096):
                try:
                    while True:
                        os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
                except OSError:
                    pass
            os.fsync(file.fileno())
        change = {"name": "big", "scope": "g", "description": '"' * 1024}  # a record of some 4 KB
        for _ in range(2000):
            answer = self.api("PUT", f"labels/{made.headers['Location'].rsplit('/', 1)[1]}", change)
            self.assertIn(answer.status, (200, 507), answer)
            if answer.status == 507:
                break
        self.assertEqual(answer.status, 507, "changes are refused once the reserve is used up")
        refusal = self.registry.request("PUT", "/v2/library/kept/manifests/2",
                                        self.registry.expect(200, "GET", "/v2/library/kept/manifests/1").body,
                                        {"Content-Type": "application/vnd.oci.image.manifest.v1+json"})
        self.assertEqual(refusal.status, 507, refusal)
        self.assertEqual(self.server.status("/readyz"), 200)
        self.registry.pull_image("library/kept", "1")
        wait_until(lambda: re.search(r"entrepot_audit_dropped_pulls_total [1-9]",
                                     self.registry.raw("GET", "/metrics").body.decode()), 10, "dropped pulls are counted")
        ballast.unlink()
        answer = self.api("POST", "projects", {"project_name": "room-again"})
        self.assertEqual(answer.status, 201, answer)
        wait_until(lambda: '"operation":"dropped"' in "".join(p.read_text() for p in place.glob("*/*.jsonl")), 10,
                   "the trail tells what is missing")
        self.server.stop()
        database = ["--database", self.server.database] if self.server.database else []
        done = subprocess.run([settings.binary, "audit", "verify", "--data", self.server.data, "--directory", place,
                               *database], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
