"""What others had to fix: every published CVE of Harbor, distribution, zot and Quay on authorisation that applies here
has a test named after it, and attacks of their kind without a number follow.

What does not apply, and why:
- Harbor CVE-2020-13788 (requests forged by webhook tests), CVE-2022-31666 (webhooks), CVE-2022-31668 (preheat policies),
  CVE-2022-31669 (immutability rules), CVE-2022-31670 (retention), CVE-2022-31671 (job logs): we have no such operations
  yet. Each is an object of a project that was changed through another one; test_objects_of_one_project_through_another
  holds that for every kind that we do have.
- Harbor CVE-2023-20902 (the job service's secret compared in non-constant time): we have no job service. Secrets of
  many bits are looked up by their SHA-256, so nothing is compared byte by byte.
- Harbor CVE-2024-22261 let admins read ids of tasks by SQL in a parameter; we have no tasks to list, and
  test_sql_in_every_list covers its kind.
- distribution CVE-2021-41190 (manifests of two types at once) is no matter of authorisation.
- zot CVE-2026-31801 (who may create but not update overwrites "latest"): here one right, push, makes and moves tags.
- Quay CVE-2020-27831 (mails to the wrong people), CVE-2024-5891 (OAuth applications): we send no mails and have no
  applications.
"""
import base64
import json
import re
import unittest
import urllib.parse

from support import settings
from support.api import Api
from support.attack import USER_PASSWORD, Attack
from support.registry import OCI_LAYER, OCI_MANIFEST, Registry, descriptor, digest_of
from support.server import PASSWORD, Server, wait_until

INJECTIONS = ("'", "'--", "\";--", "1 OR 1=1", "1) OR (1=1", "x' OR '1'='1", "'; DROP TABLE users; --", "%27", "\\'",
              "1 UNION SELECT secret FROM robots", "name;SELECT pg_sleep(9)", "(SELECT 1)", "$1", "\x00")


