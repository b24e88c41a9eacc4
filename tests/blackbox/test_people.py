"""People: how they are made, log in, get tokens, and how guessing and stealing their secrets comes to nothing."""
import json
import time
import unittest
import urllib.parse
import uuid

from support import settings
from support.api import Api
from support.registry import Registry
from support.scenario import Scenario, run
from support.server import PASSWORD, wait_until

PULL = {"kind": "project", "access": [{"resource": "repository", "action": "pull"}]}


class Browser:
    """Keeps the session's cookie and CSRF token, as a page would."""

    def __init__(self, host):
        self.api = Api(host, user=None)
        self.cookie = ""
        self.csrf = ""

    def send(self, method, path, body=None, base="/api/v2.0", csrf=None, **headers):
        headers = {**headers, "X-Harbor-CSRF-Token": self.csrf if csrf is None else csrf}
        if self.cookie:
            headers["Cookie"] = self.cookie
        answer = self.api.request(method, path, body, headers, base=base)
        if answer.headers["Set-Cookie"]:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        self.csrf = answer.headers["X-Harbor-CSRF-Token"] or self.csrf
        return answer

    def form(self, path, csrf=None, **fields):
        return self.send("POST", path, urllib.parse.urlencode(fields).encode(), "/c", csrf,
                         **{"Content-Type": "application/x-www-form-urlencoded"})

    def log_in(self, user, password):
        return self.form("/login", principal=user, password=password)


class PeopleScenario(Scenario):
    def setUp(self):
        super().setUp()
        self.admin = Api(self.host)
        self.addCleanup(self.admin.close)

    def person(self, password="Somebody1", admin=None, **fields):
        """A new user's name and id."""
        name = "u" + uuid.uuid4().hex[:10]
        body = {"username": name, "password": password, "email": f"{name}@example.org", **fields}
        return name, (admin or self.admin).made("/users", body)

    def as_(self, user, password="Somebody1", host=None):
        api = Api(host or self.host, user, password)
        self.addCleanup(api.close)
        return api


