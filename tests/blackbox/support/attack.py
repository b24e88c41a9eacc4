"""Somebody who has an account and nothing else, and what an attack of theirs is made of."""
from .api import Api
from .scenario import Scenario
from .server import PASSWORD

USER_PASSWORD = "Somebody1pass"


class Attack(Scenario):
    def setUp(self):
        super().setUp()
        self.admin = self.api()
        self.attacker_name, self.attacker_id = self.user("attacker")
        self.attacker = self.api(self.attacker_name, USER_PASSWORD)

    def api(self, user="admin", password=PASSWORD, **more):
        api = Api(self.host, user, password, **more)
        self.addCleanup(api.close)
        return api

    def user(self, stem, password=USER_PASSWORD):
        name = f"{stem}-{self.project}"
        number = self.admin.made("/users", {"username": name, "password": password, "email": f"{name}@example.com",
                                            "realname": stem})
        return name, number

    def make_project(self, suffix="", **more):
        name = self.project + suffix
        number = self.admin.made("/projects", {"project_name": name, **more})
        return name, number

    def join(self, project, user_id, role):
        return self.admin.made(f"/projects/{project}/members", {"role_id": role, "member_user": {"user_id": user_id}})

    def push(self, repository, tag="1", content=b"layer"):
        return self.client().push_image(repository, tag, content)

    def robot_body(self, project, *access, **more):
        return {"name": "r" + self.project[:8], "level": "project", "duration": 1, "permissions": [
            {"kind": "project", "namespace": project, "access": [{"resource": r, "action": a} for r, a in access]}], **more}
