"""A robot's life: a narrow key that expires, is rotated without a gap, is switched off at once, and never grows."""
import contextlib
import sqlite3
import time
import unittest
import uuid

from support import settings
from support.api import Api
from support.postgres import PROGRAMS
from support.scenario import Scenario, run
from support.server import PASSWORD, wait_until

USER_PASSWORD = "Correct4horse"
PULL = ("repository", "pull")
PUSH = ("repository", "push")


def on(kind, namespace, *access):
    return {"kind": kind, "namespace": namespace, "access": [{"resource": r, "action": a} for r, a in access]}


@unittest.skipIf(settings.foreign, "about our own management API")
class Robots(Scenario):
    def setUp(self):
        super().setUp()
        self.mark = uuid.uuid4().hex[:8]
        self.admin = self.api("admin", PASSWORD)
        self.admin.post("/projects", {"project_name": self.project, "metadata": {"public": "false"}})
        self.project_id = self.admin.get(f"/projects/{self.project}")["project_id"]
        self.repository = f"{self.project}/app"
        self.client().push_image(self.repository, "1", b"layer")

    def api(self, user, password):
        api = Api(self.host, user, password)
        self.addCleanup(api.close)
        return api

    def body(self, *access, **more):
        return {"name": "ci", "level": "project", "duration": 30,
                "permissions": [on("project", self.project, *access)], **more}

    def make(self, *access, by=None, **more):
        return (by or self.admin).post("/robots", self.body(*access, **more)).json()

    def pull_status(self, name, secret):
        return self.api(name, secret).request("GET", f"/v2/{self.repository}/manifests/1", base="").status

    def push_status(self, name, secret):
        return self.api(name, secret).request("POST", f"/v2/{self.repository}/blobs/uploads/", base="").status

    def test_a_robot_does_what_it_was_given_and_nothing_else(self):
        robot = self.make(PULL)
        self.assertEqual(robot["name"], f"robot${self.project}+ci")
        self.assertEqual(len(robot["secret"]), 32)
        self.assertEqual(self.pull_status(robot["name"], robot["secret"]), 200)
        self.assertEqual(self.push_status(robot["name"], robot["secret"]), 403)
        token = self.client(user=robot["name"], password=robot["secret"])
        self.assertEqual(token.request("GET", f"/v2/{self.repository}/manifests/1").status, 200)
        self.assertEqual(token.request("POST", f"/v2/{self.repository}/blobs/uploads/").status, 401)
        self.assertEqual(self.pull_status(robot["name"], robot["secret"][:-1] + "!"), 401)
        shown = self.admin.get(f"/robots/{robot['id']}")
        self.assertEqual(shown["permissions"], [on("project", self.project, PULL)])
        self.assertNotIn(robot["secret"], str(shown))
        own = self.api(robot["name"], robot["secret"])
        own.expect(403, "GET", f"/projects/{self.project}/members")
        own.expect(403, "GET", "/users")
        own.expect((403, 404), "POST", "/robots", self.body(PULL, name="child"))

    def test_lists_are_of_one_place_as_harbors_clients_ask_for_them(self):
        robot = self.make(PULL)
        listed = self.admin.get("/robots", query={"q": f"Level=project,ProjectID={self.project_id}"})
        self.assertEqual([one["id"] for one in listed], [robot["id"]])
        self.assertNotIn(robot["id"], [one["id"] for one in self.admin.get("/robots?page_size=100")])
        self.admin.expect(400, "GET", "/robots?q=Level%3Dproject")
        self.admin.expect(400, "GET", "/robots?q=secret_hash%3Dx")
        permissions = self.admin.get("/permissions")
        self.assertIn({"resource": "repository", "action": "pull"}, permissions["project"])
        self.assertIn({"resource": "robot", "action": "create"}, permissions["system"])
        self.assertNotIn("configuration", [one["resource"] for one in permissions["system"]])

    def test_a_new_secret_leaves_the_old_one_time_to_be_replaced(self):
        robot = self.make(PULL)
        name, first = robot["name"], robot["secret"]
        second = self.admin.expect(200, "PATCH", f"/robots/{robot['id']}", {"secret": ""}).json()["secret"]
        self.assertNotEqual(first, second)
        for secret in (first, second):
            self.assertEqual(self.pull_status(name, secret), 200)
        third = self.admin.expect(200, "PATCH", f"/robots/{robot['id']}", {"overlap_seconds": 0}).json()["secret"]
        self.assertEqual(self.pull_status(name, third), 200)
        for secret in (first, second):
            self.assertEqual(self.pull_status(name, secret), 401)

    def test_a_secret_that_somebody_chose_is_kept_like_a_password_and_ends_like_any(self):
        robot = self.make(PULL)
        name, made, chosen = robot["name"], robot["secret"], "Chosen1secret"
        self.admin.expect(200, "PATCH", f"/robots/{robot['id']}", {"secret": chosen})
        for secret in (made, chosen, chosen):
            self.assertEqual(self.pull_status(name, secret), 200)
        self.assertEqual(self.pull_status(name, chosen + "x"), 401)
        self.admin.expect(200, "PATCH", f"/robots/{robot['id']}", {"secret": "Another1secret", "overlap_seconds": 0})
        self.assertEqual(self.pull_status(name, "Another1secret"), 200)
        for secret in (made, chosen):
            self.assertEqual(self.pull_status(name, secret), 401)
        for weak in ("short1A", "nocapital1", "NOSMALL1", "Nodigits", "With blank1"):
            self.admin.expect(400, "PATCH", f"/robots/{robot['id']}", {"secret": weak})

    def test_a_secret_that_ended_takes_its_tokens_with_it(self):
        robot = self.make(PULL)
        client = self.client(user=robot["name"], password=robot["secret"])
        manifest = f"/v2/{self.repository}/manifests/1"
        challenge = client.raw("GET", "/v2/").headers["WWW-Authenticate"]
        bearer = {"Authorization": "Bearer " + client.token(challenge + f',scope="repository:{self.repository}:pull"')}
        self.assertEqual(client.raw("GET", manifest, headers=bearer).status, 200)
        self.admin.expect(200, "PATCH", f"/robots/{robot['id']}", {"secret": "Chosen1secret", "overlap_seconds": 0})
        self.assertEqual(client.raw("GET", manifest, headers=bearer).status, 401)
        self.assertEqual(self.pull_status(robot["name"], "Chosen1secret"), 200)

    def test_disabling_and_removing_count_with_the_next_request(self):
        robot = self.make(PULL)
        key = (robot["name"], robot["secret"])
        self.assertEqual(self.pull_status(*key), 200)
        self.admin.put(f"/robots/{robot['id']}", self.body(PULL, name=robot["name"], disable=True))
        self.assertEqual(self.pull_status(*key), 401)
        self.admin.put(f"/robots/{robot['id']}", self.body(PULL, name=robot["name"], disable=False))
        self.assertEqual(self.pull_status(*key), 200)
        self.admin.delete(f"/robots/{robot['id']}")
        self.assertEqual(self.pull_status(*key), 401)
        self.admin.expect(404, "GET", f"/robots/{robot['id']}")
        self.assertGreater(self.make(PULL)["id"], robot["id"])

    def test_nobody_gives_a_robot_what_they_do_not_hold(self):
        name = f"mia-{self.mark}"
        self.admin.post("/users", {"username": name, "email": f"{name}@example.org", "realname": name,
                                   "password": USER_PASSWORD})
        mia = self.api(name, USER_PASSWORD)
        mia.expect(404, "POST", "/robots", self.body(PULL))
        self.admin.post(f"/projects/{self.project}/members", {"role_id": 4, "member_user": {"username": name}})
        mia.expect(403, "POST", "/robots", self.body(PULL))
        maker = self.make(("robot", "create"), ("robot", "read"), ("robot", "update"), PULL, name="maker")
        robot = self.api(maker["name"], maker["secret"])
        child = self.make(PULL, by=robot, name="child")
        robot.expect(403, "POST", "/robots", self.body(PULL, PUSH, name="big"))
        robot.expect(403, "PUT", f"/robots/{child['id']}", self.body(PUSH, name=child["name"]))
        strong = self.make(PULL, PUSH, name="strong")
        robot.expect(403, "PATCH", f"/robots/{strong['id']}", {"secret": ""})
        robot.expect(200, "PATCH", f"/robots/{child['id']}", {"secret": ""})

    def test_when_a_robot_was_used_is_shown(self):
        robot = self.make(PULL)
        self.assertNotIn("last_used_time", self.admin.get(f"/robots/{robot['id']}"))
        self.assertEqual(self.pull_status(robot["name"], robot["secret"]), 200)
        wait_until(lambda: "last_used_time" in self.admin.get(f"/robots/{robot['id']}"), 90, "the use of a robot")