@unittest.skipIf(settings.foreign, "about our own management API")
class Harbor(Attack):
    ADMIN_FIELDS = {"has_admin_role": True, "sysadmin_flag": True, "admin_role_in_auth": True, "is_admin": True,
                    "role_id": 1, "role": 6, "grants": [{"role_id": 6}], "user_id": 1, "kind": "robot"}

    def test_CVE_2019_16097_no_field_makes_an_admin(self):
        name = f"risen-{self.project}"
        number = self.admin.made("/users", {"username": name, "password": USER_PASSWORD, "email": f"{name}@example.com",
                                            "realname": name, **self.ADMIN_FIELDS})
        own = self.api(name, USER_PASSWORD)
        current = own.get("/users/current")
        self.assertEqual((current["user_id"], current["sysadmin_flag"]), (number, False))
        own.put(f"/users/{number}", {"realname": "x", "email": f"{name}@example.com", **self.ADMIN_FIELDS})
        self.assertIs(own.get("/users/current")["sysadmin_flag"], False)
        own.expect(403, "PUT", f"/users/{number}/sysadmin", {"sysadmin_flag": True})
        own.expect(403, "GET", "/users")

    def test_CVE_2019_16097_nor_by_self_registration(self):
        before = self.admin.get("/configurations")["self_registration"]["value"]
        self.addCleanup(self.admin.put, "/configurations", {"self_registration": before})
        nobody = self.api(None)
        name = f"self-{self.project}"
        body = {"username": name, "password": USER_PASSWORD, "email": f"{name}@example.com", "realname": name,
                **self.ADMIN_FIELDS}
        self.admin.put("/configurations", {"self_registration": False})
        self.assertIn(nobody.request("POST", "/users", body).status, (401, 403))
        self.admin.put("/configurations", {"self_registration": True})
        nobody.post("/users", body)
        self.assertIs(self.api(name, USER_PASSWORD).get("/users/current")["sysadmin_flag"], False)

    def test_CVE_2019_16919_a_robot_for_a_project_that_is_not_ones_own(self):
        mine, _ = self.make_project()
        others, others_id = self.make_project("b")
        self.join(mine, self.attacker_id, 1)
        self.push(f"{others}/app")
        pull = ("repository", "pull")
        for body in (self.robot_body(others, pull), self.robot_body("*", pull),
                     self.robot_body(mine, pull, permissions=[
                         {"kind": "project", "namespace": name, "access": [{"resource": "repository", "action": "pull"}]}
                         for name in (mine, others)]),
                     self.robot_body(mine, pull, level="system"),
                     self.robot_body(mine, pull, level="system", permissions=[
                         {"kind": "system", "namespace": "/", "access": [{"resource": "user", "action": "create"}]}]),
                     self.robot_body(f"/project/{others_id}", pull), self.robot_body(str(others_id), pull)):
            with self.subTest(body=body):
                answer = self.attacker.request("POST", "/robots", body)
                self.assertIn(answer.status, (400, 403, 404), answer)

    def test_CVE_2019_3990_users_are_not_to_be_listed(self):
        victim, number = self.user("victim")
        self.assertEqual(self.api(None).request("GET", f"/users/search?username={victim}").status, 401)
        self.attacker.expect(403, "GET", "/users")
        self.attacker.expect(403, "GET", f"/users?q=username={victim}")
        # Somebody who is there and somebody who isn't: the same words.
        known, unknown = (self.attacker.request("GET", f"/users/{one}") for one in (number, 1 << 40))
        self.assertEqual((known.status, known.body), (unknown.status, unknown.body))
        self.assertIn(known.status, (403, 404))

    def test_CVE_2020_13794_nor_to_be_guessed(self):
        victim, _ = self.user("victim")
        nobody = self.api(None)
        answers = set()
        for name in (victim, "nobody-of-this-name"):
            answer = nobody.request("POST", "/c/userExists", urllib.parse.urlencode(
                {"target": "username", "value": name}).encode(), {"Content-Type": "application/x-www-form-urlencoded"}, base="")
            answers.add((answer.status, answer.body))
        self.assertEqual(len(answers), 1, answers)
        logins = set()
        for name in (victim, "nobody-of-this-name"):
            answer = self.api(name, "Wrong1password").request("GET", "/users/current")
            logins.add((answer.status, answer.body))
        self.assertEqual(len(logins), 1, logins)

    def test_CVE_2020_13794_people_of_another_tenant_are_not_found(self):
        tenant = self.project
        self.admin.made("/tenants", {"name": tenant})
        hidden = f"hidden-{self.project}"
        self.admin.post(f"/tenants/{tenant}/members", {"user": {
            "username": hidden, "password": USER_PASSWORD, "email": f"{hidden}@example.com", "realname": hidden}})
        self.assertEqual(self.attacker.get(f"/users/search?username={hidden}"), [])
        self.assertEqual([one["username"] for one in self.admin.get(f"/users/search?username={hidden}")], [hidden])

    def test_CVE_2019_19023_a_profile_is_its_owners(self):
        victim, number = self.user("victim")
        profile = {"email": f"stolen-{self.project}@example.com", "realname": "x", "comment": ""}
        self.assertIn(self.attacker.request("PUT", f"/users/{number}", profile).status, (403, 404))
        self.assertEqual(self.admin.get(f"/users/{number}")["email"], f"{victim}@example.com")
        self.assertIn(self.attacker.request("PUT", f"/users/{number}/password",
                                            {"old_password": "", "new_password": "Stolen1pass"}).status, (403, 404))
        taken = self.attacker.request("PUT", f"/users/{self.attacker_id}", {**profile, "email": f"{victim}@example.com"})
        self.assertEqual(taken.status, 409, taken)

    def test_CVE_2019_19023_ones_own_password_takes_the_old_one(self):
        for old in (None, "", "Wrong1password"):
            body = {"new_password": "Another1pass", **({} if old is None else {"old_password": old})}
            self.assertIn(self.attacker.request("PUT", f"/users/{self.attacker_id}/password", body).status, (400, 401, 403))
        self.attacker.get("/users/current")

    def login(self, api, user, password, headers=None):
        form = urllib.parse.urlencode({"principal": user, "password": password}).encode()
        answer = api.request("POST", "/c/login", form, {"Content-Type": "application/x-www-form-urlencoded",
                                                        **(headers or {})}, base="")
        self.assertEqual(answer.status, 200, answer)
        cookie = answer.headers["Set-Cookie"]
        return re.match(r"sid=([^;]+)", cookie)[1], answer.headers["X-Harbor-CSRF-Token"], cookie

    def test_CVE_2019_19025_a_session_changes_nothing_without_its_token(self):
        nobody = self.api(None)
        sid, token, cookie = self.login(nobody, "admin", PASSWORD)
        self.assertIn("HttpOnly", cookie)
        self.assertRegex(cookie, "SameSite=(Lax|Strict)")
        session = {"Cookie": f"sid={sid}"}
        self.assertEqual(nobody.request("GET", "/users/current", headers=session).status, 200)
        body = {"project_name": self.project}
        _, other, _ = self.login(nobody, self.attacker_name, USER_PASSWORD)
        for wrong in ({}, {"X-Harbor-CSRF-Token": ""}, {"X-Harbor-CSRF-Token": "x"}, {"X-Harbor-CSRF-Token": other},
                      {"X-Harbor-CSRF-Token": token[:-2]}):
            with self.subTest(token=wrong):
                for method, path in (("POST", "/projects"), ("PUT", "/configurations"), ("DELETE", f"/users/{self.attacker_id}"),
                                     ("PATCH", "/robots/1")):
                    answer = nobody.request(method, path, body, {**session, **wrong})
                    self.assertEqual(answer.status, 403, answer)
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = nobody.request("POST", "/projects", json.dumps(body).encode(), {**session, "Content-Type": content_type})
            self.assertEqual(answer.status, 403, content_type)
        self.assertEqual(nobody.request("POST", "/projects", body, {**session, "X-Harbor-CSRF-Token": token}).status, 201)

    def test_sql_in_every_list(self):
        """CVE-2019-19026, CVE-2019-19029 (sort of quotas), CVE-2024-22261: what q and sort name is never part of a
        statement."""
        lists = ["/projects", "/repositories", "/users", "/labels?scope=g", "/quotas", "/usergroups", "/robots", "/audit-logs",
                 "/auditlog-exts", "/tenants", "/grants", "/roles", f"/users/{self.attacker_id}/tokens"]
        for path in lists:
            for text in INJECTIONS:
                quoted = urllib.parse.quote(text)
                for query in (f"sort={quoted}", f"sort=-name,{quoted}", f"q={quoted}", f"q=name={quoted}", f"q=name=~{quoted}",
                              f"q={quoted}=x", f"q=id=%5B{quoted}~{quoted}%5D", f"q=name=%7B{quoted}%20x%7D", f"name={quoted}",
                              f"reference_id={quoted}", f"group_name={quoted}", f"owner={quoted}"):
                    answer = self.admin.request("GET", f"{path}{'&' if '?' in path else '?'}{query}")
                    self.assertIn(answer.status, (200, 400), f"{path} {query}: {answer}")
        self.admin.get("/users/current")

    def test_CVE_2019_19026_sql_in_names(self):
        for text in INJECTIONS:
            answer = self.admin.request("POST", "/usergroups", {"group_name": f"{text} {self.project}", "group_type": 3})
            if answer.status == 201:
                group = self.admin.get(answer.headers["Location"].removeprefix("/api/v2.0"))
                self.assertEqual(group["group_name"], f"{text} {self.project}")
            else:
                self.assertEqual(answer.status, 400, answer)

    def test_CVE_2020_29662_the_catalog_has_one_door(self):
        self.make_project()
        self.push(f"{self.project}/app")
        nobody = self.api(None)
        for path in ("/v2/_catalog", "/v2/_catalog/", "//v2/_catalog", "/v2//_catalog", "/v2/%5fcatalog", "/v2/./_catalog",
                     "/v2/_catalog?n=1000", "/v2/_catalog;x", "/V2/_catalog", "/api/../v2/_catalog", "/v2/_catalog%2f"):
            answer = nobody.request("GET", path, base="")
            with self.subTest(path):
                self.assertIn(answer.status, (400, 401, 404), answer)
                self.assertNotIn(self.project.encode(), answer.body)
        mine = self.attacker.request("GET", "/v2/_catalog?n=1000", base="").json()["repositories"]
        self.assertNotIn(f"{self.project}/app", mine)

    def test_CVE_2022_31667_a_robot_of_another_project(self):
        mine, _ = self.make_project()
        others, _ = self.make_project("b")
        self.join(mine, self.attacker_id, 1)
        robot = self.admin.post("/robots", self.robot_body(others, ("repository", "pull"))).json()
        body = self.robot_body(mine, ("repository", "pull"), id=robot["id"], name=robot["name"])
        for method, sent in (("GET", None), ("PUT", body), ("PATCH", {"secret": "Stolen1secret"}), ("DELETE", None)):
            answer = self.attacker.request(method, f"/robots/{robot['id']}", sent)
            missing = self.attacker.request(method, f"/robots/{1 << 40}", sent)
            with self.subTest(method):
                self.assertEqual((answer.status, answer.body), (missing.status, missing.body))
                self.assertEqual(answer.status, 404)
        self.push(f"{others}/app")
        own = self.api(robot["name"], robot["secret"])
        self.assertEqual(own.request("GET", f"/v2/{others}/app/tags/list", base="").status, 200)

    def test_CVE_2022_46463_what_is_private_is_nobodys_to_see(self):
        name, number = self.make_project()
        digest = self.push(f"{name}/app")
        for api in (self.api(None), self.attacker):
            for path in (f"/projects?name={name}", f"/search?q={name}", "/repositories?page_size=100", "/projects?public=false"):
                answer = api.request("GET", path)
                with self.subTest(path, user=api.user):
                    self.assertIn(answer.status, (200, 401))
                    self.assertNotIn(f'"{name}', answer.body.decode())
            for path in (f"/projects/{name}", f"/projects/{number}", f"/projects/{name}/repositories",
                         f"/projects/{name}/repositories/app/artifacts", f"/projects/{name}/repositories/app/artifacts/{digest}",
                         f"/projects/{name}/summary", f"/projects/{name}/artifacts"):
                with self.subTest(path, user=api.user):
                    self.assertEqual(api.request("GET", path).status, 404 if api.user else 401)

    def test_CVE_2024_22244_nobody_is_sent_elsewhere(self):
        nobody = self.api(None)
        for path in ("/c/log_out?redirect_url=https://evil.example", "/c/login?redirect_url=//evil.example", "/c/oidc/login?redirect_url=//evil.example",
                     "//evil.example/%2f..", "/api/docs?redirect_url=https://evil.example", "/\\evil.example", "/api/docs//evil.example"):
            answer = nobody.request("GET", path, headers={"Host": "evil.example"}, base="")
            with self.subTest(path):
                self.assertNotIn("evil.example", answer.headers.get("Location", ""))
                self.assertFalse(300 <= answer.status < 400 and answer.status != 304, answer)

    def test_CVE_2024_22278_a_maintainer_does_not_configure(self):
        name, number = self.make_project()
        self.join(name, self.attacker_id, 4)
        for project in (name, number):
            for method, path, body in (("POST", "/metadatas/", {"prevent_vul": "true"}), ("PUT", "/metadatas/public", {"public": "true"}),
                                       ("DELETE", "/metadatas/public", None), ("PUT", "/metadatas/auto_scan", {"auto_scan": "true"}),
                                       ("PUT", "", {"metadata": {"public": "true"}})):
                with self.subTest(method, path=path, by=project):
                    self.attacker.expect(403, method, f"/projects/{project}{path}", body)
        self.assertEqual(self.admin.get(f"/projects/{name}")["metadata"]["public"], "false")

    def test_CVE_2025_30086_secrets_can_neither_be_filtered_nor_sorted_by(self):
        for path in ("/users", "/robots", "/users/current/tokens"):
            for field in ("password", "salt", "hash", "secret", "secret_hash", "credential", "password_hash", "credentials.hash",
                          "Password", "previous_hash", "token"):
                for query in (f"q={field}=~a", f"q={field}=a", f"q={field}=%5Ba~b%5D", f"sort={field}", f"sort=-{field}"):
                    with self.subTest(path, query=query):
                        self.admin.expect(400, "GET", f"{path}?{query}")
        for entry in self.admin.get("/users?page_size=100"):
            self.assertFalse({"password", "salt", "hash", "secret"} & set(entry), entry)

    def test_CVE_2026_4404_there_is_no_password_that_others_know(self):
        passwords = set()
        for _ in range(2):
            server = Server(environment={"ENTREPOT_ADMIN_PASSWORD": None}).start()
            self.addCleanup(server.close)
            found = []
            wait_until(lambda: found.extend(re.findall(r"password\S*[=:]\s*\"?([A-Za-z0-9_-]{12,})", server.log_path.read_text())) or found,
                       10, "the first start tells the password")
            passwords.add(found[0])
            for guess in ("Harbor12345", "admin", "password", "", "Entrepot1"):
                api = Api(server.host, "admin", guess)
                self.assertEqual(api.request("GET", "/users/current").status, 401)
                api.close()
        self.assertEqual(len(passwords), 2)