@unittest.skipIf(settings.foreign, "about our own people")
class People(PeopleScenario):
    def test_a_person_from_the_first_log_in_to_the_last(self):
        name, number = self.person(realname="Some Body", comment="hello")
        me = self.as_(name)
        shown = me.get("/users/current")
        self.assertEqual((shown["user_id"], shown["username"], shown["realname"]), (number, name, "Some Body"))
        self.assertFalse(shown["sysadmin_flag"] or shown["admin_role_in_auth"])
        me.put(f"/users/{number}", {"realname": "Somebody Else"})
        self.assertEqual(me.get(f"/users/{number}")["realname"], "Somebody Else")
        self.assertEqual(me.get(f"/users/{number}")["email"], f"{name}@example.org")
        self.assertEqual([found["username"] for found in self.admin.get("/users", query={"q": f"username=~{name[:8]}"})],
                         [name])
        self.assertEqual(me.get("/users/search", query={"username": name}), [{"user_id": number, "username": name}])
        self.admin.delete(f"/users/{number}")
        me.expect(401, "GET", "/users/current")
        self.admin.get(f"/users/{number}", 404)
        again = self.admin.made("/users", {"username": name, "password": "Somebody1"})
        self.assertNotEqual(again, number)

    def test_a_taken_name_or_email_is_a_conflict(self):
        name, _ = self.person()
        self.admin.expect(409, "POST", "/users", {"username": name, "password": "Somebody1"})
        self.admin.expect(409, "POST", "/users",
                          {"username": name + "x", "password": "Somebody1", "email": f"{name}@example.org"})

    def test_what_is_no_name_password_or_email_is_refused(self):
        for body in ({"username": "a#b", "password": "Somebody1"}, {"username": "a:b", "password": "Somebody1"},
                     {"username": "robot$a", "password": "Somebody1"}, {"username": "", "password": "Somebody1"},
                     {"username": "fine", "password": "weak"}, {"username": "fine"},
                     {"username": "fine", "password": "Somebody1", "email": "nowhere"}):
            self.admin.expect(400, "POST", "/users", body)

    def test_nobody_becomes_an_admin_by_a_field(self):
        name, number = self.person(sysadmin_flag=True, admin_role_in_auth=True, is_admin=True, role_id=6)
        me = self.as_(name)
        me.put(f"/users/{number}", {"sysadmin_flag": True, "realname": "x"})
        self.assertFalse(me.get("/users/current")["sysadmin_flag"])
        me.expect(403, "PUT", f"/users/{number}/sysadmin", {"sysadmin_flag": True})
        self.admin.put(f"/users/{number}/sysadmin", {"sysadmin_flag": True})
        self.assertTrue(me.get("/users/current")["sysadmin_flag"])
        me.get("/users")
        self.admin.put(f"/users/{number}/sysadmin", {"sysadmin_flag": False})
        me.expect(403, "GET", "/users")

    def test_who_may_change_users_becomes_no_more_by_it(self):
        """user:update does not reset an admin's password, nor make admins."""
        role = self.admin.made("/roles", {"name": "helpdesk-" + uuid.uuid4().hex[:8],
                                          "permissions": ["platform:user:update", "platform:user:read",
                                                          "platform:user:delete"]})
        name, number = self.person()
        self.admin.post("/grants", {"subject": {"kind": "user", "id": number}, "object": {"kind": "platform"},
                                    "role_id": role})
        helper = self.as_(name)
        other, other_id = self.person()
        helper.put(f"/users/{other_id}", {"comment": "helped"})
        for path, body in ((f"/users/{number}/sysadmin", {"sysadmin_flag": True}),
                           (f"/users/{other_id}/sysadmin", {"sysadmin_flag": True}),
                           ("/users/1/password", {"new_password": "Taken1over"}),
                           (f"/users/{other_id}/password", {"new_password": "Taken1over"}),
                           (f"/users/{other_id}/cli_secret", {"secret": "Taken1over"}),
                           ("/users/1", {"disabled": True})):
            helper.expect(403, "PUT", path, body)
        helper.expect(403, "DELETE", "/users/1")
        self.assertEqual(self.as_(other).get("/users/current")["comment"], "helped")

    def test_the_last_admin_stays_and_nobody_removes_themselves(self):
        self.admin.expect(403, "DELETE", "/users/1")
        self.admin.expect(403, "PUT", "/users/1", {"disabled": True})
        server = self.own_server()
        Api(server.host).expect(412, "PUT", "/users/1/sysadmin", {"sysadmin_flag": False})

    def test_an_outsider_learns_nothing_of_other_people(self):
        name, number = self.person()
        _, other = self.person()
        me = self.as_(name)
        there = me.expect(403, "GET", f"/users/{other}")
        not_there = me.expect(403, "GET", "/users/999999")
        self.assertEqual(there.json(), not_there.json())
        for method, path in (("PUT", ""), ("DELETE", ""), ("PUT", "/password"), ("PUT", "/sysadmin"), ("GET", "/tokens")):
            body = {"new_password": "Somebody2", "sysadmin_flag": True}
            answers = [me.expect(403, method, f"/users/{who}{path}", body).json() for who in (other, 999999)]
            self.assertEqual(answers[0], answers[1])
        tenant = self.admin.made("/tenants", {"name": "t" + uuid.uuid4().hex[:8]})
        hidden = "h" + uuid.uuid4().hex[:10]
        self.admin.made("/users", {"username": hidden, "password": "Somebody1", "tenant_id": tenant})
        self.assertEqual(me.get("/users/search", query={"username": hidden}), [])
        self.assertEqual(len(self.admin.get("/users/search", query={"username": hidden})), 1)
        self.assertNotEqual(number, other)

    def test_a_password_changes_with_the_old_one_and_ends_what_it_made(self):
        name, number = self.person()
        me = self.as_(name)
        browser = Browser(self.host)
        browser.log_in(name, "Somebody1")
        me.expect(403, "PUT", f"/users/{number}/password", {"old_password": "Wrong1234", "new_password": "Another1"})
        me.expect(400, "PUT", f"/users/{number}/password", {"old_password": "Somebody1", "new_password": "weak"})
        me.put(f"/users/{number}/password", {"old_password": "Somebody1", "new_password": "Another1"})
        me.expect(401, "GET", "/users/current")
        self.assertEqual(browser.send("GET", "/users/current").status, 401)
        self.as_(name, "Another1").get("/users/current")
        self.admin.put(f"/users/{number}/password", {"new_password": "Third1word"})
        self.as_(name, "Another1").expect(401, "GET", "/users/current")
        self.as_(name, "Third1word").get("/users/current")

    def test_a_disabled_person_is_out_with_the_next_request(self):
        name, number = self.person()
        me = self.as_(name)
        token = me.post("/users/current/tokens", {"name": "t"}).json()["token"]
        browser = Browser(self.host)
        browser.log_in(name, "Somebody1")
        self.assertEqual(browser.send("GET", "/users/current").status, 200)
        self.admin.put(f"/users/{number}", {"disabled": True})
        me.expect(401, "GET", "/users/current")
        self.as_(name, token).expect(401, "GET", "/users/current")
        self.assertEqual(browser.send("GET", "/users/current").status, 401)
        self.admin.put(f"/users/{number}", {"disabled": False})
        me.get("/users/current")

    def test_a_cli_secret_is_a_second_password_but_begins_no_session(self):
        name, number = self.person()
        self.as_(name).put(f"/users/{number}/cli_secret", {"secret": "Terminal1"})
        self.as_(name, "Terminal1").get("/users/current")
        self.as_(name).get("/users/current")
        self.assertEqual(Browser(self.host).log_in(name, "Terminal1").status, 401)
        run("skopeo", "login", "--tls-verify=false", "--authfile", self.work / "cli.json", "-u", name, "-p", "Terminal1",
            self.host)

    def test_strangers_register_only_while_they_may(self):
        stranger = Api(self.host, user=None)
        body = {"username": "s" + uuid.uuid4().hex[:10], "password": "Somebody1", "sysadmin_flag": True, "tenant_id": 99}
        stranger.expect(401, "POST", "/users", body)
        name, _ = self.person()
        self.admin.put("/configurations", {"self_registration": True})
        self.addCleanup(self.admin.put, "/configurations", {"self_registration": False})
        stranger.expect(201, "POST", "/users", body)
        self.assertFalse(self.as_(body["username"]).get("/users/current")["sysadmin_flag"])
        self.as_(name).expect(403, "POST", "/users", {"username": "other", "password": "Somebody1"})
        self.admin.put("/configurations", {"self_registration": False})
        stranger.expect(401, "POST", "/users", {"username": "late", "password": "Somebody1"})

    def test_permissions_are_listed_as_harbor_does(self):
        name, _ = self.person()
        project = self.admin.made("/projects", {"project_name": self.project})
        self.admin.post(f"/projects/{project}/members", {"role_id": 3, "member_user": {"username": name}})
        me = self.as_(name)
        held = me.get("/users/current/permissions", query={"scope": f"/project/{project}", "relative": "true"})
        self.assertIn({"resource": "repository", "action": "pull"}, held)
        self.assertIn({"resource": ".", "action": "read"}, held)
        self.assertNotIn({"resource": "repository", "action": "push"}, held)
        whole = me.get("/users/current/permissions", query={"scope": f"/project/{project}"})
        self.assertIn({"resource": f"/project/{project}/repository", "action": "pull"}, whole)
        self.assertEqual(me.get("/users/current/permissions", query={"scope": "/project/999999"}), [])


