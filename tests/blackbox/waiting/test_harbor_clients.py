"""Harbor's own clients: goharbor's Go client, which harbor-cli is made of, and the calls of the Terraform provider.

The provider's module can't be had from a module proxy, so its calls are recorded here as its code makes them
(github.com/goharbor/terraform-provider-harbor at 489db88a31638562bcdfd983baf90e9d68d3b73f, client/*.go, models/*.go and
provider/resource_*.go): Go's encoding of its structs, zero values included, where they differ from what a person would
write."""
import subprocess
import unittest

from support import settings, tools
from support.api import Api
from support.scenario import Scenario
from support.server import PASSWORD

BASE = "/api/v2.0"


@unittest.skipIf(settings.foreign, "about our own management API")
@unittest.skipUnless(tools.have_go(), "needs Go 1.24 or later")
class GoClient(Scenario):
    def test_a_round_with_goharbors_go_client(self):
        command = [str(tools.tool("goharbor")), f"http://{self.host}", "admin", PASSWORD, self.project,
                   f"go-{self.project}"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as program:
            done = []
            for line in program.stdout:
                done.append(line.strip())
                if done[-1] == "push":
                    self.client().push_image(f"{self.project}/app", "1", b"layer")
                    program.stdin.write("pushed\n")
                    program.stdin.flush()
            errors = program.stderr.read()
        self.assertEqual(program.returncode, 0, f"{errors}after {done[-3:]}")
        self.assertEqual(done[-1], "ok delete project")


@unittest.skipIf(settings.foreign, "about our own management API")
class TerraformProvider(Scenario):
    def setUp(self):
        super().setUp()
        self.api = Api(self.host)
        self.addCleanup(self.api.close)

    def create(self, path, body):
        """SendRequest with 201, then GetID: what comes after /api/v2.0 in Location is the resource's id."""
        location = self.api.post(path, body).headers["Location"]
        self.assertTrue(location.startswith(BASE), location)
        return location.removeprefix(BASE)

    def make_project(self, **more):
        return self.create("/projects", {
            "cve_allowlist": {}, "project_name": self.project, "storage_limit": -1,
            "metadata": {"enable_content_trust": "false", "enable_content_trust_cosign": "false", "auto_scan": "true",
                         "severity": "low", "reuse_sys_cve_allowlist": "true", "public": "false",
                         "prevent_vul": "false", "auto_sbom_generation": "false", "proxy_speed_kb": "-1",
                         "proxy_cache_local_on_not_found": "false"}, **more})

    def test_harbor_project(self):
        place = self.make_project()
        self.assertRegex(place, r"^/projects/\d+$")
        project = self.api.get(place)
        self.assertEqual(project["project_id"], int(place.rsplit("/", 1)[1]))
        self.assertEqual((project["metadata"]["public"], project["metadata"]["auto_scan"]), ("false", "true"))
        body = {"cve_allowlist": {}, "project_name": self.project, "storage_limit": 5 * (1 << 30), "metadata": {
            **project["metadata"], "auto_scan": "false", "public": "true"}}
        self.api.put(place, body)
        self.assertEqual(self.api.get(place)["metadata"]["public"], "true")
        self.assertIs(self.api.get("/configurations")["quota_per_project_enable"]["value"], True)
        mine, = [one for one in self.every_quota() if one["ref"]["id"] == project["project_id"]]
        self.api.put(f"/quotas/{mine['id']}", {"hard": {"storage": 5 * (1 << 30)}})
        self.client().push_image(f"{self.project}/app", "1", b"layer")
        self.api.delete(place, 412)
        listed = self.api.get(f"/projects/{self.project}/repositories")
        self.assertEqual([one["name"] for one in listed], [f"{self.project}/app"])
        self.api.delete(f"/projects/{self.project}/repositories/app")
        self.api.delete(place)
        self.api.expect(404, "GET", place)

    def every_quota(self):
        page, quotas = 1, []
        while True:
            some = self.api.get(f"/quotas/?page={page}&page_size=100")
            quotas += some
            if len(some) < 100:
                return quotas
            page += 1

    def test_harbor_project_member_user(self):
        place = self.make_project()
        name = f"tf-{self.project}"
        self.create("/users", {"username": name, "password": "Terraform1pass", "email": f"{name}@example.com",
                               "realname": name, "new_password": "Terraform1pass"})
        # Both halves are there, the other one empty: Go leaves no struct out.
        member = self.create(f"{place}/members", {"role_id": 2, "member_group": {}, "member_user": {"username": name}})
        shown = self.api.get(member)
        self.assertEqual((shown["role_id"], shown["entity_type"], shown["entity_name"]), (2, "u", name))
        self.api.put(member, {"role_id": 4, "member_group": {}, "member_user": {"username": name}})
        self.assertEqual(self.api.get(member)["role_id"], 4)
        self.api.delete(member)
        self.api.expect(404, "GET", member)

    def test_harbor_project_member_group(self):
        place = self.make_project()
        group = f"tf-{self.project}"
        member = self.create(f"{place}/members", {
            "role_id": 3, "member_group": {"group_type": 3, "group_name": group}, "member_user": {}})
        self.assertEqual(self.api.get(member)["entity_type"], "g")
        self.assertEqual([one["group_name"] for one in self.api.get(f"/usergroups?group_name={group}")], [group])

    def test_harbor_user(self):
        name = f"tf-{self.project}"
        body = {"username": name, "password": "Terraform1pass", "email": f"{name}@example.com", "realname": "T. F.",
                "new_password": "Terraform1pass"}
        place = self.create("/users", body)
        self.assertEqual(self.api.get(place)["email"], f"{name}@example.com")
        self.api.put(place, {**body, "realname": "Terra Form"})
        self.api.put(place + "/sysadmin", {**body, "sysadmin_flag": True})
        self.assertEqual((self.api.get(place)["realname"], self.api.get(place)["sysadmin_flag"]), ("Terra Form", True))
        self.api.put(place + "/password", {**body, "password": "Terraform2pass", "new_password": "Terraform2pass"})
        own = Api(self.host, name, "Terraform2pass")
        self.addCleanup(own.close)
        own.get("/users/current")
        self.api.delete(place)
        own.expect(401, "GET", "/users/current")

    def test_harbor_label(self):
        number = int(self.make_project().rsplit("/", 1)[1])
        for project_id, scope in ((0, "g"), (number, "p")):
            body = {"description": "", "color": "#FFFFFF", "deleted": False, "scope": scope, "project_id": project_id,
                    "id": 0, "name": f"tf-{self.project}"}
            place = self.create("/labels", body)
            self.assertEqual(self.api.get(place)["scope"], scope)
            self.api.put(place, {**body, "description": "from Terraform"})
            self.assertEqual(self.api.get(place)["description"], "from Terraform")
            self.api.delete(place)

    def test_harbor_robot_account(self):
        self.make_project()
        prefix = self.api.get("/configurations")["robot_name_prefix"]["value"]
        body = {"name": f"tf-{self.project}", "level": "system", "duration": -1, "permissions": [
            {"access": [{"action": "pull", "resource": "repository"}], "kind": "project", "namespace": self.project},
            {"access": [{"action": "list", "resource": "project"}], "kind": "system", "namespace": "/"}]}
        answer = self.api.post("/robots", body)
        robot = answer.json()
        place = answer.headers["Location"].removeprefix(BASE)
        self.assertEqual((robot["name"], robot["expires_at"]), (f"{prefix}tf-{self.project}", -1))
        self.api.expect(200, "PATCH", place, {"secret": "Terraform1secret"})
        own = Api(self.host, robot["name"], "Terraform1secret")
        self.addCleanup(own.close)
        self.assertIn(self.project, [one["name"] for one in own.get(f"/projects?name={self.project}")])
        shown = self.api.get(place)
        self.assertEqual(len(shown["permissions"]), 2)
        self.api.put(place, {**body, "id": shown["id"], "name": shown["name"], "disable": True})
        self.assertIs(self.api.get(place)["disable"], True)
        self.api.delete(place)

    def test_harbor_config_system(self):
        before = self.api.get("/configurations")
        body = {"project_creation_restriction": "adminonly", "read_only": False, "robot_token_duration": 45,
                "quota_per_project_enable": True, "robot_name_prefix": before["robot_name_prefix"]["value"],
                "storage_per_project": -1, "scanner_skip_update_pulltime": False, "skip_audit_log_database": False,
                "banner_message": "", "notification_enable": True}
        self.api.put("/configurations", body)
        self.addCleanup(self.api.put, "/configurations", {
            name: before[name]["value"] for name in ("project_creation_restriction", "robot_token_duration")})
        after = self.api.get("/configurations")
        self.assertEqual((after["robot_token_duration"]["value"], after["project_creation_restriction"]["value"]),
                         (45, "adminonly"))
