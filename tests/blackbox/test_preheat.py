"""An image is on its nodes before anybody asks for it, and nobody may pull it there who may not anyhow."""
import json
import os
import subprocess
import time
import unittest

from support import image, settings
from support.api import Api
from support.scenario import run
from support.server import PASSWORD, free_port, wait_until
from support.swarm import Agent, NodeClient
from test_swarm import MEGABYTE, WithASwarm


@unittest.skipIf(settings.foreign, "needs servers of its own")
class Preheats(WithASwarm):
    def agent(self, name, zone="z1", start=True, **more):
        agent = Agent(self.work / name, f"http://{self.server.host}", self.token_file, name, zone=zone, **more)
        self.addCleanup(agent.stop)
        return agent.start() if start else agent

    def preheat(self, reference="1", name="app", status=201, **more):
        body = {"repository": f"{self.project}/{name}", "reference": reference, **more}
        answer = self.api.request("POST", "/swarm/preheats", body)
        self.assertEqual(answer.status, status, answer)
        return answer.json()

    def state(self, preheat):
        return self.api.get(f"/swarm/preheats/{preheat['id']}")

    def nodes(self, preheat, **query):
        return {one["name"]: one for one in self.api.get(f"/swarm/preheats/{preheat['id']}/nodes", query=query)}

    def ended(self, preheat, *agents):
        try:
            wait_until(lambda: self.state(preheat)["stage"] != "running", 60, "the preheat ends")
        except AssertionError as error:
            logs = "\n".join(agent.log() for agent in agents)
            raise AssertionError(f"{error}: {self.state(preheat)} {self.nodes(preheat)}\n{logs}") from None
        return self.state(preheat)

    def registry_bytes(self, agent):
        """What the registry sent to pulls on this node."""
        return sum(agent.metric("entrepot_agent_bytes_total", source=source) for source in ("registry", "passed"))

    def user(self, name, role=None):
        number = self.api.made("/users", {"username": name, "password": PASSWORD, "email": f"{name}@example.com", "realname": name})
        if role:
            self.api.post(f"/projects/{self.project}/members", {"role_id": role, "member_user": {"user_id": number}})
        api = Api(self.server.host, name, PASSWORD)
        self.addCleanup(api.close)
        return api

    def test_the_image_is_there_before_anybody_asks(self):
        agents = self.agents(3)
        digest = self.push(6, 0.5, 0.001)
        made = self.preheat()
        self.assertEqual((made["digest"], made["stage"], made["counts"]["total"]), (digest, "running", 3))
        ended = self.ended(made, *agents)
        self.assertEqual((ended["stage"], ended["counts"]["done"]), ("done", 3), self.nodes(made))
        self.assertEqual(ended["bytes_done"], ended["bytes_total"])
        for node in self.nodes(made, state="done").values():
            self.assertEqual((node["bytes_done"], node["message"]), (ended["bytes"], ""))
        for agent in agents:
            self.assertEqual(agent.metric("entrepot_agent_preheats_total", outcome="done"), 1)
            before = agent.metric("entrepot_agent_store_written_bytes_total")
            self.assertGreaterEqual(before, ended["bytes"])
            self.assertEqual(self.pull(agent), digest)
            self.assertEqual(agent.metric("entrepot_agent_store_written_bytes_total"), before)
            self.assertEqual(self.registry_bytes(agent), 0)
            self.assertGreaterEqual(agent.metric("entrepot_agent_bytes_total", source="store"), ended["bytes"])

    def test_nobody_may_pull_because_of_it(self):
        agent = self.agents(1)[0]
        self.push(2)
        self.assertEqual(self.ended(self.preheat(), agent)["stage"], "done")
        self.assertEqual(agent.metric("entrepot_agent_grants_total"), 0)
        manifest = self.client(self.server).expect(200, "GET", f"/v2/{self.project}/app/manifests/1").json()
        blob = f"/v2/{self.project}/app/blobs/{manifest['layers'][0]['digest']}"
        self.user("mallory")
        for user, statuses in ((None, (401,)), ("mallory", (401, 403))):
            client = NodeClient(agent.host, user, PASSWORD)
            self.addCleanup(client.close)
            with self.subTest(user):
                answer = client.raw("GET", blob) if user is None else client.request("GET", blob)
                self.assertIn(answer.status, statuses, answer)
        self.assertEqual(agent.metric("entrepot_agent_bytes_total"), 0)

    def test_selections(self):
        for name, zone in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")):
            self.agent(name, zone=zone)
        self.push(0.3)
        for wanted, more in (({"a1", "a2"}, {"zones": ["a"]}), ({"b2"}, {"nodes": ["b2"]}), ({"a2"}, {"zones": ["a"], "nodes": ["a2", "b1"]})):
            with self.subTest(**more):
                made = self.preheat(**more)
                self.assertEqual(self.ended(made)["stage"], "done")
                self.assertEqual(set(self.nodes(made)), wanted)
        for percent, count in ((50, 2), (1, 1), (75, 3)):
            with self.subTest(percent=percent):
                self.assertEqual(self.preheat(percent=percent)["counts"]["total"], count)
        self.assertEqual(self.preheat(zones=["a"], percent=50)["counts"]["total"], 1)
        self.preheat(zones=["nowhere"], status=400)

    def test_the_registry_starts_anew_in_the_middle(self):
        agents = self.agents(2)
        self.push(6)
        made = self.preheat(rate=2 * MEGABYTE)
        wait_until(lambda: self.state(made)["bytes_done"] > 0, 60, "real progress: " + agents[0].log())
        during = self.state(made)
        self.assertEqual(during["stage"], "running")
        self.assertLess(during["bytes_done"], during["bytes_total"])
        self.server.kill()
        self.server.start()
        self.api = Api(self.server.host)
        self.addCleanup(self.api.close)
        self.assertEqual(self.ended(made, *agents)["counts"]["done"], 2)

    def test_a_node_that_was_away(self):
        here = self.agents(1)[0]
        away = self.agent("away")
        away.stop()
        self.push(1)
        made = self.preheat()
        wait_until(lambda: self.nodes(made)["node-0"]["state"] == "done", 60, here.log())
        self.assertEqual((self.state(made)["stage"], self.nodes(made)["away"]["state"]), ("running", "waiting"))
        # And one that nobody knew.
        self.agent("new")
        wait_until(lambda: self.nodes(made).get("new", {}).get("state") == "done", 60, "the new one has it")
        away.start()
        self.assertEqual(self.ended(made, away)["counts"]["done"], 3)

    def test_an_agent_that_is_killed_in_the_middle(self):
        agent = self.agents(1)[0]
        self.push(6)
        made = self.preheat(rate=2 * MEGABYTE)
        wait_until(lambda: self.state(made)["bytes_done"] > 0, 60, "it has begun: " + agent.log())
        agent.kill()
        agent.start()
        self.assertEqual(self.ended(made, agent)["stage"], "done")

    def test_cancel(self):
        agent = self.agents(1)[0]
        digest = self.push(8)
        made = self.preheat(rate=MEGABYTE)
        wait_until(lambda: self.nodes(made)["node-0"]["state"] == "running", 60, agent.log())
        self.api.delete(f"/swarm/preheats/{made['id']}")
        self.assertEqual(self.state(made)["stage"], "cancelled")
        self.assertEqual(self.api.request("DELETE", f"/swarm/preheats/{made['id']}").status, 409)
        wait_until(lambda: agent.metric("entrepot_agent_preheats_total", outcome="failed") == 1, 30, "it has stopped: " + agent.log())
        wait_until(lambda: agent.metric("entrepot_agent_swarms") == 0, 30, "it has left: " + agent.log())
        self.assertEqual(self.pull(agent), digest)

    def test_a_deadline(self):
        agent = self.agents(1)[0]
        self.push(8)
        self.preheat(deadline=int(time.time()) - 60, status=400)
        made = self.preheat(rate=MEGABYTE, duration_seconds=3)
        ended = self.ended(made, agent)
        self.assertEqual((ended["stage"], ended["counts"]["done"]), ("expired", 0))
        self.assertIn("1 of 1 nodes", ended["message"])

    def test_an_image_that_is_deleted(self):
        self.agents(1)
        away = self.agent("away")
        away.stop()
        digest = self.push(1)
        made = self.preheat()
        self.api.delete(f"/projects/{self.project}/repositories/app/artifacts/{digest}")
        ended = self.ended(made)
        self.assertEqual((ended["stage"], ended["message"]), ("failed", "the image is not there any more"))

    def test_no_room(self):
        agent = self.agent("small", arguments=("--budget", "2MiB"))
        self.push(4)
        made = self.preheat()
        self.assertEqual(self.ended(made, agent)["stage"], "failed")
        node = self.nodes(made, state="refused")["small"]
        self.assertIn("budget", node["message"])

    def test_what_is_not_there(self):
        self.agents(1)
        self.push(0.1)
        self.preheat("nothing", status=404)
        self.preheat(name="nothing", status=404)
        self.preheat(percent=0, status=400)
        self.preheat(percent=101, status=400)
        self.preheat(rate=-1, status=400)
        self.preheat(nodes=["no node!"], status=400)
        self.assertEqual(self.api.request("GET", "/swarm/preheats/999999").status, 404)

    def test_who_may(self):
        self.agents(1)
        self.push(0.1)
        body = {"repository": f"{self.project}/app", "reference": "1"}
        hidden = {"repository": f"{self.project}/other", "reference": "1"}
        stranger, guest, master = self.user("stranger"), self.user("guest", 3), self.user("master", 1)
        nobody = Api(self.server.host, None)
        self.addCleanup(nobody.close)
        self.assertEqual(nobody.request("POST", "/swarm/preheats", body).status, 401)
        for api in (stranger, guest):
            answers = [api.request("POST", "/swarm/preheats", one) for one in (body, hidden)]
            self.assertEqual([answer.status for answer in answers], [403, 403])
            self.assertEqual(answers[0].json()["errors"], answers[1].json()["errors"])
        # Who has the right on the platform and may not pull the image learns nothing of it.
        role = self.api.made("/roles", {"name": "preheater", "permissions": [
            f"platform:preheat-instance:{action}" for action in ("create", "read", "list", "delete")]})
        operator = self.user("operator")
        number = operator.get("/users/current")["user_id"]
        self.api.post("/grants", {"subject": {"kind": "user", "id": number}, "object": {"kind": "platform"}, "role_id": role})
        self.assertEqual(operator.request("POST", "/swarm/preheats", body).status, 403)
        made = master.request("POST", "/swarm/preheats", body)
        self.assertEqual(made.status, 201, made)
        path = f"/swarm/preheats/{made.json()['id']}"
        self.assertEqual(operator.request("GET", path).status, 404)
        self.assertEqual(operator.get("/swarm/preheats"), [])
        self.assertEqual([one["id"] for one in master.get("/swarm/preheats")], [made.json()["id"]])
        self.assertEqual(master.request("GET", path).status, 200)
        for api in (stranger, guest):
            self.assertEqual([api.request("GET", path).status, api.request("GET", path + "/nodes").status,
                              api.request("DELETE", path).status], [404, 404, 404])

    def test_a_right_that_is_taken_away_ends_it(self):
        away = self.agent("away")
        away.stop()
        self.push(0.1)
        master = self.user("master", 1)
        made = master.request("POST", "/swarm/preheats", {"repository": f"{self.project}/app", "reference": "1"}).json()
        self.api.delete(f"/users/{master.get('/users/current')['user_id']}")
        ended = self.ended(made)
        self.assertEqual((ended["stage"], ended["message"]), ("failed", "who asked for it may not pull the image any more"))

    def test_of_an_index_the_image_of_the_platform(self):
        self.agents(1)
        run("skopeo", "copy", "--quiet", "--dest-creds", f"admin:{PASSWORD}", "--dest-tls-verify=false", "--all",
            image.multi(), f"docker://{self.server.host}/{self.project}/busybox:1")
        for more, platform in (({}, "linux/amd64"), ({"platform": "linux/arm64"}, "linux/arm64")):
            made = self.preheat(name="busybox", **more)
            self.assertEqual(made["platform"], platform)
            self.assertEqual(self.ended(made)["stage"], "done")
        self.preheat(name="busybox", platform="plan9/mips", status=400)

    def test_by_the_command_line(self):
        agents = self.agents(2)
        self.push(1)
        made = self.ctl("preheat", "create", f"{self.project}/app:1", "--zones", "z1,z2", "--rate", "100MB", "--deadline", "2h",
                        "--wait", "-o", "json")
        self.assertEqual((made["stage"], made["counts"]["done"], made["rate"]), ("done", 2, 100_000_000))
        self.assertIn(str(made["id"]), self.ctl("preheat", "list"))
        self.assertIn("2", self.ctl("preheat", "show", str(made["id"])))
        self.assertIn("node-1", self.ctl("preheat", "show", str(made["id"]), "--nodes"))
        agents[0].stop()
        self.push(1, name="other")
        made = self.ctl("preheat", "create", f"{self.project}/other:1", "-o", "json")
        self.ctl("preheat", "cancel", str(made["id"]), "--yes")
        environment = {"HOME": str(self.work), "PATH": os.environ["PATH"], "ENTREPOT_URL": f"http://{self.server.host}",
                       "ENTREPOT_USER": "admin", "ENTREPOT_PASSWORD": PASSWORD}
        late = subprocess.run([str(settings.binary), "ctl", "preheat", "create", f"{self.project}/other:1", "--deadline", "15s",
                               "--wait", "-o", "json"], capture_output=True, text=True, env=environment, timeout=60, check=False)
        self.assertEqual(late.returncode, 1, late.stdout + late.stderr)
        self.assertEqual(json.loads(late.stdout)["stage"], "expired")
        self.assertIn("1 of 2 nodes have it", late.stderr)