@unittest.skipIf(settings.foreign, "about our own tokens")
class AccessTokens(PeopleScenario):
    def setUp(self):
        super().setUp()
        self.number = self.admin.made("/projects", {"project_name": self.project})
        self.pusher = self.client()
        self.pusher.push_image(f"{self.project}/app", "1", b"layer")
        self.name, self.user_id = self.person()
        self.admin.post(f"/projects/{self.number}/members", {"role_id": 2, "member_user": {"username": self.name}})
        self.me = self.as_(self.name)

    def make(self, **fields):
        return self.me.post("/users/current/tokens", {"name": "t" + uuid.uuid4().hex[:8], **fields}).json()

    def registry(self, password):
        client = Registry(self.host, self.name, password)
        self.addCleanup(client.close)
        return client

    def status(self, token, method, path, body=None, headers=None):
        client = self.registry(token)
        return client.raw(method, path, body, {"Authorization": client.basic(), **(headers or {})}).status

    def test_a_narrow_token_pulls_and_does_nothing_else(self):
        made = self.make(scopes=[{**PULL, "namespace": self.project}])
        token = made["token"]
        self.assertTrue(token.startswith("ept_"))
        self.assertEqual(self.status(token, "GET", f"/v2/{self.project}/app/manifests/1"), 200)
        self.assertIn(self.status(token, "POST", f"/v2/{self.project}/app/blobs/uploads/"), (401, 403))
        self.assertEqual(self.status(self.me.password, "POST", f"/v2/{self.project}/app/blobs/uploads/"), 202)
        narrow = self.as_(self.name, token)
        narrow.expect((403, 404), "GET", f"/projects/{self.number}/members")
        for method, path, body in (("POST", "/users/current/tokens", {"name": "wider"}),
                                   ("PUT", f"/users/{self.user_id}/password",
                                    {"old_password": "Somebody1", "new_password": "Another1"}),
                                   ("PUT", f"/users/{self.user_id}/cli_secret", {"secret": "Another1"}),
                                   ("PUT", f"/users/{self.user_id}", {"email": "other@example.org"}),
                                   ("DELETE", f"/users/current/tokens/{made['id']}", None)):
            narrow.expect(403, method, path, body)

    def test_real_clients_use_it_as_a_password_until_it_is_revoked(self):
        made = self.make(scopes=[{**PULL, "namespace": self.project}])
        auth = self.work / "pat.json"
        image = f"docker://{self.host}/{self.project}/app:1"
        run("skopeo", "login", "--tls-verify=false", "--authfile", auth, "-u", self.name, "-p", made["token"], self.host)
        run("skopeo", "inspect", "--raw", "--tls-verify=false", "--authfile", auth, image)
        self.me.delete(f"/users/current/tokens/{made['id']}")
        refused = run("skopeo", "inspect", "--raw", "--tls-verify=false", "--authfile", auth, image, check=False)
        self.assertNotEqual(refused.returncode, 0)

    def test_what_was_made_from_it_dies_with_it(self):
        made = self.make()
        client = self.registry(made["token"])
        challenge = client.raw("GET", "/v2/").headers["WWW-Authenticate"]
        realm = challenge.split('realm="')[1].split('"')[0]
        asked = urllib.parse.urlencode({"service": challenge.split('service="')[1].split('"')[0],
                                        "scope": f"repository:{self.project}/app:pull", "offline_token": "true"})
        answer = client.raw("GET", f"{realm}?{asked}", headers={"Authorization": client.basic()}).json()
        self.assertNotIn("refresh_token", answer)
        bearer = {"Authorization": "Bearer " + answer["token"]}
        path = f"/v2/{self.project}/app/manifests/1"
        self.assertEqual(client.raw("GET", path, headers=bearer).status, 200)
        self.assertEqual(client.raw("GET", path, headers=bearer).status, 200)
        self.me.delete(f"/users/current/tokens/{made['id']}")
        self.assertEqual(client.raw("GET", path, headers=bearer).status, 401)

    def test_it_is_shown_once_and_found_by_its_owner_and_admins_alone(self):
        made = self.make(duration_days=-1)
        self.assertEqual(made["expires_at"], -1)
        listed = self.me.get("/users/current/tokens")
        self.assertEqual([token["id"] for token in listed], [made["id"]])
        self.assertNotIn("token", listed[0])
        self.assertEqual(self.admin.get(f"/users/{self.user_id}/tokens"), listed)
        self.admin.expect(403, "POST", f"/users/{self.user_id}/tokens", {"name": "mine now"})
        other, _ = self.person()
        self.as_(other).expect(403, "GET", f"/users/{self.user_id}/tokens")
        self.as_(other).expect(403, "DELETE", f"/users/{self.user_id}/tokens/{made['id']}")
        self.as_(other).expect(404, "DELETE", f"/users/current/tokens/{made['id']}")
        self.admin.delete(f"/users/{self.user_id}/tokens/{made['id']}")
        self.as_(self.name, made["token"]).expect(401, "GET", "/users/current")

    def test_it_is_nobody_elses_password_and_a_bearer_of_the_management_api(self):
        made = self.make()
        self.as_("admin", made["token"]).expect(401, "GET", "/users/current")
        bearer = Api(self.host, user=None, bearer=made["token"])
        self.assertEqual(bearer.get("/users/current")["username"], self.name)
        self.assertEqual(Browser(self.host).log_in(self.name, made["token"]).status, 401)

    def test_scopes_that_mean_nothing_are_refused(self):
        for scopes in ([], [{**PULL, "namespace": self.project, "access": [{"resource": "repository", "action": "fly"}]}],
                       [{**PULL, "namespace": self.project, "access": []}], [PULL],
                       [{"kind": "galaxy", "namespace": "*", "access": PULL["access"]}],
                       [{**PULL, "namespace": "*", "access": [{"resource": "user", "action": "create"}]}]):
            self.me.expect(400, "POST", "/users/current/tokens", {"name": "t", "scopes": scopes})
        self.me.expect(404, "POST", "/users/current/tokens",
                       {"name": "t", "scopes": [{**PULL, "namespace": "there-is-none"}]})
        for fields in ({"duration_days": 0}, {"expires_at": 1}, {"expires_at": 9_999_999_999, "duration_days": 3}):
            self.me.expect(400, "POST", "/users/current/tokens", {"name": "t", **fields})

    def test_it_ends_when_it_expires(self):
        expires_at = int(time.time()) + 3
        made = self.make(expires_at=expires_at)
        narrow = self.as_(self.name, made["token"])
        narrow.get("/users/current")
        wait_until(lambda: narrow.request("GET", "/users/current").status == 401, 60, "the token expires")
        self.assertGreaterEqual(time.time(), expires_at)


