"""Retention policies in Harbor's shapes, their runs as jobs, tags that expire, and push policies."""
import time
import unittest

from support import settings
from support.api import Api
from support.registry import Registry
from support.scenario import Scenario
from support.server import wait_until


def selectors(tags="**", repositories="**", untagged=False):
    return {"tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": tags,
                               "extras": '{"untagged":%s}' % str(untagged).lower()}],
            "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches",
                                                "pattern": repositories}]}}


def rule(template, parameter=None, **more):
    params = {} if parameter is None else {template: parameter}
    return {"action": "retain", "template": template, "params": params, **selectors(**more)}


@unittest.skipIf(settings.foreign, "the management API is our own")
class Retention(Scenario):
    def setUp(self):
        super().setUp()
        self.registry = self.client()
        self.admin = Api(self.host)
        self.addCleanup(self.admin.close)
        self.admin.post("/projects", {"project_name": self.project})
        self.number = self.admin.get(f"/projects/{self.project}")["project_id"]

    def push(self, repository, tag):
        return self.registry.push_image(f"{self.project}/{repository}", tag, f"{repository} {tag}".encode())

    def tags(self, repository):
        answer = self.registry.request("GET", f"/v2/{self.project}/{repository}/tags/list")
        return answer.json()["tags"] if answer.status == 200 else []

    def policy(self, *rules, cron="", **more):
        return {"algorithm": "or", "scope": {"level": "project", "ref": self.number}, "rules": list(rules),
                "trigger": {"kind": "Schedule", "settings": {"cron": cron}, "references": {}}, **more}

    def run_policy(self, policy, **body):
        """Runs it to its end; the execution."""
        run = self.admin.made(f"/retentions/{policy}/executions", body)
        found = []

        def ended():
            found[:] = [each for each in self.admin.get(f"/retentions/{policy}/executions") if each["id"] == run]
            return found[0]["status"] not in ("Pending", "Running")
        wait_until(ended, 60, "the run ends")
        return found[0]

    def report(self, policy, run, repository):
        tasks = self.admin.get(f"/retentions/{policy}/executions/{run}/tasks")
        task = [each for each in tasks if each["repository"] == f"{self.project}/{repository}"][0]
        text = self.admin.request("GET", f"/retentions/{policy}/executions/{run}/tasks/{task['id']}")
        self.assertTrue(text.headers["Content-Type"].startswith("text/plain"))
        return task, text.body.decode()

    def test_a_policy_reads_back_as_harbors_clients_know_it(self):
        wanted = self.policy(rule("latestPushedK", 10, tags="v*", untagged=True), rule("always", tags="keep"),
                             rule("semanticVersions", ">=1.2 <2"), cron="0 0 2 * * *")
        number = self.admin.made("/retentions", wanted)
        shown = self.admin.get(f"/retentions/{number}")
        self.assertEqual(shown["scope"], wanted["scope"])
        self.assertEqual(shown["trigger"], wanted["trigger"])
        self.assertEqual([(each["template"], each["params"]) for each in shown["rules"]],
                         [("latestPushedK", {"latestPushedK": 10}), ("always", {}), ("semanticVersions", {"semanticVersions": ">=1.2 <2"})])
        self.assertEqual(shown["rules"][0]["tag_selectors"], wanted["rules"][0]["tag_selectors"])
        self.assertEqual(self.admin.get(f"/projects/{self.project}")["metadata"]["retention_id"], str(number))
        self.assertEqual(self.admin.request("POST", "/retentions", wanted).status, 400, "one policy a project")
        self.admin.put(f"/retentions/{number}", self.policy(rule("always")))
        self.assertEqual(len(self.admin.get(f"/retentions/{number}")["rules"]), 1)
        self.assertEqual(self.admin.get(f"/retentions/{number}")["trigger"]["settings"]["cron"], "")
        self.admin.delete(f"/retentions/{number}")
        self.assertEqual(self.admin.request("GET", f"/retentions/{number}").status, 404)

    def test_nonsense_is_refused(self):
        for wrong, status in (
                (self.policy(rule("newest", 3)), 400), (self.policy(rule("latestPushedK")), 400),
                (self.policy(rule("latestPushedK", -1)), 400), (self.policy(rule("latestPushedK", "many")), 400),
                (self.policy(rule("semanticVersions", "new")), 400), (self.policy(rule("always", tags="[z")), 400),
                (self.policy(rule("always"), rule("always")), 409), (self.policy(rule("latestPushedK", 0)), 400),
                (self.policy(*[rule("latestPushedK", i + 1) for i in range(16)]), 400),
                (self.policy(rule("always"), cron="every day"), 400), (self.policy(rule("always"), cron="0 0 0 30 2 *"), 400),
                ({**self.policy(rule("always")), "scope": {"level": "system", "ref": 1}}, 400)):
            answer = self.admin.request("POST", "/retentions", wrong)
            self.assertEqual(answer.status, status, (wrong, answer))
        confirmed = self.policy(rule("latestPushedK", 0), confirm_all=True)
        self.assertTrue(self.admin.get(f"/retentions/{self.admin.made('/retentions', confirmed)}")["confirm_all"])

    def test_a_dry_run_says_what_would_go_and_a_run_does_it(self):
        for tag in ("v1", "v2", "v3"):
            self.push("app", tag)
        self.push("other", "v1")
        policy = self.admin.made("/retentions", self.policy(rule("latestPushedK", 2, repositories="app")))
        dry = self.run_policy(policy, dry_run=True)
        self.assertEqual((dry["status"], dry["dry_run"], dry["trigger"]), ("Success", True, "Manual"))
        task, text = self.report(policy, dry["id"], "app")
        self.assertEqual((task["total"], task["retained"], task["status"]), (3, 2, "Success"))
        self.assertIn("would remove v1: rule 1 (the 2 most recently pushed) does not keep it\n", text)
        self.assertEqual(self.tags("app"), ["v1", "v2", "v3"])
        real = self.run_policy(policy)
        self.assertEqual(real["status"], "Success", real)
        self.assertEqual(self.tags("app"), ["v2", "v3"])
        self.assertEqual(self.tags("other"), ["v1"])
        self.assertIn("removed v1: ", self.report(policy, real["id"], "app")[1])
        history = self.admin.get(f"/projects/{self.project}/repositories/app/tags/v1/history")
        self.assertEqual((history[0]["how"], history[0]["username"]), ("retention", "admin"))
        self.assertEqual(self.registry.request("HEAD", f"/v2/{self.project}/app/manifests/{history[0]['previous_digest']}").status, 404)

    def test_a_run_that_would_leave_nothing_ends_without_having_touched_anything(self):
        self.push("app", "v1")
        policy = self.admin.made("/retentions", self.policy(rule("semanticVersions", ">=9")))
        ended = self.run_policy(policy)
        self.assertEqual(ended["status"], "Error")
        self.assertIn("confirm_all", ended["result"])
        self.assertEqual(self.tags("app"), ["v1"])
        self.assertEqual(self.run_policy(policy, confirm_all=True)["status"], "Success")
        self.assertEqual(self.tags("app"), [])

    def test_a_schedule_runs_a_policy(self):
        self.push("app", "v1")
        self.push("app", "v2")
        # The next full minute: what comes more often is refused.
        policy = self.admin.made("/retentions", self.policy(rule("latestPushedK", 1), cron="0 * * * * *"))
        wait_until(lambda: self.tags("app") == ["v2"], 90, "the schedule's run has removed a tag")
        self.assertEqual(self.admin.get(f"/retentions/{policy}/executions")[-1]["trigger"], "Schedule")

    def test_what_is_in_use_or_immutable_stays(self):
        running = self.push("app", "v1")
        self.push("app", "v2")
        self.push("app", "v3")
        self.push("app", "v4")
        self.admin.put(f"/projects/{self.project}/in-use/east", {"images": [f"app@{running}"], "expires_in": 600})
        self.admin.made(f"/projects/{self.project}/immutabletagrules", {
            "tag_selectors": [{"decoration": "matches", "pattern": "v2"}],
            "scope_selectors": {"repository": [{"decoration": "repoMatches", "pattern": "**"}]}})
        self.assertEqual(self.admin.get(f"/projects/{self.project}/in-use")[0]["image"], f"app@{running}")
        policy = self.admin.made("/retentions", self.policy(rule("latestPushedK", 1)))
        run = self.run_policy(policy)
        self.assertEqual(self.tags("app"), ["v1", "v2", "v4"])
        text = self.report(policy, run["id"], "app")[1]
        self.assertIn("kept v1: reported as in use\n", text)
        self.assertIn("kept v2: immutable\n", text)
        for wrong in ({"images": ["app"]}, {"images": ["app@v1"]}, {"images": ["app:v1"], "expires_in": 0}):
            self.assertEqual(self.admin.request("PUT", f"/projects/{self.project}/in-use/east", wrong).status, 400, wrong)

    def test_a_tag_that_expires_goes_by_itself(self):
        self.push("app", "v1")
        path = f"/projects/{self.project}/repositories/app/tags/v1/expiry"
        self.assertEqual(self.admin.get(path), {"tag": "v1", "expires_at": None})
        self.admin.put(path, {"expires_at": "2090-01-01T00:00:00Z"})
        self.assertEqual(self.admin.get(path)["expires_at"], "2090-01-01T00:00:00Z")
        for wrong in ({"expires_at": "2020-01-01T00:00:00Z"}, {"expires_at": "soon"}, {"expires_at": 7}):
            self.assertEqual(self.admin.request("PUT", path, wrong).status, 400, wrong)
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        self.admin.put(path, {"expires_at": soon})
        wait_until(lambda: self.tags("app") == [], 90, "the tag has expired")
        self.assertEqual(self.admin.get(f"/projects/{self.project}/repositories/app/tags/v1/history")[0]["how"], "expiry")

    def test_a_push_policy_tells_clients_why(self):
        self.push("app", "latest")
        path = f"/projects/{self.project}/pushpolicies"
        body = {"name": "no latest", "disabled": True, "tag_selectors": [{"decoration": "excludes", "pattern": "latest"}]}
        number = self.admin.made(path, body)
        self.assertEqual(self.admin.get(f"{path}/check")["refused"], 0)
        found = self.admin.get(f"{path}/check", query={"policy_id": number})
        reason = f'the tag {self.project}/app:latest is refused by the push policy "no latest": tags must not match latest'
        self.assertEqual(found, {"repositories": 1, "tags": 1, "refused": 1, "refusals": [
            {"repository": f"{self.project}/app", "tag": "latest", "reason": reason}]})
        self.admin.put(f"{path}/{number}", {**body, "disabled": False})
        refused = self.registry.request("PUT", f"/v2/{self.project}/app/manifests/latest", b"{}", {
            "Content-Type": "application/vnd.oci.image.manifest.v1+json"})
        self.assertEqual(refused.status, 400, "it is no manifest at all")
        with self.assertRaises(AssertionError) as told:
            self.push("app", "latest")
        self.assertIn("is refused by the push policy", str(told.exception))
        self.push("app", "v1")
        answer = self.admin.request("POST", f"/projects/{self.project}/repositories/app/artifacts/v1/tags", {"name": "other"})
        self.assertEqual(answer.status, 201, answer)
        answer = self.admin.request("DELETE", f"/projects/{self.project}/repositories/app/artifacts/latest/tags/latest")
        self.assertEqual(answer.status, 200, answer)
        answer = self.admin.request("POST", f"/projects/{self.project}/repositories/app/artifacts/v1/tags", {"name": "latest"})
        self.assertEqual(answer.status, 403, answer)
        for wrong in ({"name": "x"}, {"name": "", "semantic_versions": "*"}, {"name": "x", "semantic_versions": "new"},
                      {"name": "x", "tag_selectors": []}, {"name": "x", "repository_selectors": [{"decoration": "matches", "pattern": "a"}]}):
            self.assertEqual(self.admin.request("POST", path, wrong).status, 400, wrong)
        self.admin.delete(f"{path}/{number}")
        self.push("app", "latest")

    def test_a_stranger_may_neither_see_nor_touch_a_policy(self):
        policy = self.admin.made("/retentions", self.policy(rule("always")))
        name = self.project + "-stranger"
        self.admin.made("/users", {"username": name, "password": "Somebody1pass", "email": f"{name}@example.com", "realname": name})
        stranger = Api(self.host, name, "Somebody1pass")
        self.addCleanup(stranger.close)
        for method, path, body in (("GET", "", None), ("PUT", "", self.policy(rule("always"))), ("DELETE", "", None),
                                   ("POST", "/executions", {}), ("GET", "/executions", None)):
            self.assertEqual(stranger.request(method, f"/retentions/{policy}{path}", body).status, 404, (method, path))
        self.assertEqual(stranger.request("POST", "/retentions", self.policy(rule("always"))).status, 404)
        anonymous = Registry(self.host)
        self.addCleanup(anonymous.close)
        self.assertEqual(anonymous.raw("GET", f"/api/v2.0/retentions/{policy}").status, 401)


if __name__ == "__main__":
    unittest.main()
