"""The management API as clients of Harbor's meet it: projects, metadata, quotas, labels, settings, lists and the manners of
the protocol (paging, ETag, Idempotency-Key, errors)."""
import base64
import concurrent.futures
import json
import unittest
import urllib.parse

from support import settings
from support.scenario import Scenario
from support.server import PASSWORD


class ManagementApi(Scenario):
    """One request in, one answer out; a body is JSON."""

    def setUp(self):
        super().setUp()
        self.http = self.client()

    def call(self, method, path, body=None, status=None, user="admin", password=PASSWORD, **headers):
        if user:
            headers.setdefault("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.http.raw(method, "/api/v2.0" + path, data, headers)
        if status is not None:
            self.assertEqual(answer.status, status, f"{method} {path}: {answer}")
        return answer

    def get(self, path, **more):
        return self.call("GET", path, status=200, **more).json()

    def create(self, path, body, **headers):
        """The new object's id."""
        location = self.call("POST", path, body, 201, **headers).headers["Location"]
        self.assertTrue(location.startswith(f"/api/v2.0{path}/"), location)
        return int(location.rsplit("/", 1)[1])

    def refused(self, status, code, *call, **more):
        answer = self.call(*call, status=status, **more)
        self.assertEqual(answer.codes(), [code])
        self.assertTrue(answer.headers["X-Request-Id"])
        return answer


@unittest.skipIf(settings.foreign, "about our own API")
class Projects(ManagementApi):
    def test_the_version_is_harbors(self):
        self.assertEqual(self.http.raw("GET", "/api/version").json(), {"version": "v2.0"})

    def test_a_project_comes_changes_and_goes(self):
        number = self.create("/projects", {"project_name": self.project, "metadata": {"public": "true", "severity": "high"},
                                           "storage_limit": 1 << 30})
        shown = self.get(f"/projects/{self.project}")
        self.assertEqual(shown, self.get(f"/projects/{number}"))
        for field, value in {"project_id": number, "name": self.project, "owner_name": "admin", "repo_count": 0,
                             "deleted": False, "current_user_role_id": 1, "current_user_role_ids": [1],
                             "tenant_name": "default", "frozen": False, "protected": False,
                             "metadata": {"public": "true", "severity": "high"}}.items():
            self.assertEqual(shown[field], value, field)
        self.assertEqual(shown["cve_allowlist"]["items"], [])
        self.assertRegex(shown["creation_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        self.call("PUT", f"/projects/{number}", {"metadata": {"public": "false"},
                                                 "cve_allowlist": {"items": [{"cve_id": "CVE-2026-1"}]}}, 200)
        changed = self.get(f"/projects/{number}")
        self.assertEqual(changed["metadata"], {"public": "false", "severity": "high"})
        self.assertEqual(changed["cve_allowlist"]["items"], [{"cve_id": "CVE-2026-1"}])
        self.assertEqual(self.get(f"/projects/{number}/_deletable")["deletable"], True)
        self.call("DELETE", f"/projects/{self.project}", status=200)
        self.refused(404, "NOT_FOUND", "GET", f"/projects/{number}")

    def test_a_location_holds_the_name_where_that_is_asked(self):
        answer = self.call("POST", "/projects", {"project_name": self.project}, 201, X_Resource_Name_In_Location="true")
        self.assertEqual(answer.headers["Location"], f"/api/v2.0/projects/{self.project}")

    def test_a_number_is_an_id_unless_it_is_said_to_be_a_name(self):
        name = str(1_000_000_000 + self.random.randrange(1_000_000_000)) + self.project[1:3].translate(str.maketrans("abcdef", "012345"))
        self.create("/projects", {"project_name": name})
        self.call("GET", f"/projects/{name}", status=404)
        self.assertEqual(self.get(f"/projects/{name}", X_Is_Resource_Name="true")["name"], name)

    def test_a_name_is_taken_once(self):
        self.create("/projects", {"project_name": self.project})
        self.refused(409, "CONFLICT", "POST", "/projects", {"project_name": self.project})
        self.call("HEAD", f"/projects?project_name={self.project}", status=200)
        self.call("HEAD", "/projects?project_name=no-such-project", status=404)

    def test_what_makes_no_sense_is_refused(self):
        for body in ({}, {"project_name": 7}, {"project_name": ""}, {"project_name": "Upper"}, {"project_name": "a/b"},
                     {"project_name": "x" * 300}, {"project_name": self.project, "metadata": {"public": "maybe"}},
                     {"project_name": self.project, "metadata": "public"}, {"project_name": self.project, "storage_limit": -2},
                     {"project_name": self.project, "storage_limit": "much"}, {"project_name": self.project, "public": []}):
            with self.subTest(body=body):
                self.refused(400, "BAD_REQUEST", "POST", "/projects", body)
        for raw in (b"", b"[]", b"{", b'{"project_name":"\xff"}', b"null"):
            with self.subTest(raw=raw):
                self.refused(400, "BAD_REQUEST", "POST", "/projects", raw)
        self.call("POST", "/projects", b'{"project_name":"' + b"a" * (1 << 20) + b'"}', 413)
        self.refused(400, "BAD_REQUEST", "POST", "/projects", {"project_name": self.project, "registry_id": 3})
        self.refused(404, "NOT_FOUND", "POST", "/projects", {"project_name": self.project, "tenant": "no-such-tenant"})

    def test_nobody_sets_what_is_not_theirs_to_set(self):
        """Mass assignment: what a body may not say is passed over."""
        number = self.create("/projects", {"project_name": self.project, "project_id": 1, "owner_id": 999, "repo_count": 9,
                                           "owner_name": "x", "deleted": True, "metadata": {"owner_id": "3"}})
        shown = self.get(f"/projects/{number}")
        self.assertEqual((shown["owner_name"], shown["repo_count"], shown["deleted"]), ("admin", 0, False))
        self.call("PUT", f"/projects/{number}", {"project_name": "renamed", "owner_id": 999, "tenant_id": 999}, 200)
        self.assertEqual(self.get(f"/projects/{number}")["name"], self.project)
        self.assertEqual(self.get(f"/projects/{number}")["tenant_name"], "default")

    def test_a_project_with_artifacts_or_protection_stays(self):
        self.http.push_image(f"{self.project}/app", "1", b"layer")
        self.refused(412, "PRECONDITION", "DELETE", f"/projects/{self.project}")
        deletable = self.get(f"/projects/{self.project}/_deletable")
        self.assertFalse(deletable["deletable"])
        self.assertTrue(deletable["message"])
        self.assertEqual(self.get(f"/projects/{self.project}")["repo_count"], 1)
        other = self.create("/projects", {"project_name": self.project + "x"})
        self.call("PUT", f"/projects/{other}", {"protected": True}, 200)
        self.refused(412, "PRECONDITION", "DELETE", f"/projects/{other}")
        self.call("PUT", f"/projects/{other}", {"protected": False}, 200)
        self.call("DELETE", f"/projects/{other}", status=200)

    def test_metadata_one_by_one(self):
        number = self.create("/projects", {"project_name": self.project})
        metadata = f"/projects/{number}/metadatas"
        self.assertEqual(self.get(metadata + "/"), {"public": "false"})
        self.call("POST", metadata + "/", {"auto_scan": "true"}, 200)
        self.refused(409, "CONFLICT", "POST", metadata + "/", {"auto_scan": "true"})
        self.assertEqual(self.get(metadata + "/auto_scan"), {"auto_scan": "true"})
        self.call("PUT", metadata + "/auto_scan", {"auto_scan": "false"}, 200)
        self.assertEqual(self.get(metadata + "/"), {"public": "false", "auto_scan": "false"})
        self.call("PUT", metadata + "/public", {"public": "true"}, 200)
        self.assertEqual(self.get(f"/projects?name={self.project}&public=true")[0]["project_id"], number)
        self.call("DELETE", metadata + "/auto_scan", status=200)
        self.refused(404, "NOT_FOUND", "GET", metadata + "/auto_scan")
        self.refused(404, "NOT_FOUND", "PUT", metadata + "/severity", {"severity": "low"})
        self.refused(404, "NOT_FOUND", "DELETE", metadata + "/.cve_allowlist")
        self.refused(400, "BAD_REQUEST", "POST", metadata + "/", {"severity": "very"})
        self.refused(400, "BAD_REQUEST", "POST", metadata + "/", {"unheard_of": "true"})
        self.refused(400, "BAD_REQUEST", "POST", metadata + "/", {"auto_scan": "true", "severity": "low"})

    def test_a_summary_counts(self):
        self.http.push_image(f"{self.project}/app", "1", b"layer")
        summary = self.get(f"/projects/{self.project}/summary")
        self.assertEqual(summary["repo_count"], 1)
        self.assertEqual(summary["project_admin_count"], 1)
        self.assertEqual(summary["quota"]["hard"]["storage"], -1)
        self.assertGreater(summary["quota"]["used"]["storage"], 0)

    def test_lists_are_pages_in_order(self):
        names = sorted(f"{self.project}-{i}" for i in range(7))
        for name in names:
            self.create("/projects", {"project_name": name})
        answer = self.call("GET", f"/projects?name={self.project}&page_size=3&page=2", status=200)
        self.assertEqual([project["name"] for project in answer.json()], names[3:6])
        self.assertEqual(answer.headers["X-Total-Count"], "7")
        self.assertIn('rel="next"', answer.headers["Link"])
        self.assertIn('rel="prev"', answer.headers["Link"])
        last = self.call("GET", f"/projects?q=name%3D~{self.project}&sort=-name&page_size=100", status=200)
        self.assertEqual([project["name"] for project in last.json()], names[::-1])
        one = self.get(f"/projects?q=name%3D{names[2]}&with_detail=false")
        self.assertEqual(len(one), 1)
        self.assertNotIn("current_user_role_id", one[0])
        some = self.get(f"/projects?q=" + urllib.parse.quote("name={%s %s}" % (names[0], names[6])))
        self.assertEqual([project["name"] for project in some], [names[0], names[6]])

    def test_sql_in_q_and_sort_is_a_field_that_there_is_not(self):
        self.create("/projects", {"project_name": self.project})
        for hostile in ("name'--", "1=1", "name;DROP TABLE projects", "(SELECT 1)", "name)/**/", "p.id", "password_hash", "*"):
            field = urllib.parse.quote(hostile)
            with self.subTest(hostile=hostile):
                self.refused(400, "BAD_REQUEST", "GET", f"/projects?sort={field}")
                self.refused(400, "BAD_REQUEST", "GET", f"/projects?q={field}%3Dx")
        for value in ("' OR '1'='1", "%' OR 1=1 --", "x' UNION SELECT name FROM users --", "\\", "%", "_", "';--"):
            with self.subTest(value=value):
                quoted = urllib.parse.quote(value)
                self.assertEqual(self.get(f"/projects?name={quoted}"), [])
                self.assertEqual(self.get(f"/projects?q=name%3D~{quoted}"), [])
        for broken in ("q=name", "q==x", "q=name%3D{}", "page=0", "page_size=0", "page_size=101", "page=x", "q=public%3Dmaybe",
                       "q=project_id%3D1e9", "q=creation_time%3D[yesterday~]", "sort=a,b,c,d,e", "q=%ff"):
            with self.subTest(broken=broken):
                self.assertEqual(self.call("GET", f"/projects?{broken}").status, 400)
        self.assertEqual(len(self.get(f"/projects?name={self.project}")), 1)

    def test_an_encoded_slash_is_no_way_around(self):
        self.create("/projects", {"project_name": self.project})
        for path in (f"/projects%2F{self.project}", f"/projects/{self.project}%2Fsummary", f"/projects/..%2Fusers%2F1",
                     f"/projects/%2e%2e/users", f"/projects//{self.project}", f"/projects/{self.project}/..",
                     f"/projects/{self.project}%00", f"/projects/{self.project}%252Fsummary", "/projects/0", "/projects/-1",
                     "/projects/99999999999999999999"):
            with self.subTest(path=path):
                self.assertIn(self.call("GET", path).status, (400, 404))


@unittest.skipIf(settings.foreign, "about our own API")
class Visibility(ManagementApi):
    def test_strangers_see_public_projects_and_nothing_of_others(self):
        public = self.create("/projects", {"project_name": self.project + "-open", "public": True})
        hidden = self.create("/projects", {"project_name": self.project + "-closed"})
        listed = self.call("GET", f"/projects?name={self.project}", user=None, status=200)
        self.assertEqual([project["project_id"] for project in listed.json()], [public])
        self.assertEqual(listed.headers["X-Total-Count"], "1")
        self.assertEqual(self.get(f"/projects/{public}", user=None)["current_user_role_ids"], [])
        self.assertNotIn("quota", self.get(f"/projects/{public}/summary", user=None))
        there = self.call("GET", f"/projects/{hidden}", user=None)
        nowhere = self.call("GET", "/projects/987654321", user=None)
        self.assertEqual((there.status, there.json()), (nowhere.status, nowhere.json()))
        found = self.get(f"/search?q={self.project}", user=None)
        self.assertEqual([project["project_id"] for project in found["project"]], [public])
        for method, path in (("POST", "/projects"), ("PUT", f"/projects/{public}"), ("DELETE", f"/projects/{public}"),
                             ("GET", f"/quotas/{public}"), ("GET", "/quotas"), ("GET", "/configurations"), ("GET", "/labels?scope=g"),
                             ("POST", "/labels"), ("GET", "/systeminfo/volumes"), ("GET", "/statistics")):
            with self.subTest(path=path):
                self.refused(401, "UNAUTHORIZED", method, path, {} if method != "GET" else None, user=None)

    def test_search_finds_repositories(self):
        self.http.push_image(f"{self.project}/deep/app", "1", b"layer")
        found = self.get(f"/search?q={self.project}/deep")
        self.assertEqual(found["chart"], [])
        self.assertEqual(len(found["repository"]), 1)
        repository = found["repository"][0]
        self.assertEqual(repository["repository_name"], f"{self.project}/deep/app")
        self.assertEqual(repository["project_name"], self.project)
        self.assertIs(repository["project_public"], False)
        self.assertEqual(self.get(f"/search?q={self.project}/deep", user=None)["repository"], [])


@unittest.skipIf(settings.foreign, "about our own API")
class Quotas(ManagementApi):
    def test_a_quota_is_its_projects(self):
        number = self.create("/projects", {"project_name": self.project, "storage_limit": 1000})
        quota = self.get(f"/quotas/{number}")
        self.assertEqual(quota["hard"], {"storage": 1000, "artifacts": -1})
        self.assertEqual(quota["used"], {"storage": 0, "artifacts": 0})
        self.assertEqual(quota["ref"], {"id": number, "name": self.project, "owner_name": "admin"})
        self.call("PUT", f"/quotas/{number}", {"hard": {"storage": -1, "artifacts": 5}}, 200)
        self.assertEqual(self.get(f"/quotas/{number}")["hard"], {"storage": -1, "artifacts": 5})
        listed = self.get(f"/quotas?reference=project&reference_id={number}")
        self.assertEqual([entry["id"] for entry in listed], [number])
        self.assertEqual(self.get("/quotas?reference=registry"), [])
        for bad in ({}, {"hard": {}}, {"hard": {"storage": -2}}, {"hard": {"storage": "1"}}, {"hard": {"storage": 1 << 60}}):
            with self.subTest(bad=bad):
                self.refused(400, "BAD_REQUEST", "PUT", f"/quotas/{number}", bad)
        self.refused(404, "NOT_FOUND", "GET", "/quotas/987654321")

    def test_lists_are_sorted_by_what_is_used(self):
        self.http.push_image(f"{self.project}/app", "1", b"x" * 100_000)
        self.create("/projects", {"project_name": self.project + "-empty"})
        query = urllib.parse.quote(f"ref.name=~{self.project}")
        listed = self.get(f"/quotas?q={query}&sort=-used.storage")
        self.assertEqual([entry["ref"]["name"] for entry in listed], [self.project, self.project + "-empty"])


@unittest.skipIf(settings.foreign, "about our own API")
class Labels(ManagementApi):
    def test_labels_are_global_or_a_projects(self):
        project = self.create("/projects", {"project_name": self.project})
        name = "l-" + self.project
        shared = self.create("/labels", {"name": name, "color": "#FF0000", "description": "d", "scope": "g"})
        own = self.create("/labels", {"name": name, "scope": "p", "project_id": project})
        self.refused(409, "CONFLICT", "POST", "/labels", {"name": name, "scope": "g"})
        label = self.get(f"/labels/{shared}")
        self.assertEqual((label["name"], label["color"], label["scope"], label["project_id"]), (name, "#FF0000", "g", 0))
        self.assertEqual([entry["id"] for entry in self.get(f"/labels?scope=g&name={name}")], [shared])
        self.assertEqual([entry["id"] for entry in self.get(f"/labels?scope=p&project_id={project}")], [own])
        self.call("PUT", f"/labels/{own}", {"name": name + "2", "color": "#00ff00"}, 200)
        self.assertEqual(self.get(f"/labels/{own}")["name"], name + "2")
        self.call("DELETE", f"/labels/{own}", status=200)
        self.refused(404, "NOT_FOUND", "GET", f"/labels/{own}")
        for bad in ("/labels", "/labels?scope=x", "/labels?scope=p", "/labels?scope=p&project_id=x"):
            self.refused(400, "BAD_REQUEST", "GET", bad)
        self.refused(404, "NOT_FOUND", "GET", "/labels?scope=p&project_id=987654321")
        for bad in ({"name": ""}, {"name": "x" * 129}, {"name": "x", "color": "red"}, {"name": "x", "scope": "p"}):
            self.refused(400, "BAD_REQUEST", "POST", "/labels", bad)


@unittest.skipIf(settings.foreign, "changes the settings of a whole server")
class Settings(ManagementApi):
    @classmethod
    def setUpClass(cls):
        from support.server import Server
        cls.server = Server().start()
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        super().setUp()
        self.http = self.client(self.server)

    def test_settings_are_typed_and_kept(self):
        shown = self.get("/configurations")
        self.assertEqual(shown["auth_mode"], {"value": "db_auth", "editable": False})
        self.call("PUT", "/configurations", {"banner_message": "hello", "robot_token_duration": 7, "unheard_of": 1}, 200)
        self.assertEqual(self.get("/configurations")["robot_token_duration"]["value"], 7)
        self.assertNotIn("unheard_of", self.get("/configurations"))
        self.assertEqual(self.get("/systeminfo", user=None)["banner_message"], "hello")
        for bad in ({"read_only": "perhaps"}, {"read_only": 1}, {"robot_token_duration": "7"}, {"banner_message": []},
                    {"banner_message": 3}, {"session_timeout": 0}, {"session_timeout": 1.5}, {"auth_mode": "ldap_auth"}):
            with self.subTest(bad=bad):
                self.refused(400, "BAD_REQUEST", "PUT", "/configurations", bad)
        self.assertEqual(self.get("/configurations")["banner_message"]["value"], "hello")
        self.server.stop()
        self.server.start()
        self.assertEqual(self.get("/configurations")["banner_message"]["value"], "hello")

    def test_a_read_only_registry_is_read(self):
        digest = self.http.push_image(f"{self.project}/app", "1", b"layer")
        self.call("PUT", "/configurations", {"read_only": True}, 200)
        self.addCleanup(self.call, "PUT", "/configurations", {"read_only": False}, 200)
        self.refused(403, "FORBIDDEN", "POST", "/projects", {"project_name": self.project + "x"})
        self.refused(403, "FORBIDDEN", "DELETE", f"/projects/{self.project}")
        push = self.http.request("PUT", f"/v2/{self.project}/app/manifests/2", b"{}", {"Content-Type": "application/json"})
        self.assertEqual((push.status, push.codes()), (403, ["DENIED"]))
        self.assertEqual(self.http.request("POST", f"/v2/{self.project}/app/blobs/uploads/").status, 403)
        self.assertEqual(self.http.request("DELETE", f"/v2/{self.project}/app/manifests/{digest}").status, 403)
        self.http.pull_image(f"{self.project}/app", "1")
        self.get("/projects")

    def test_the_token_lifetime_is_what_is_set(self):
        self.call("PUT", "/configurations", {"token_expiration": 5}, 200)
        answer = self.http.raw("GET", "/service/token?service=entrepot", headers={"Authorization": self.http.basic()})
        self.assertEqual(answer.json()["expires_in"], 300)

    def test_new_projects_get_the_limit_that_is_set(self):
        self.call("PUT", "/configurations", {"storage_per_project": 4096}, 200)
        self.addCleanup(self.call, "PUT", "/configurations", {"storage_per_project": -1}, 200)
        number = self.create("/projects", {"project_name": self.project})
        self.assertEqual(self.get(f"/quotas/{number}")["hard"]["storage"], 4096)


@unittest.skipIf(settings.foreign, "about our own API")
class System(ManagementApi):
    def test_everybody_learns_what_a_log_in_page_needs_and_no_more(self):
        info = self.get("/systeminfo", user=None)
        self.assertEqual((info["auth_mode"], info["self_registration"]), ("db_auth", False))
        self.assertNotIn("current_time", info)
        self.assertEqual(self.get("/systeminfo")["registry_url"], self.host)
        self.call("GET", "/systeminfo/getcert", status=404, user=None)
        self.assertEqual(self.call("GET", "/ping", user=None).body, b"Pong")
        health = self.get("/health", user=None)
        self.assertEqual(health["status"], "healthy")
        self.assertEqual({part["name"]: part["status"] for part in health["components"]},
                         {"core": "healthy", "database": "healthy", "registry": "healthy"})

    def test_volumes_and_statistics(self):
        volume = self.get("/systeminfo/volumes")["storage"][0]
        self.assertGreater(volume["total"], volume["free"])
        before = self.get("/statistics")
        self.create("/projects", {"project_name": self.project, "public": True})
        after = self.get("/statistics")
        self.assertGreaterEqual(after["public_project_count"], before["public_project_count"] + 1)
        self.assertEqual(after["total_project_count"], after["public_project_count"] + after["private_project_count"])
        self.assertIn("total_storage_consumption", after)


@unittest.skipIf(settings.foreign, "about our own API")
class Manners(ManagementApi):
    def test_a_repetition_with_the_same_key_is_not_carried_out(self):
        key = "key-" + self.project
        first = self.call("POST", "/projects", {"project_name": self.project}, 201, Idempotency_Key=key)
        second = self.call("POST", "/projects", {"project_name": self.project}, 201, Idempotency_Key=key)
        self.assertEqual(first.headers["Location"], second.headers["Location"])
        self.assertEqual(second.headers["Idempotency-Replayed"], "true")
        self.assertNotEqual(first.headers["X-Request-Id"], second.headers["X-Request-Id"])
        self.refused(422, "UNPROCESSABLE_ENTITY", "POST", "/projects", {"project_name": self.project + "x"},
                     Idempotency_Key=key)
        self.refused(422, "UNPROCESSABLE_ENTITY", "POST", "/labels", {"project_name": self.project}, Idempotency_Key=key)
        self.refused(409, "CONFLICT", "POST", "/projects", {"project_name": self.project}, Idempotency_Key=key + "-new")
        self.refused(400, "BAD_REQUEST", "POST", "/projects", {"project_name": self.project}, Idempotency_Key="a b")

    def test_of_many_at_once_with_one_key_one_is_carried_out(self):
        def post(_):
            client = self.client()
            return client.raw("POST", "/api/v2.0/projects", json.dumps({"project_name": self.project}).encode(),
                              {"Authorization": client.basic(), "Idempotency-Key": "race-" + self.project})
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(post, range(16)))
        carried_out = [a for a in answers if a.status == 201 and "Idempotency-Replayed" not in a.headers]
        self.assertEqual(len(carried_out), 1)
        for answer in answers:
            self.assertIn(answer.status, (201, 409))
            if answer.status == 409:
                self.assertIn("under way", answer.body.decode())

    def test_an_object_is_sent_and_changed_only_as_somebody_knows_it(self):
        number = self.create("/projects", {"project_name": self.project})
        path = f"/projects/{number}"
        tag = self.call("GET", path, status=200).headers["ETag"]
        self.assertEqual(self.call("GET", path, status=304, If_None_Match=tag).body, b"")
        self.assertEqual(self.call("HEAD", path, status=200).headers["ETag"], tag)
        self.call("PUT", path, {"metadata": {"public": "true"}}, 200, If_Match=tag)
        self.refused(412, "PRECONDITION", "PUT", path, {"metadata": {"public": "false"}}, If_Match=tag)
        self.refused(412, "PRECONDITION", "DELETE", path, If_Match=tag)
        self.assertEqual(self.get(path)["metadata"]["public"], "true")
        self.call("DELETE", path, status=200, If_Match=self.call("GET", path, status=200).headers["ETag"])
        self.refused(412, "PRECONDITION", "DELETE", path, If_Match="*")

    def test_of_many_changes_of_one_state_one_succeeds(self):
        number = self.create("/projects", {"project_name": self.project})
        path = f"/api/v2.0/projects/{number}"
        tag = self.call("GET", f"/projects/{number}", status=200).headers["ETag"]

        def put(i):
            client = self.client()
            body = json.dumps({"metadata": {"severity": "high", "proxy_speed_kb": str(i)}}).encode()
            return client.raw("PUT", path, body, {"Authorization": client.basic(), "If-Match": tag}).status
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(put, range(16)))
        self.assertEqual(sorted(statuses), [200] + [412] * 15)

    def test_requests_are_known_by_an_id(self):
        self.assertEqual(self.call("GET", "/projects", X_Request_Id="my-id-1").headers["X-Request-Id"], "my-id-1")
        self.assertEqual(self.call("GET", "/projects/987654321", X_Request_Id="my-id-2").headers["X-Request-Id"], "my-id-2")

    def test_other_methods_are_named(self):
        answer = self.refused(405, "METHOD_NOT_ALLOWED", "PATCH", f"/projects/{self.project}")
        self.assertEqual(answer.headers["Allow"], "GET, PUT, DELETE")
