"""Immutable tags and the history of tags, through the API and with a real client."""
import subprocess
import unittest

from support import image, settings
from support.api import Api
from support.registry import Registry
from support.scenario import Scenario


def rule(tags, repositories="**", **more):
    return {"tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": tags}],
            "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches",
                                                "pattern": repositories}]}, **more}


@unittest.skipIf(settings.foreign, "the management API is our own")
class TagRules(Scenario):
    def setUp(self):
        super().setUp()
        self.registry = self.client()
        self.admin = Api(self.host)
        self.addCleanup(self.admin.close)
        self.admin.post("/projects", {"project_name": self.project})
        self.rules = f"/projects/{self.project}/immutabletagrules"
        self.repository = f"/projects/{self.project}/repositories/app"
        self.name = f"{self.project}/app"

    def push(self, tag, text):
        return self.registry.push_image(self.name, tag, text.encode())

    def copy(self, source, tag):
        return subprocess.run(
            ["skopeo", "copy", "--quiet", *self.auth_arguments(), "--dest-tls-verify=false", "--all", source,
             f"docker://{self.host}/{self.name}:{tag}"], capture_output=True, text=True, timeout=120, check=False)

    def test_a_client_is_told_which_rule_holds_the_tag(self):
        self.push("v1", "one")
        number = self.admin.made(self.rules, rule("v*", "app"))
        refused = self.copy(image.multi(), "v1")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(f"the tag {self.name}:v1 is immutable by rule {number} of its project", refused.stderr)
        self.assertEqual(self.copy(image.multi(), "v2").returncode, 0)
        self.assertEqual(self.copy(image.multi(), "v2").returncode, 0, "the same again is no change")
        for path in (f"{self.repository}/artifacts/v1", f"{self.repository}/artifacts/v1/tags/v1", self.repository):
            answer = self.admin.request("DELETE", path)
            self.assertEqual(answer.status, 412, answer)
            self.assertIn("immutable by rule", answer.json()["errors"][0]["message"])
        answer = self.registry.request("DELETE", f"/v2/{self.name}/manifests/v1")
        self.assertEqual((answer.status, answer.codes()), (412, ["PRECONDITION"]), answer)
        self.admin.request("DELETE", f"{self.rules}/{number}")
        self.assertEqual(self.copy(image.multi(), "v1").returncode, 0)

    def test_rules_are_listed_changed_and_checked(self):
        number = self.admin.made(self.rules, rule("v*"))
        shown = self.admin.get(self.rules)
        self.assertEqual(shown, [{"id": number, "priority": 0, "disabled": False, "action": "immutable",
                                  "template": "immutable_template", **rule("v*")}])
        answer = self.admin.request("PUT", f"{self.rules}/{number}", rule("v*", disabled=True))
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue(self.admin.get(self.rules)[0]["disabled"])
        self.assertEqual(self.admin.request("POST", self.rules, rule("v*")).status, 409)
        for wrong in (rule("a b"), rule(""), rule("[z"), rule("v*", "UPPER"), rule("v*", action="retain"), {},
                      {"tag_selectors": [], "scope_selectors": {"repository": []}},
                      rule("v*") | {"tag_selectors": [{"decoration": "repoMatches", "pattern": "v*"}]}):
            self.assertEqual(self.admin.request("POST", self.rules, wrong).status, 400, wrong)
        for i in range(14):
            self.admin.made(self.rules, rule(f"t{i}"))
        self.assertEqual(self.admin.request("POST", self.rules, rule("more")).status, 400)
        self.assertEqual(self.admin.request("DELETE", f"{self.rules}/{number + 1000}").status, 404)

    def test_lists_tell_immutable_tags(self):
        self.push("v1", "one")
        self.admin.made(self.rules, rule("v*"))
        listed = self.admin.get(f"{self.repository}/artifacts", query={"with_tag": "true", "with_immutable_status": "true"})
        self.assertTrue(listed[0]["tags"][0]["immutable"])
        self.assertTrue(self.admin.get(f"{self.repository}/artifacts/v1/tags", query={"with_immutable_status": "true"})[0]["immutable"])
        self.assertTrue(self.admin.get(f"{self.repository}/artifacts/v1", query={"with_immutable_status": "true"})["tags"][0]["immutable"])

    def test_a_tag_can_be_taken_back_to_what_it_was(self):
        first = self.push("latest", "one")
        second = self.push("latest", "two")
        history = f"{self.repository}/tags/latest/history"
        shown = self.admin.get(history)
        self.assertEqual([(each["digest"], each["previous_digest"], each["how"], each["username"]) for each in shown],
                         [(second, first, "push", "admin"), (first, None, "push", "admin")])
        restored = self.admin.post(f"{self.repository}/tags/latest/restore", {"digest": first}, 200).json()
        self.assertEqual(restored, {"tag": "latest", "digest": first})
        self.assertEqual(self.registry.request("HEAD", f"/v2/{self.name}/manifests/latest").headers["Docker-Content-Digest"], first)
        self.assertEqual(self.admin.get(history)[0]["how"], "restore")
        self.assertEqual(self.admin.request("DELETE", f"{self.repository}/artifacts/{first}/tags/latest").status, 200)
        self.assertEqual(self.admin.get(f"{self.repository}/tags"), [])
        self.assertEqual(self.admin.get(f"{self.repository}/tags", query={"at": "2020-01-01T00:00:00Z"}), [])
        self.assertIsNone(self.admin.get(history)[0]["digest"])
        for body, status in (({}, 400), ({"at": "yesterday"}, 400), ({"digest": "x"}, 400), ({"digest": first, "at": "1"}, 400),
                             ({"at": "2020-01-01T00:00:00Z"}, 404), ({"digest": "sha256:" + "0" * 64}, 404)):
            answer = self.admin.request("POST", f"{self.repository}/tags/latest/restore", body)
            self.assertEqual(answer.status, status, answer)
        self.assertEqual(self.admin.request("GET", f"{self.repository}/tags", query={"at": "soon"}).status, 400)

    def test_strangers_see_no_history_even_of_a_public_project(self):
        self.push("v1", "one")
        self.admin.request("PUT", f"/projects/{self.project}", {"metadata": {"public": "true"}})
        name = self.project + "-stranger"
        self.admin.made("/users", {"username": name, "password": "Somebody1pass", "email": f"{name}@example.com", "realname": name})
        stranger = Api(self.host, name, "Somebody1pass")
        self.addCleanup(stranger.close)
        self.assertEqual(stranger.request("GET", f"{self.repository}/tags/v1/history").status, 403)
        self.assertEqual(stranger.request("GET", self.rules).status, 403)
        anonymous = Registry(self.host)
        self.addCleanup(anonymous.close)
        self.assertEqual(anonymous.raw("GET", f"/api/v2.0{self.repository}/tags/v1/history").status, 401)


if __name__ == "__main__":
    unittest.main()
