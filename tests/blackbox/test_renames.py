"""Repositories and projects get other names while clients go on with the old ones."""
import threading
import unittest

from support import image, settings
from support.api import Api, encoded_twice
from support.registry import Registry, digest_of
from support.scenario import Scenario, run
from support.server import PASSWORD


@unittest.skipIf(settings.foreign, "the management API is our own")
class Renames(Scenario):
    def setUp(self):
        super().setUp()
        self.registry = self.client()
        self.admin = Api(self.host)
        self.addCleanup(self.admin.close)
        self.admin.post("/projects", {"project_name": self.project})
        self.other = self.project + "-other"
        self.admin.post("/projects", {"project_name": self.other})

    def rename(self, repository, status=200, **body):
        path = f"/projects/{self.project}/repositories/{encoded_twice(repository)}/rename"
        answer = self.admin.request("POST", path, body)
        self.assertEqual(answer.status, status, answer)
        return answer

    def push(self, name, tag="1", text="x"):
        self.registry.push_image(f"{self.project}/{name}", tag, text.encode())

    def skopeo(self, *arguments, check=True):
        return run("skopeo", *arguments, *self.auth_arguments(), "--tls-verify=false", check=check)

    def user(self, name, project=None, role=2):
        number = self.admin.made("/users", {"username": name, "email": name + "@example.org", "realname": name, "password": "Somebody1pass"})
        if project:
            self.admin.post(f"/projects/{project}/members", {"role_id": role, "member_user": {"user_id": number}})
        return self.client(user=name, password="Somebody1pass")

    def test_a_client_pulls_by_the_old_name_and_is_told_the_new_one_when_it_pushes(self):
        source = f"docker://{self.host}/{self.project}/app:1"
        run("skopeo", "copy", "--quiet", *self.auth_arguments(), "--dest-tls-verify=false", "--all", image.multi(), source)
        digest = self.skopeo("inspect", "--format", "{{.Digest}}", source).stdout
        answer = self.rename("app", name="team/web")
        self.assertEqual(answer.headers["Location"],
                         f"/api/v2.0/projects/{self.project}/repositories/team%252Fweb")
        self.assertEqual(self.skopeo("inspect", "--format", "{{.Digest}}", source).stdout, digest)
        target = self.work / "copy"
        run("skopeo", "copy", "--quiet", *self.auth_arguments(), "--src-tls-verify=false", "--all", source, f"dir:{target}")
        self.assertIn('"1"', self.skopeo("list-tags", f"docker://{self.host}/{self.project}/app").stdout)
        refused = run("skopeo", "copy", "--quiet", *self.auth_arguments(), "--dest-tls-verify=false", "--all",
                      image.multi(), f"docker://{self.host}/{self.project}/app:2", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(f"the repository {self.project}/app is called {self.project}/team/web now", refused.stderr)
        run("skopeo", "copy", "--quiet", *self.auth_arguments(), "--dest-tls-verify=false", "--all",
            image.multi(), f"docker://{self.host}/{self.project}/team/web:2")

    def test_a_project_is_renamed_under_its_clients(self):
        self.push("app")
        answer = self.registry.request("GET", f"/v2/{self.project}/app/manifests/1")
        self.assertEqual((answer.status, answer.headers.get("Warning")), (200, None), answer)
        new = self.project + "-new"
        answer = self.admin.request("POST", f"/projects/{self.project}/rename", {"name": new})
        self.assertEqual((answer.status, answer.headers["Location"]), (200, f"/api/v2.0/projects/{new}"), answer)
        for client in (self.registry, self.client()):  # with the token that it has, and with a new one
            for path in ("manifests/1", "tags/list", f"blobs/{digest_of(b'x')}"):
                answer = client.request("GET", f"/v2/{self.project}/app/{path}")
                self.assertEqual(answer.status, 200, (path, answer))
                self.assertEqual(answer.headers["Warning"],
                                 f'299 - "the repository {self.project}/app is called {new}/app now"')
                self.assertEqual(answer.headers["Content-Location"], f"/v2/{new}/app/{path}")
        self.assertEqual(self.registry.request("GET", f"/v2/{new}/app/manifests/1").status, 200)
        answer = self.admin.request("GET", f"/projects/{self.project}/repositories/app/artifacts?page=1")
        self.assertEqual((answer.status, answer.headers["Location"]),
                         (308, f"/api/v2.0/projects/{new}/repositories/app/artifacts?page=1"), answer)
        answer = self.admin.request("PUT", f"/projects/{self.project}", {"metadata": {"auto_scan": "true"}})
        self.assertEqual((answer.status, answer.headers["Location"]), (308, f"/api/v2.0/projects/{new}"), answer)
        self.assertEqual(self.admin.request("POST", "/projects", {"project_name": self.project}).status, 409)
        kept = self.admin.get(f"/projects/{new}/formernames")
        self.assertEqual([(name["name"], name["leads_to"]) for name in kept], [(self.project, new)])
        self.admin.request("DELETE", f"/projects/{new}/formernames/{kept[0]['id']}")
        self.assertEqual(self.client().request("GET", f"/v2/{self.project}/app/manifests/1").status, 404)
        self.admin.post("/projects", {"project_name": self.project})

    def test_a_name_leads_nobody_where_they_may_not_go(self):
        self.push("app")
        user = self.user("u" + self.project, self.project)
        nobody = self.user("n" + self.project)
        never = nobody.request("GET", f"/v2/{self.project}/never/manifests/1")
        self.rename("app", name="app", project=self.other)
        for action in (lambda: user.request("GET", f"/v2/{self.project}/app/manifests/1"),
                       lambda: nobody.request("GET", f"/v2/{self.project}/app/manifests/1"),
                       lambda: user.request("POST", f"/v2/{self.project}/app/blobs/uploads/")):
            answer = action()
            self.assertEqual((answer.status, answer.body), (never.status, never.body), answer)
        mine = Api(self.host, user="u" + self.project, password="Somebody1pass")
        self.addCleanup(mine.close)
        answer = mine.request("GET", f"/projects/{self.project}/repositories/app")
        self.assertEqual(answer.status, 404, answer)
        self.assertEqual(mine.request("GET", f"/projects/{self.project}/formernames").status, 403)
        self.user("b" + self.project, self.project, 1)
        boss = Api(self.host, user="b" + self.project, password="Somebody1pass")
        self.addCleanup(boss.close)
        self.assertEqual([name["leads_to"] for name in boss.get(f"/projects/{self.project}/formernames")], [None])
        self.assertEqual(self.registry.request("GET", f"/v2/{self.project}/app/manifests/1").status, 200)
        answer = self.admin.request("GET", f"/projects/{self.project}/repositories/app/artifacts/1")
        self.assertEqual((answer.status, answer.headers["Location"]),
                         (308, f"/api/v2.0/projects/{self.other}/repositories/app/artifacts/1"), answer)

    def test_what_is_wrong_is_refused_and_changes_nothing(self):
        self.push("app")
        self.push("web")
        self.rename("app", 409, name="app")
        self.rename("app", 409, name="web")
        self.rename("gone", 404, name="x")
        self.rename("app", 404, name="x", project="no-such-" + self.project)
        self.rename("app", 400, name="UPPER")
        self.rename("app", 400, name="x", project="a/b")
        self.rename("app", 400)
        self.assertEqual(self.admin.request("POST", f"/projects/{self.project}/rename", {"name": "a/b"}).status, 400)
        self.assertEqual(self.admin.request("POST", f"/projects/{self.project}/rename", {"name": self.other}).status, 409)
        number = self.admin.get(f"/projects/{self.other}")["project_id"]
        self.admin.request("PUT", f"/quotas/{number}", {"hard": {"storage": 5}})
        answer = self.rename("app", 403, name="app", project=self.other)
        self.assertEqual(self.registry.request("GET", f"/v2/{self.project}/app/manifests/1").headers.get("Warning"), None, answer)

    def test_pulls_and_pushes_go_on_while_names_change(self):
        self.push("app")
        over = threading.Event()
        wrong = []

        def pull():
            client = Registry(self.host, "admin", PASSWORD)
            while not over.is_set():
                answer = client.request("GET", f"/v2/{self.project}/app/manifests/1")
                if answer.status != 200:
                    wrong.append(answer)
            client.close()

        threads = [threading.Thread(target=pull) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for i in range(10):
                self.rename("app" if i == 0 else f"app{i}", name=f"app{i + 1}")
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong, [])
        number = self.admin.get(f"/projects/{self.project}")["project_id"]
        told = self.admin.get("/events", query={"type": "repository.renamed", "project_id": number, "limit": 100})
        self.assertEqual([event["details"]["to"] for event in told],
                         [f"{self.project}/app{i + 1}" for i in range(10)])
