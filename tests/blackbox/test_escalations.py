"""Ways round what is granted that reviewers found here, each closed: kept answers of others' credentials, rights that
come with a door that somebody else opens, changes that half succeed, and askers who take all the room."""
import http.client
import threading
import time
import unittest

from support import settings
from support.api import Api
from support.scenario import Scenario
from support.server import PASSWORD

USER_PASSWORD = "Somebody1pass"


@unittest.skipIf(settings.foreign, "about our own management API")
class Escalations(Scenario):
    def setUp(self):
        super().setUp()
        self.admin = self.api()

    def api(self, user="admin", password=PASSWORD, host=None, **more):
        api = Api(host or self.host, user, password, **more)
        self.addCleanup(api.close)
        return api

    def user(self, stem, **more):
        name = f"{stem}-{self.project}"
        number = self.admin.made("/users", {"username": name, "password": USER_PASSWORD, "realname": stem,
                                            "email": f"{name}@example.com", **more})
        return number, self.api(name, USER_PASSWORD)

    def tenant(self, stem="t"):
        name = f"{stem}-{self.project}"
        return name, self.admin.made("/tenants", {"name": name})

    def role(self, *permissions):
        return self.admin.made("/roles", {"name": f"r{time.monotonic_ns()}", "permissions": list(permissions)})

    def grant(self, user_id, role, kind="platform", **object_):
        self.admin.expect(201, "POST", "/grants", {"subject": {"kind": "user", "id": user_id}, "role_id": role,
                                                   "object": {"kind": kind, **object_}})

    def robot(self, project, *access, **more):
        return {"name": f"r{time.monotonic_ns()}", "level": "project", "duration": 7, "permissions": [
            {"kind": "project", "namespace": project, "access": [{"resource": r, "action": a} for r, a in access]}], **more}

    def test_a_narrower_token_is_not_told_what_the_password_was(self):
        _, owner = self.user("owner")
        key = {"Idempotency-Key": f"k-{self.project}"}
        order = {"name": "full"}
        full = owner.request("POST", "/users/current/tokens", order, key)
        self.assertEqual(full.status, 201, full)
        narrow = owner.request("POST", "/users/current/tokens", {"name": "narrow", "scopes": [
            {"kind": "project", "namespace": "*", "access": [{"resource": "repository", "action": "pull"}]}]}).json()["token"]
        asked = self.api(None, None, bearer=narrow).request("POST", "/users/current/tokens", order, key)
        self.assertIn(asked.status, (403, 422), asked)
        self.assertNotIn(b"token\":", asked.body)
        self.assertEqual(owner.request("POST", "/users/current/tokens", order, key).body, full.body)

    def test_who_was_sent_away_is_not_told_a_robots_secret_again(self):
        number, member = self.user("member")
        self.admin.made("/projects", {"project_name": self.project})
        joined = self.admin.made(f"/projects/{self.project}/members", {"role_id": 1, "member_user": {"user_id": number}})
        key, order = {"Idempotency-Key": f"k-{self.project}"}, self.robot(self.project, ("repository", "pull"))
        first = member.request("POST", "/robots", order, key)
        self.assertEqual(first.status, 201, first)
        again = member.request("POST", "/robots", order, key)
        self.assertEqual((again.status, again.body), (201, first.body))
        self.admin.expect(200, "DELETE", f"/projects/{self.project}/members/{joined}")
        after = member.request("POST", "/robots", order, key)
        self.assertEqual(after.status, 404, after)
        self.assertNotIn(b"secret", after.body)

    def test_making_users_lets_nobody_into_a_tenant(self):
        name, tenant_id = self.tenant()
        number, maker = self.user("maker")
        self.grant(number, self.role("platform:user:create"))
        order = {"username": f"sock-{self.project}", "password": USER_PASSWORD, "realname": "s",
                 "email": f"sock-{self.project}@example.com"}
        hidden = maker.request("POST", "/users", {**order, "tenant_id": tenant_id})
        missing = maker.request("POST", "/users", {**order, "tenant_id": 1 << 40})
        self.assertEqual((hidden.status, hidden.body), (missing.status, missing.body))
        self.assertEqual(hidden.status, 404)
        self.assertEqual(maker.request("POST", "/users", order).status, 201)
        self.admin.made("/users", {**order, "username": f"in-{self.project}", "email": f"in-{self.project}@example.com",
                                   "tenant_id": tenant_id})
        logged = self.admin.get(f"/tenants/{name}/logs", query={"q": "operation=create"})
        self.assertIn(f"in-{self.project}", {one["resource"] for one in logged})

    def test_thawing_is_no_way_to_change_a_project(self):
        name, _ = self.tenant()
        project = self.admin.made("/projects", {"project_name": self.project, "tenant": name})
        number, guard = self.user("guard")
        self.admin.made(f"/tenants/{name}/members", {"user_id": number})
        self.grant(number, self.role("tenant:tenant:read", "tenant:tenant:update", "project:project:read"), "tenant", name=name)
        public = {"metadata": {"public": "true"}}
        self.assertEqual(guard.request("PUT", f"/projects/{project}", public).status, 403)
        self.assertEqual(guard.request("PUT", f"/projects/{project}", {"frozen": True}).status, 200)
        self.assertEqual(guard.request("PUT", f"/projects/{project}", {"frozen": False, **public}).status, 403)
        self.assertEqual(self.admin.get(f"/projects/{project}")["metadata"]["public"], "false")
        self.assertEqual(guard.request("PUT", f"/projects/{project}", {"frozen": False}).status, 200)

    def test_who_sends_slowly_holds_up_nobodys_change(self):
        number, slow = self.user("slow")
        connection = http.client.HTTPConnection(self.host, timeout=30)
        self.addCleanup(connection.close)
        connection.putrequest("PUT", f"/api/v2.0/users/{number}")
        for name, value in {**slow.authorization(), "Content-Type": "application/json", "Content-Length": "200"}.items():
            connection.putheader(name, value)
        connection.endheaders(b'{"realname":')
        time.sleep(0.3)
        done = threading.Event()

        def disable():
            self.admin.request("PUT", f"/users/{number}", {"disabled": True})
            done.set()
        threading.Thread(target=disable, daemon=True).start()
        # The slow one's time-out is longer than this by far.
        self.assertTrue(done.wait(5), "the change waited for another's body")

    def test_a_change_of_a_user_is_all_or_nothing(self):
        number, _ = self.user("half")
        refused = self.admin.request("PUT", f"/users/{number}", {"disabled": True, "email": "not-an-address"})
        self.assertEqual(refused.status, 400)
        self.assertFalse(self.admin.get(f"/users/{number}")["disabled"])

    def test_what_is_open_to_all_is_nobodys_to_give(self):
        self.admin.made("/projects", {"project_name": self.project, "metadata": {"public": "true"}})
        number, giver = self.user("giver")
        self.grant(number, self.role("project:robot:create", "project:project:read"), "project", name=self.project)
        self.assertEqual(giver.request("GET", f"/projects/{self.project}/repositories").status, 200)
        self.assertEqual(giver.request("POST", "/robots", self.robot(self.project, ("repository", "pull"))).status, 403)

    def test_nobody_revives_or_prolongs_a_robot_whose_rights_they_lack(self):
        self.admin.made("/projects", {"project_name": self.project})
        order = self.robot(self.project, ("member", "create"), duration=1)
        number = self.admin.made("/robots", order)
        keeper_id, keeper = self.user("keeper")
        self.grant(keeper_id, self.role("project:robot:read", "project:robot:update", "project:project:read"), "project",
                   name=self.project)

        def change(api, **more):
            shown = self.admin.get(f"/robots/{number}")
            return api.request("PUT", f"/robots/{number}", {**shown, **more}).status
        self.assertEqual(change(keeper, description="kept"), 200)
        self.assertEqual(change(keeper, duration=-1), 403)
        self.assertEqual(change(keeper, duration=30), 403)
        self.assertEqual(change(keeper, disable=True), 200)
        self.assertEqual(change(keeper, disable=False), 403)
        self.assertEqual(change(self.admin, disable=False, duration=30), 200)

    def test_hidden_labels_and_tenants_have_the_words_of_missing_ones(self):
        name, _ = self.tenant()
        project = self.admin.made("/projects", {"project_name": self.project})
        label = self.admin.made("/labels", {"name": "l", "scope": "p", "project_id": project, "color": "#FF0000"})
        _, outsider = self.user("outsider")
        for method in ("GET", "PUT", "DELETE"):
            body = {"name": "x", "scope": "p", "project_id": project, "color": "#00FF00"} if method == "PUT" else None
            hidden, missing = (outsider.request(method, f"/labels/{one}", body) for one in (label, 1 << 40))
            self.assertEqual((hidden.status, hidden.body), (missing.status, missing.body), method)
        said = set()
        for one in (name, f"none-{self.project}"):
            answer = outsider.request("POST", "/robots", {"name": "r", "level": "tenant", "duration": 1, "permissions": [
                {"kind": "tenant", "namespace": one, "access": [{"resource": "member", "action": "list"}]}]})
            said.add((answer.status, answer.body.decode().replace(one, "NAME")))
        self.assertEqual(len(said), 1, said)


@unittest.skipIf(settings.foreign, "about our own management API")
class ManyLists(Scenario):
    def test_lists_that_nobody_asked_for_before_cost_nothing_that_stays(self):
        """Every combination of fields and values is a statement of its own. They went into memory for ever, and after
        20,000 of them no list was answered any more."""
        server = self.own_server()
        api = Api(server.host, None)
        self.addCleanup(api.close)

        def resident():
            with open(f"/proc/{server.pid()}/status", encoding="utf-8") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

        def ask(first, second):
            for i in range(first, second):
                for j in range(1, 41):
                    q = f"name={{{' '.join('a' * i)}}},name={{{' '.join('b' * j)}}}"
                    self.assertEqual(api.request("GET", "/projects", query={"q": q}).status, 200)
        ask(1, 11)
        before = resident()
        ask(11, 41)
        self.assertLess(resident() - before, 16 << 10, "KiB more")
        self.assertEqual(api.request("GET", "/projects", query={"q": f"name={{{' '.join('a' * 101)}}}"}).status, 400)