@unittest.skipIf(settings.foreign, "about our own sessions")
class Sessions(PeopleScenario):
    def test_a_session_changes_things_with_its_csrf_token_alone(self):
        name, number = self.person()
        browser = Browser(self.host)
        answer = browser.log_in(name, "Somebody1")
        self.assertEqual(answer.status, 200)
        self.assertIn("HttpOnly", answer.headers["Set-Cookie"])
        self.assertIn("SameSite=Lax", answer.headers["Set-Cookie"])
        self.assertEqual(browser.send("GET", "/users/current").json()["username"], name)
        path, body = f"/users/{number}", {"comment": "by a page"}
        for wrong in ("", "x", browser.csrf[:-1]):
            refused = browser.send("PUT", path, body, csrf=wrong)
            self.assertEqual((refused.status, refused.codes()), (403, ["FORBIDDEN"]))
            self.assertIn("CSRF token invalid", str(refused))
        other = Browser(self.host)
        other.log_in(name, "Somebody1")
        self.assertEqual(browser.send("PUT", path, body, csrf=other.csrf).status, 403)
        browser.send("GET", "/users/current")
        self.assertEqual(browser.send("PUT", path, body).status, 200)
        self.as_(name).put(path, body)

    def test_logging_out_ends_it_at_once(self):
        name, _ = self.person()
        browser = Browser(self.host)
        browser.log_in(name, "Somebody1")
        stolen = browser.cookie
        self.assertEqual(browser.send("GET", "/users/current").status, 200)
        self.assertEqual(browser.send("GET", "/log_out", base="/c").status, 200)
        browser.cookie = stolen
        refused = browser.send("GET", "/users/current")
        self.assertEqual(refused.status, 401)
        self.assertFalse(refused.headers["WWW-Authenticate"].startswith("Basic"))

    def test_a_session_that_was_brought_along_is_not_taken_over(self):
        """Session fixation: the id is new with each log-in, and the one that came is no session."""
        name, _ = self.person()
        browser = Browser(self.host)
        browser.cookie = brought = "sid=" + "A" * 43
        self.assertEqual(browser.log_in(name, "Somebody1").status, 200)
        self.assertNotEqual(browser.cookie, brought)
        first = browser.cookie
        self.assertEqual(browser.log_in(name, "Somebody1").status, 200)
        self.assertNotEqual(browser.cookie, first)
        browser.cookie = first
        self.assertEqual(browser.send("GET", "/users/current").status, 401)

    def test_another_sites_page_logs_nobody_in(self):
        name, _ = self.person()
        body = urllib.parse.urlencode({"principal": name, "password": "Somebody1"}).encode()
        refused = Browser(self.host).send("POST", "/login", body, "/c", **{
            "Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "cross-site"})
        self.assertEqual(refused.status, 403)
        self.assertIsNone(refused.headers["Set-Cookie"])

    def test_who_exists_is_told_to_those_who_could_list_users(self):
        name, _ = self.person()
        asked = {"target": "username", "value": "admin"}
        stranger = Browser(self.host)
        self.assertEqual(stranger.form("/userExists", **asked).status, 401)
        me = Browser(self.host)
        me.log_in(name, "Somebody1")
        self.assertEqual(me.form("/userExists", **asked).status, 403)
        admin = Browser(self.host)
        admin.log_in("admin", PASSWORD)
        self.assertIs(admin.form("/userExists", **asked).json(), True)
        self.assertIs(admin.form("/userExists", target="username", value="nobody-there").json(), False)
        self.assertIs(admin.form("/userExists", target="email", value=f"{name}@example.org").json(), True)


@unittest.skipIf(settings.foreign, "about our own log-in")
class Guessing(PeopleScenario):
    def guess(self, api, source, count=1, password="Wrong1234"):
        """Answers of `count` log-ins that seem to come from `source`."""
        caller = self.as_(api, password)
        return [caller.request("GET", "/users/current", headers={"X-Forwarded-For": source}) for _ in range(count)]

    def server_behind_a_proxy(self):
        config = self.work / "entrepot.yaml"
        config.write_text("http:\n  trusted_proxies: [127.0.0.1/32]\n")
        server = self.own_server(arguments=["--config", str(config)])
        self.__dict__["host"] = server.host
        return Api(server.host)

    def test_names_that_exist_and_names_that_do_not_are_slowed_down_alike(self):
        self.server_behind_a_proxy()
        for name in ("admin", "nobody-of-that-name"):
            answers = self.guess(name, "192.0.2.1", 11)
            self.assertEqual([answer.status for answer in answers], [401] * 10 + [429])
            self.assertEqual(answers[-1].codes(), ["TOOMANYREQUESTS"])
            self.assertEqual(answers[-1].headers["Retry-After"], "1")

    def test_guessing_from_everywhere_holds_up_strangers_and_not_the_user(self):
        admin = self.server_behind_a_proxy()
        name, _ = self.person(admin=admin)
        self.assertEqual(self.guess(name, "198.51.100.1", password="Somebody1")[0].status, 200)
        answers = (self.guess(name, f"203.0.113.{i}")[0] for i in range(200))
        stranger = next((answer for answer in answers if answer.status == 429), None)
        self.assertIsNotNone(stranger, "whoever comes from a new address each time is held up as well")
        self.assertGreater(int(stranger.headers["Retry-After"]), 0)
        home = Browser(self.host).send("POST", "/login", urllib.parse.urlencode(
            {"principal": name, "password": "Somebody1"}).encode(), "/c", **{
                "Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": "198.51.100.1"})
        self.assertEqual(home.status, 200)

    def test_the_break_glass_admin_gets_in_at_the_machine_itself(self):
        self.server_behind_a_proxy()
        answers = (self.guess("admin", f"203.0.113.{i}")[0].status for i in range(200))
        self.assertIn(429, answers, "strangers are held up")
        self.assertEqual(self.as_("admin", PASSWORD).request("GET", "/users/current").status, 200)


@unittest.skipIf(settings.foreign, "about our own log")
class Secrets(PeopleScenario):
    def test_no_secret_gets_into_the_log_the_audit_trail_or_the_database(self):
        config = self.work / "entrepot.yaml"
        config.write_text("log: {level: debug, access: true}\n")
        server = self.own_server(arguments=["--config", str(config)])
        self.__dict__["host"] = server.host
        admin = Api(server.host)
        secrets = {"password": "PlantedPassword1", "wrong": "PlantedWrong1", "cli": "PlantedTerminal1",
                   "new": "PlantedAnother1"}
        name, number = self.person(secrets["password"], admin)
        me = self.as_(name, secrets["password"])
        made = me.post("/users/current/tokens", {"name": "laptop"}).json()
        secrets["access token"] = made["token"]
        self.as_(name, made["token"]).get("/users/current")
        Api(server.host, user=None, bearer=made["token"]).get("/users/current")
        me.put(f"/users/{number}/cli_secret", {"secret": secrets["cli"]})
        self.as_(name, secrets["cli"]).get("/users/current")
        self.as_(name, secrets["wrong"]).expect(401, "GET", "/users/current")
        me.expect(400, "POST", "/users", json.dumps({"password": secrets["wrong"]})[:-1].encode())
        browser = Browser(server.host)
        browser.log_in(name, secrets["wrong"])
        browser.log_in(name, secrets["password"])
        secrets["session"] = browser.cookie.split("=")[1]
        secrets["csrf"] = browser.csrf
        browser.send("GET", "/users/current")
        me.put(f"/users/{number}/password", {"old_password": secrets["password"], "new_password": secrets["new"]})
        me.expect(401, "GET", "/users/current")
        self.assertNotEqual(admin.get("/users"), [])
        server.stop()
        written = {path: path.read_bytes() for path in server.data.rglob("*") if path.is_file()}
        written[server.log_path] = server.log_path.read_bytes()
        self.assertIn(b"/users/current", written[server.log_path])
        for what, secret in secrets.items():
            for path, data in written.items():
                self.assertNotIn(secret.encode(), data, f"{what} in {path}")
