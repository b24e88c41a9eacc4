"""What goes from node to node can be seen: by the API, as a stream, and with `entrepot ctl swarm`; by those who may pull it."""
import concurrent.futures
import json
import os
import subprocess
import unittest
import urllib.request

from support import settings
from support.api import Api
from support.server import PASSWORD, wait_until
from support.swarm import Agent
from test_swarm import MEGABYTE, WithASwarm


@unittest.skipIf(settings.foreign, "needs servers of its own")
class SwarmView(WithASwarm):
    def shared(self, agents, *megabytes, **more):
        """An image that all of the agents have pulled; its digest."""
        digest = self.push(*megabytes, **more)
        with concurrent.futures.ThreadPoolExecutor(len(agents)) as pool:
            self.assertEqual(set(pool.map(lambda agent: self.pull(agent, **more), agents)), {digest})
        wait_until(lambda: self.image(digest).get("complete") == len(agents), 30, "all are complete")
        return digest

    def image(self, digest, api=None):
        """What the API says of it; nothing while there is none."""
        answer = (api or self.api).request("GET", f"/swarm/images/{digest}")
        return answer.json() if answer.status == 200 else {}

    def somebody(self, name, project=None):
        number = self.api.made("/users", {"username": name, "password": PASSWORD, "email": f"{name}@example.com",
                                          "realname": name})
        if project:
            self.api.post("/grants", {"subject": {"kind": "user", "id": number}, "role_id": 3,
                                      "object": {"kind": "project", "name": project}})
        api = Api(self.server.host, name, PASSWORD)
        self.addCleanup(api.close)
        return api

    def events(self, query="", user="admin", until=lambda events: True):
        """Of the stream, until it has told enough."""
        request = urllib.request.Request(f"http://{self.server.host}/api/v2.0/swarm/stream?seconds=60{query}")
        manager = urllib.request.HTTPPasswordMgrWithPriorAuth()
        manager.add_password(None, request.full_url, user, PASSWORD, is_authenticated=True)
        opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
        events, name = [], ""
        with opener.open(request, timeout=60) as answer:
            for line in answer:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    events.append((name, json.loads(value)))
                    if until(events):
                        break
        return events

    def test_an_image_its_zones_and_its_nodes(self):
        agents = self.agents(2) + self.more_agents(1, zone="z2")
        digest = self.shared(agents, 6, 0.5)
        image = self.image(digest)
        self.assertEqual((image["state"], image["members"], image["complete"], image["tenths"][10]), ("complete", 3, 3, 3))
        self.assertEqual([(zone["zone"], zone["members"]) for zone in image["zones"]], [("z1", 2), ("z2", 1)])
        self.assertEqual([one["name"] for one in image["repositories"]], [f"{self.project}/app"])
        self.assertGreaterEqual(image["size"], 6.5 * MEGABYTE)
        self.assertTrue(image["instance"])
        # They have all of it, from wherever. The last report may be a second late.
        wait_until(lambda: sum(self.image(digest)["received"].values()) > 2.5 * 6.5 * MEGABYTE, 30, "they say what they received")
        self.assertGreater(self.image(digest)["efficiency"], 0)
        nodes = self.api.get(f"/swarm/images/{digest}/nodes")
        self.assertEqual({node["name"] for node in nodes}, {agent.name for agent in agents})
        self.assertEqual({(node["state"], node["progress"]) for node in nodes}, {("complete", 1000)})
        self.assertEqual(len(self.api.get(f"/swarm/images/{digest}/nodes", query={"zone": "z2"})), 1)
        listed = self.api.get("/swarm/images", query={"state": "complete", "repository": f"{self.project}/app"})
        self.assertEqual([one["digest"] for one in listed], [digest])
        agents[0].kill()
        wait_until(lambda: self.image(digest)["members"] == 2, 30, "it is gone")
        self.assertIn("entrepot_swarm_received_bytes_total", self.metrics())
        # What of it the agents say themselves.
        self.assertGreater(agents[1].metric("entrepot_agent_swarm_fetch_seconds_total"), 0)
        self.assertGreater(agents[1].metric("entrepot_agent_pull_seconds_count", phase="authorise"), 0)
        self.assertGreater(agents[1].metric("entrepot_agent_pull_seconds_count", phase="first_byte"), 0)
        self.assertGreater(agents[1].metric("entrepot_agent_chunk_store_seconds_count"), 0)

    def metrics(self):
        with urllib.request.urlopen(f"http://{self.server.host}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def more_agents(self, count, zone):
        """As agents(), beside those that there are."""
        agents = [Agent(self.work / f"{zone}-{number}", f"http://{self.server.host}", self.token_file, f"{zone}-{number}", zone)
                  for number in range(count)]
        for agent in agents:
            self.addCleanup(agent.stop)
            agent.start()
        return agents

    def test_who_may_not_pull_hears_of_nothing(self):
        agents = self.agents(1)
        digest = self.shared(agents, 1)
        puller = self.somebody(f"puller-{self.project}", self.project)
        stranger = self.somebody(f"stranger-{self.project}")
        self.assertEqual(self.image(digest, puller)["members"], 1)
        self.assertEqual([one["name"] for one in puller.get(f"/swarm/images/{digest}/nodes")], ["node-0"])
        hidden = stranger.request("GET", f"/swarm/images/{digest}")
        absent = stranger.request("GET", f"/swarm/images/sha256:{'0' * 64}")
        self.assertEqual((hidden.status, hidden.json()), (404, absent.json()))
        self.assertEqual(stranger.get("/swarm/images"), [])
        self.assertEqual(self.events(user=f"stranger-{self.project}")[0][1]["images"], [])
        # The same image from another project of theirs: they see that one, and no node of anybody else.
        other = self.project + "-own"
        self.api.post("/projects", {"project_name": other, "metadata": {"public": "true"}})
        manifest = self.client(self.server).expect(200, "GET", f"/v2/{self.project}/app/manifests/{digest}")
        for blob in [manifest.json()["config"], *manifest.json()["layers"]]:
            data = self.client(self.server).expect(200, "GET", f"/v2/{self.project}/app/blobs/{blob['digest']}").body
            self.client(self.server).push_blob(f"{other}/app", data)
        self.client(self.server).expect(201, "PUT", f"/v2/{other}/app/manifests/1", manifest.body,
                                        {"Content-Type": manifest.headers["Content-Type"]})
        self.assertEqual(stranger.get("/swarm/images"), [], "no node has it from there")
        second = self.more_agents(1, "z2")[0]
        client_project, self.project = self.project, other
        try:
            self.pull(second, "1")
        finally:
            self.project = client_project
        wait_until(lambda: self.image(digest, stranger).get("members") == 1, 30, "the one that has it from there")
        seen = self.image(digest, stranger)
        self.assertEqual([one["name"] for one in seen["repositories"]], [f"{other}/app"])
        self.assertEqual([zone["zone"] for zone in seen["zones"]], ["z2"])
        self.assertNotIn("slowest", seen)
        self.assertEqual(self.image(digest)["members"], 2)
        self.assertEqual(stranger.request("GET", f"/swarm/images/{digest}/nodes").status, 403, "it is public, and no more")

    def test_a_stream_tells_what_changes(self):
        agent = self.agents(1)[0]
        self.shared([agent], 1, name="first")
        digest = self.push(3)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            following = pool.submit(self.events, until=lambda events: events[-1][0] == "swarm" and
                                    events[-1][1]["digest"] == digest and events[-1][1]["state"] == "complete")
            self.pull(agent)
            events = following.result(timeout=60)
        self.assertEqual(events[0][0], "state")
        self.assertEqual({name for name, _ in events[1:]}, {"swarm"})
        # Who comes back begins with everything, and hears of the end.
        state = self.events()[0][1]
        self.assertEqual(len(state["images"]), 2)
        only = self.events(f"&image={digest}")[0][1]["images"]
        self.assertEqual([one["digest"] for one in only], [digest])
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            following = pool.submit(self.events, until=lambda events: events[-1][0] == "gone")
            wait_until(lambda: self.metric("entrepot_swarm_streams") == 1, 30, "it is open")
            self.api.delete(f"/projects/{self.project}/repositories/app/artifacts/{digest}")
            gone = following.result(timeout=60)[-1][1]
        self.assertEqual(gone["swarm"], only[0]["swarm"])

    def metric(self, name):
        return float(next(line.split()[-1] for line in self.metrics().splitlines() if line.startswith(name + " ")))

    def test_limits_are_changed_while_nodes_run(self):
        def limit(agent, direction):
            try:
                return agent.metric("entrepot_agent_swarm_rate_limit_bytes", direction=direction)
            except AssertionError:  # absent: any number
                return None

        def limits(agent):
            return tuple(limit(agent, direction) for direction in ("up", "down", "across"))

        here, = self.agents(1)
        there, = self.more_agents(1, zone="z2")
        self.assertEqual((limits(here), limits(there)), ((None,) * 3, (None,) * 3))
        self.ctl("swarm", "limits", "--up", "100MB", "--across", "20MB")
        self.ctl("swarm", "limits", "--zone", "z2", "--down", "30MB")
        wait_until(lambda: limits(here) == (100e6, None, 20e6), 30, "they arrive: " + here.log())
        wait_until(lambda: limits(there) == (100e6, 30e6, 20e6), 30, "the zone begins with those of all others: " + there.log())
        # They outlive the registry, and who comes later hears of them too.
        self.server.stop()
        self.server.start()
        late, = self.more_agents(1, zone="z3")
        wait_until(lambda: limits(late) == (100e6, None, 20e6), 30, "they arrive: " + late.log())
        self.assertEqual(self.pull(late, self.push(1)), self.api.get(f"/projects/{self.project}/repositories/app/artifacts/1")["digest"])
        self.ctl("swarm", "limits", "--clear")
        wait_until(lambda: limits(here) == limits(late) == (None,) * 3, 30, "they are gone")
        wait_until(there.connected, 30, "it is back: " + there.log())
        self.assertEqual(limits(there), (100e6, 30e6, 20e6))
        self.ctl("swarm", "limits", "--zone", "z2", "--clear")
        wait_until(lambda: limits(there) == (None,) * 3, 30, "they are gone there too")

    def test_the_command_shows_and_watches(self):
        agents = self.agents(2)
        digest = self.shared(agents, 2)
        listed = self.ctl("swarm", "list", "-o", "json")
        self.assertEqual([one["digest"] for one in listed], [digest])
        self.assertIn(f"{self.project}/app@{digest[:19]}", self.ctl("swarm", "list"))
        shown = self.ctl("swarm", "show", f"{self.project}/app:1")
        self.assertIn("2/2 complete", shown)
        self.assertIn("node-1", self.ctl("swarm", "nodes", digest))
        self.assertIn(digest, self.ctl("node", "show", "node-0"))
        lines = self.ctl("swarm", "watch", f"{self.project}/app:1", "--until-complete").splitlines()
        self.assertIn("complete: 2/2 complete", lines[-1])
        event = self.ctl("swarm", "watch", digest, "--until-complete", "-o", "json")
        self.assertEqual(event["event"], "state")
        self.assertEqual(event["images"][0]["digest"], digest)
        environment = {"HOME": str(self.work), "PATH": os.environ["PATH"], "ENTREPOT_URL": f"http://{self.server.host}",
                       "ENTREPOT_USER": "admin", "ENTREPOT_PASSWORD": PASSWORD}
        missing = subprocess.run([str(settings.binary), "ctl", "swarm", "show", "sha256:" + "0" * 64], capture_output=True,
                                 text=True, env=environment, timeout=60, check=False)
        self.assertEqual(missing.returncode, 3, missing.stderr)