@unittest.skipIf(settings.foreign, "about our own registry")
class DistributionZotAndQuay(Attack):
    def encoded(self, value):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    def test_distribution_CVE_2017_11468_a_manifest_is_not_read_without_end(self):
        name, _ = self.make_project()
        client = self.client()
        huge = b'{"schemaVersion":2,"layers":[' + b" " * (8 << 20) + b"]}"
        answer = client.request("PUT", f"/v2/{name}/app/manifests/1", huge, {"Content-Type": OCI_MANIFEST})
        self.assertEqual(answer.status, 413, answer)
        self.assertEqual(self.admin.request("POST", "/projects", b" " * (3 << 20)).status, 413)

    def test_distribution_CVE_2023_2253_a_page_is_never_larger_than_we_say(self):
        for n in (10 ** 6, 10 ** 10, 2 ** 31, 2 ** 63, 10 ** 30):
            answer = self.admin.request("GET", f"/v2/_catalog?n={n}", base="")
            with self.subTest(n=n):
                self.assertIn(answer.status, (200, 400), answer)

    def test_distribution_CVE_2025_24976_a_token_brings_no_key_of_its_own(self):
        name, _ = self.make_project()
        self.push(f"{name}/app")
        registry = Registry(self.host, "admin", PASSWORD)
        self.addCleanup(registry.close)
        token = registry.token(registry.raw("GET", f"/v2/{name}/app/manifests/1").headers["WWW-Authenticate"])
        header, payload, signature = token.split(".")
        head = json.loads(base64.urlsafe_b64decode(header + "=="))
        jwk = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43, "kid": head.get("kid")}
        for changed in ({**head, "jwk": jwk}, {**head, "jwk": jwk, "alg": "ES256"}, {**head, "x5c": ["AA"]}, {**head, "jku": "http://127.0.0.1:1/"},
                        {**head, "alg": "none"}, {**head, "alg": "HS256"}):
            forged = f"{self.encoded(changed)}.{payload}.{signature if changed['alg'] != 'none' else ''}"
            with self.subTest(header=changed):
                answer = registry.raw("GET", f"/v2/{name}/app/manifests/1", headers={"Authorization": f"Bearer {forged}"})
                self.assertEqual(answer.status, 401)

    def test_distribution_CVE_2026_41888_a_tag_goes_by_the_same_right_as_a_manifest(self):
        name, _ = self.make_project()
        self.join(name, self.attacker_id, 2)
        digest = self.push(f"{name}/app")
        for path in (f"/v2/{name}/app/manifests/1", f"/v2/{name}/app/manifests/{digest}",
                     f"/api/v2.0/projects/{name}/repositories/app/artifacts/1/tags/1",
                     f"/api/v2.0/projects/{name}/repositories/app/artifacts/1", f"/api/v2.0/projects/{name}/repositories/app"):
            with self.subTest(path):
                self.assertEqual(self.attacker.request("DELETE", path, base="").status, 403)
        self.client().pull_image(f"{name}/app", "1")

    def test_zot_CVE_2024_39897_no_mount_from_what_one_may_not_pull(self):
        secret = f"a secret layer of {self.project}".encode()
        hidden, _ = self.make_project("h")
        mine, _ = self.make_project()
        self.join(mine, self.attacker_id, 1)
        self.push(f"{hidden}/app", content=secret)
        digest = digest_of(secret)
        for query in (f"mount={digest}&from={hidden}/app", f"mount={digest}", f"mount={digest}&from={mine}/app",
                      f"mount={digest}&from={urllib.parse.quote(hidden + '/app', safe='')}", f"digest={digest}&mount={digest}&from={hidden}/app"):
            answer = self.attacker.request("POST", f"/v2/{mine}/app/blobs/uploads/?{query}", b"", base="")
            with self.subTest(query):
                self.assertNotEqual(answer.status, 201, answer)
                self.assertEqual(self.attacker.request("GET", f"/v2/{mine}/app/blobs/{digest}", base="").status, 404)
        # Nor by a manifest that names it.
        config = b"{}"
        client = self.client(user=self.attacker_name, password=USER_PASSWORD)
        client.push_blob(f"{mine}/app", config)
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                    "config": descriptor("application/vnd.oci.image.config.v1+json", config),
                    "layers": [descriptor(OCI_LAYER, secret)]}
        answer = client.request("PUT", f"/v2/{mine}/app/manifests/1", json.dumps(manifest).encode(), {"Content-Type": OCI_MANIFEST})
        self.assertEqual(answer.status, 404, answer)

    def test_zot_CVE_2025_23208_who_leaves_a_team_loses_what_it_gave(self):
        tenant = self.project
        self.admin.made("/tenants", {"name": tenant})
        name, _ = self.make_project(tenant=tenant)
        self.push(f"{name}/app")
        self.admin.post(f"/tenants/{tenant}/members", {"user_id": self.attacker_id})
        team = self.admin.made(f"/tenants/{tenant}/teams", {"name": "readers"})
        self.admin.post("/grants", {"subject": {"kind": "team", "id": team}, "object": {"kind": "project", "name": name}, "role_id": 3})
        path = f"/v2/{name}/app/manifests/1"
        client = self.client(user=self.attacker_name, password=USER_PASSWORD)

        def pull():
            basic = self.attacker.request("GET", path, headers={"Accept": OCI_MANIFEST}, base="").status
            return basic, client.request("GET", path, headers={"Accept": OCI_MANIFEST}).status
        for _ in range(3):
            self.assertEqual(pull()[0], 403)
            self.admin.post(f"/tenants/{tenant}/teams/{team}/members", {"user_id": self.attacker_id})
            self.assertEqual(pull(), (200, 200))
            self.admin.delete(f"/tenants/{tenant}/teams/{team}/members/{self.attacker_id}")
            # The token that was given out before counts no longer either.
            basic, bearer = pull()
            self.assertEqual(basic, 403)
            self.assertIn(bearer, (401, 403))

    def test_quay_CVE_2024_9683_a_part_of_a_password_is_not_the_password(self):
        long = "Aa1" + "x" * 97
        name, _ = self.user("long", long)
        self.api(name, long).get("/users/current")
        for length in (8, 64, 71, 72, 73, 99):
            with self.subTest(length=length):
                self.assertEqual(self.api(name, long[:length]).request("GET", "/users/current").status, 401)
        self.assertEqual(self.api(name, long + "x").request("GET", "/users/current").status, 401)

    def test_quay_CVE_2026_32589_an_upload_is_its_repositorys(self):
        mine, _ = self.make_project()
        hidden, _ = self.make_project("h")
        self.join(mine, self.attacker_id, 1)
        admin = self.client()
        started = admin.expect(202, "POST", f"/v2/{hidden}/app/blobs/uploads/")
        location = started.headers["Location"]
        session = urllib.parse.urlsplit(location).path.rsplit("/", 1)[1]
        query = urllib.parse.urlsplit(location).query
        stolen = f"/v2/{mine}/app/blobs/uploads/{session}" + (f"?{query}" if query else "")
        digest = digest_of(b"changed")
        for method, path, body in (("GET", stolen, None), ("PATCH", stolen, b"changed"), ("DELETE", stolen, None),
                                   ("PUT", stolen + ("&" if query else "?") + f"digest={digest}", b"changed")):
            answer = self.attacker.request(method, path, body, {"Content-Type": "application/octet-stream"}, base="")
            with self.subTest(method):
                self.assertEqual(answer.status, 404, answer)
        admin.expect(201, "PUT", location + ("&" if "?" in location else "?") + f"digest={digest_of(b'mine')}", b"mine")

    def test_quay_CVE_2020_27832_what_people_write_stays_text(self):
        text = "<img src=x onerror=alert(1)>"
        name, _ = self.make_project()
        self.push(f"{name}/app")
        self.admin.put(f"/projects/{name}/repositories/app", {"description": text})
        answer = self.admin.request("GET", f"/projects/{name}/repositories/app")
        self.assertEqual(answer.json()["description"], text)
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/json")
        self.assertEqual(answer.headers.get("X-Content-Type-Options"), "nosniff")
        page = self.admin.request("GET", "/api/docs", base="")
        self.assertNotIn("innerHTML", page.body.decode())

    def test_quay_CVE_2023_4956_no_page_of_ours_in_anothers_frame(self):
        page = self.api(None).request("GET", "/api/docs", base="")
        self.assertIn("frame-ancestors 'none'", page.headers["Content-Security-Policy"])
        self.assertEqual(page.headers["X-Frame-Options"], "DENY")
