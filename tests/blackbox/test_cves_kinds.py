"""Attacks of the kind that test_cves.py has numbers for, which nobody published: objects named through others, paths that
mean another thing when they are decoded, tokens that grow, sessions that were brought along."""
import base64
import json
import re
import unittest
import urllib.parse

from support import settings
from support.api import encoded_twice
from support.attack import USER_PASSWORD, Attack
from support.registry import OCI_MANIFEST
from support.server import PASSWORD


@unittest.skipIf(settings.foreign, "about our own management API")
class OfTheirKind(Attack):
    """Without a number, and as old."""

    def test_objects_of_one_project_through_another(self):
        """Members, labels, tags and artifacts by the path of a project where one has every right."""
        mine, mine_id = self.make_project()
        others, others_id = self.make_project("b")
        self.join(mine, self.attacker_id, 1)
        _, victim = self.user("victim")
        member = self.join(others, victim, 3)
        digest = self.push(f"{others}/app")
        self.push(f"{mine}/own", content=b"mine")
        label = self.admin.made("/labels", {"name": f"l{self.project}", "scope": "p", "project_id": others_id, "color": "#000000"})
        place = f"/projects/{mine}/repositories/own/artifacts/1"
        for method, path, body in (
                ("GET", f"/projects/{mine}/members/{member}", None), ("PUT", f"/projects/{mine}/members/{member}", {"role_id": 1}),
                ("DELETE", f"/projects/{mine}/members/{member}", None), ("GET", f"/labels/{label}", None),
                ("PUT", f"/labels/{label}", {"name": "stolen", "color": "#000000", "scope": "p", "project_id": mine_id}),
                ("DELETE", f"/labels/{label}", None), ("POST", f"{place}/labels", {"id": label}),
                ("GET", f"/projects/{mine}/repositories/own/artifacts/{digest}", None),
                ("DELETE", f"/projects/{mine}/repositories/own/artifacts/{digest}", None),
                ("POST", f"/projects/{mine}/repositories/own/artifacts?from={others}/app:1", None),
                ("POST", f"/projects/{mine}/repositories/own/artifacts?from={others}/app@{digest}", None),
                ("POST", "/labels", {"name": "in", "scope": "p", "project_id": others_id, "color": "#000000"})):
            with self.subTest(f"{method} {path}"):
                self.assertEqual(self.attacker.request(method, path, body).status, 404)
        self.assertEqual(self.admin.get(f"/projects/{others}/members/{member}")["role_id"], 3)

    def test_paths_that_mean_another_thing_when_decoded(self):
        mine, _ = self.make_project()
        others, _ = self.make_project("b")
        self.join(mine, self.attacker_id, 1)
        self.push(f"{others}/app")
        climbs = (f"../../{others}/repositories/app", f"../{others}/app", f"..%2f..%2f{others}%2frepositories%2fapp",
                  f"..%252f..%252f{others}%252frepositories%252fapp", f"%2e%2e/%2e%2e/{others}/repositories/app",
                  encoded_twice(f"../{others}/app"), encoded_twice(f"x/../../{others}/app"), encoded_twice(encoded_twice(f"../{others}/app")),
                  f"app%2500", "app%00", "app%252f", "%252fapp", "app%25252fx", f"%2f{others}%2fapp", "app\\..\\app", "app;x=/../..")
        for climb in climbs:
            for path in (f"/projects/{mine}/repositories/{climb}", f"/projects/{mine}/repositories/{climb}/artifacts",
                         f"/projects/{mine}/repositories/{climb}/artifacts/1"):
                answer = self.attacker.request("GET", path)
                with self.subTest(path):
                    self.assertIn(answer.status, (400, 404), answer)
                    self.assertNotIn(f"{others}/app".encode(), answer.body)
        for path in (f"/v2/{mine}/..%2f{others}/app/manifests/1", f"/v2/{mine}%2f..%2f{others}%2fapp/manifests/1",
                     f"/v2/{others}%2fapp/manifests/1", f"/v2/{mine}/../{others}/app/manifests/1", f"/v2/{mine}//{others}/app/manifests/1",
                     f"/v2/{mine}/%2e%2e/{others}/app/manifests/1", f"/v2/{others}/app/manifests/1%00"):
            with self.subTest(path):
                self.assertIn(self.attacker.request("GET", path, headers={"Accept": OCI_MANIFEST}, base="").status, (400, 401, 403, 404))

    def test_names_that_look_like_ids(self):
        """A project whose name is the id of another one."""
        others, others_id = self.make_project("b")
        name = str(others_id)
        self.admin.post("/projects", {"project_name": name})
        self.addCleanup(self.admin.request, "DELETE", f"/projects/{name}", None, {"X-Is-Resource-Name": "true"})
        by_name = self.admin.expect(200, "GET", f"/projects/{name}", headers={"X-Is-Resource-Name": "true"}).json()
        self.assertEqual(by_name["name"], name)
        self.assertEqual(self.admin.get(f"/projects/{name}")["name"], others)
        self.join_by_name(name)
        # A right on the one by its name is none on the one by its id.
        self.assertEqual(self.attacker.request("GET", f"/projects/{name}/members").status, 404)
        self.assertEqual(self.attacker.request("GET", f"/projects/{name}/members", headers={"X-Is-Resource-Name": "true"}).status, 200)
        self.assertEqual(self.attacker.request("DELETE", f"/projects/{name}").status, 404)

    def join_by_name(self, name):
        self.admin.expect(201, "POST", f"/projects/{name}/members", {
            "role_id": 1, "member_user": {"user_id": self.attacker_id}}, {"X-Is-Resource-Name": "true"})

    def test_a_token_is_never_wider_than_its_owner_or_its_scopes(self):
        mine, _ = self.make_project()
        others, _ = self.make_project("b")
        self.join(mine, self.attacker_id, 3)
        self.push(f"{mine}/app")
        self.push(f"{others}/app")
        everything = [{"resource": resource, "action": action} for resource in ("repository", "project", "member", "artifact", "robot")
                      for action in ("create", "read", "update", "delete", "list", "pull", "push")]
        real = [one for one in everything if (one["resource"], one["action"]) in
                {("repository", "pull"), ("repository", "push"), ("project", "read"), ("project", "update"), ("member", "create"), ("robot", "create")}]
        made = self.attacker.post("/users/current/tokens", {"name": "wide", "scopes": [{"kind": "project", "namespace": "*", "access": real}]}).json()
        token = self.api(None, bearer=made["token"])
        token.get(f"/projects/{mine}")
        token.expect(403, "PUT", f"/projects/{mine}", {"metadata": {"public": "true"}})
        token.expect(404, "GET", f"/projects/{others}")
        token.expect(403, "POST", "/users/current/tokens", {"name": "more"})
        token.expect(403, "PUT", f"/users/{self.attacker_id}/password", {"old_password": USER_PASSWORD, "new_password": "Another1pass"})
        narrow = self.attacker.post("/users/current/tokens", {"name": "narrow", "scopes": [
            {"kind": "project", "namespace": mine, "access": [{"resource": "repository", "action": "pull"}]}]}).json()
        token = self.api(None, bearer=narrow["token"])
        self.assertEqual(token.request("GET", f"/v2/{mine}/app/manifests/1", headers={"Accept": OCI_MANIFEST}, base="").status, 200)
        token.expect(403, "GET", f"/projects/{mine}/members")
        self.attacker.delete(f"/users/current/tokens/{narrow['id']}")
        self.assertEqual(token.request("GET", f"/v2/{mine}/app/manifests/1", base="").status, 401)

    def test_a_registry_token_gets_no_more_than_its_owner_may(self):
        mine, _ = self.make_project()
        others, _ = self.make_project("b")
        self.join(mine, self.attacker_id, 3)
        self.push(f"{others}/app")
        registry = self.client(user=self.attacker_name, password=USER_PASSWORD)
        challenge = registry.raw("GET", "/v2/").headers["WWW-Authenticate"]
        for scope in (f"repository:{others}/app:pull", f"repository:{mine}/app:pull,push,delete", "registry:catalog:*", "repository:*:*",
                      f"repository:{others}/app:*", f"repository:{mine}/../{others}/app:pull", f"repository:{others}%2fapp:pull",
                      f"repository(plugin):{others}/app:pull", f"repository:{others}/app:pull repository:{mine}/app:pull"):
            token = registry.token(challenge + f',scope="{scope}"')
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
            for entry in claims.get("access") or []:
                with self.subTest(scope):
                    if entry["type"] == "repository":
                        self.assertTrue(entry["name"].startswith(f"{mine}/") or not entry["actions"], entry)
                        self.assertLessEqual(set(entry["actions"]), {"pull"}, entry)
            # And it opens nothing of the management API.
            self.assertEqual(self.api(None, bearer=token).request("GET", "/users/current").status, 401)

    def test_a_robot_makes_no_robot_that_may_more(self):
        mine, _ = self.make_project()
        others, _ = self.make_project("b")
        made = self.admin.post("/robots", self.robot_body(mine, ("robot", "create"), ("robot", "update"), ("robot", "read"), ("repository", "pull"))).json()
        robot = self.api(made["name"], made["secret"])
        child = self.robot_body(mine, ("repository", "pull"), name="child" + self.project)
        small = robot.post("/robots", child).json()
        for access in (("repository", "push"), ("member", "create"), ("robot", "delete")):
            with self.subTest(access=access):
                robot.expect(403, "POST", "/robots", self.robot_body(mine, access, name="big" + self.project))
                robot.expect(403, "PUT", f"/robots/{small['id']}", {**self.robot_body(mine, access), "id": small["id"], "name": small["name"]})
                robot.expect(403, "PUT", f"/robots/{made['id']}", {**self.robot_body(mine, access), "id": made["id"], "name": made["name"]})
        self.assertIn(robot.request("POST", "/robots", self.robot_body(others, ("repository", "pull"))).status, (403, 404))
        robot.expect(403, "POST", "/users/current/tokens", {"name": "x"})

    def test_a_session_is_never_the_one_that_was_brought_along(self):
        form = urllib.parse.urlencode({"principal": "admin", "password": PASSWORD}).encode()
        nobody = self.api(None)
        planted = "A" * 43
        answer = nobody.request("POST", "/c/login", form, {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"sid={planted}"}, base="")
        first = re.match(r"sid=([^;]+)", answer.headers["Set-Cookie"])[1]
        self.assertNotEqual(first, planted)
        self.assertEqual(nobody.request("GET", "/users/current", headers={"Cookie": f"sid={planted}"}).status, 401)
        again = nobody.request("POST", "/c/login", form, {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"sid={first}"}, base="")
        second = re.match(r"sid=([^;]+)", again.headers["Set-Cookie"])[1]
        self.assertNotEqual(first, second)
        self.assertEqual(nobody.request("GET", "/users/current", headers={"Cookie": f"sid={first}"}).status, 401)
        nobody.request("GET", "/c/log_out", headers={"Cookie": f"sid={second}"}, base="")
        self.assertEqual(nobody.request("GET", "/users/current", headers={"Cookie": f"sid={second}"}).status, 401)

    def test_a_new_password_ends_what_the_old_one_opened(self):
        nobody = self.api(None)
        form = urllib.parse.urlencode({"principal": self.attacker_name, "password": USER_PASSWORD}).encode()
        answer = nobody.request("POST", "/c/login", form, {"Content-Type": "application/x-www-form-urlencoded"}, base="")
        session = {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}
        self.assertEqual(nobody.request("GET", "/users/current", headers=session).status, 200)
        self.admin.put(f"/users/{self.attacker_id}/password", {"new_password": "Another1pass"})
        self.assertEqual(nobody.request("GET", "/users/current", headers=session).status, 401)
        self.assertEqual(self.attacker.request("GET", "/users/current").status, 401)

    def test_a_repeated_request_is_its_senders(self):
        """An Idempotency-Key of somebody else opens no answer of theirs."""
        key = {"Idempotency-Key": f"key-{self.project}"}
        mine = self.admin.request("POST", "/users/current/tokens", {"name": f"t{self.project}"}, key)
        self.assertEqual(mine.status, 201, mine)
        theirs = self.attacker.request("POST", "/users/current/tokens", {"name": f"t{self.project}"}, key)
        self.assertEqual(theirs.status, 201, theirs)
        self.assertNotEqual(mine.json()["token"], theirs.json()["token"])

    def test_who_is_gone_is_gone_at_once(self):
        name, _ = self.make_project()
        self.push(f"{name}/app")
        self.join(name, self.attacker_id, 1)
        token = self.api(None, bearer=self.attacker.post("/users/current/tokens", {"name": "kept"}).json()["token"])
        client = self.client(user=self.attacker_name, password=USER_PASSWORD)
        path = f"/v2/{name}/app/manifests/1"
        self.assertEqual(client.request("GET", path, headers={"Accept": OCI_MANIFEST}).status, 200)
        self.admin.delete(f"/users/{self.attacker_id}")
        self.assertEqual(token.request("GET", "/users/current").status, 401)
        self.attacker.expect(401, "GET", "/users/current")
        self.assertEqual(self.attacker.request("GET", path, base="").status, 401)
        kept = next(iter(client._tokens.values()))
        self.assertEqual(client.raw("GET", path, headers={"Authorization": f"Bearer {kept}"}).status, 401)