@unittest.skipIf(settings.foreign, "changes the database while the server is stopped")
class ExpiredRobot(Scenario):
    def set_expiry(self, server, robot_id, seconds):
        statement = f"UPDATE robots SET expires_at = {int(seconds * 1_000_000)} WHERE user_id = {robot_id}"
        if server.database:
            run(PROGRAMS / "psql", server.database, "-v", "ON_ERROR_STOP=1", "-c", statement)
            return
        with contextlib.closing(sqlite3.connect(server.data / "entrepot.db")) as database:
            self.assertEqual(database.execute(statement).rowcount, 1)
            database.commit()

    def test_a_robot_whose_time_is_over_is_refused(self):
        server = self.own_server()
        admin = Api(server.host)
        self.addCleanup(admin.close)
        self.client(server).push_image("library/app", "1", b"layer")
        robot = admin.post("/robots", {"name": "ci", "level": "project", "duration": 1,
                                       "permissions": [on("project", "library", PULL)]}).json()
        self.assertGreater(robot["expires_at"], time.time())
        for seconds, status in ((time.time() + 3600, 200), (time.time() - 1, 401)):
            server.stop()
            self.set_expiry(server, robot["id"], seconds)
            server.start()
            with self.subTest(seconds=seconds):
                own = Api(server.host, robot["name"], robot["secret"])
                self.addCleanup(own.close)
                self.assertEqual(own.request("GET", "/v2/library/app/manifests/1", base="").status, status)
        admin.close()
        for duration in (-2, 36_501):
            admin.expect(400, "POST", "/robots", {"name": "odd", "level": "project", "duration": duration,
                                                  "permissions": [on("project", "library", PULL)]})
        forever = {"name": "forever", "level": "project", "duration": -1, "permissions": [on("project", "library", PULL)]}
        self.assertEqual(admin.post("/robots", forever).json()["expires_at"], -1)
