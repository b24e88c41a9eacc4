"""Several instances of the registry have one swarm: nodes of all of them share what is sent once, and whichever dies."""
import concurrent.futures
import time
import unittest

from support import settings
from support.api import Api
from support.server import PASSWORD, free_port, wait_until
from support.swarm import Agent, NodeClient
from test_swarm import MEGABYTE, WithASwarm

MASTER_KEY = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"


@unittest.skipUnless(settings.database == "postgres", "several instances share a PostgreSQL database")
class WithInstances(WithASwarm):
    """Two instances. Agents have the addresses of one, by turns, in all that they are told by their operators."""
    settings_of_swarm = {"ENTREPOT_AUTH_MASTER_KEY": MASTER_KEY, "ENTREPOT_SWARM_ADVERTISE": "127.0.0.1"}

    def setUp(self):
        self.instances = []
        super().setUp()
        self.own_server()
        for instance in self.instances:
            wait_until(lambda at=instance: self.number(at, "entrepot_swarm_instances") == 2, 30,
                       "they know of each other: " + instance.log_tail())

    def own_server(self, environment=None, **more):
        """The first, and others beside it."""
        if not self.instances:
            self.environment = {**environment, "ENTREPOT_STORAGE_ROOT": str(self.work / "blobs")}
        else:
            self.environment = {**self.environment, "ENTREPOT_SWARM_CONTROL_PORT": str(free_port())}
            more["database"] = self.instances[0].database
        server = super().own_server(data=self.work / f"instance-{len(self.instances)}", environment=self.environment, **more)
        self.instances.append(server)
        return server

    @staticmethod
    def number(instance, metric):
        api = Api(instance.host)
        try:
            text = api.request("GET", "/metrics", base="").body.decode()
        finally:
            api.close()
        return float(next(line for line in text.splitlines() if line.startswith(metric + " ")).split()[1])

    def new_agent(self, number, **more):
        home = self.instances[number % len(self.instances)]
        return Agent(self.work / f"node-{number}", f"http://{home.host}", self.token_file, f"node-{number}", **more)

    def seeded(self):
        """Bytes, by living instance."""
        return [self.number(instance, "entrepot_swarm_seed_bytes_total") for instance in self.instances
                if instance.process.poll() is None]

    def owner(self, members):
        """The instance that tracks the one image there is, once it has so many members."""
        def tracks(instance):
            return self.number(instance, "entrepot_swarm_members") == members
        wait_until(lambda: any(map(tracks, self.instances)), 30, "one instance tracks them all")
        found = next(filter(tracks, self.instances))
        for other in self.instances:
            if other is not found:
                self.assertEqual(self.number(other, "entrepot_swarm_members"), 0)
        return found


class SwarmOfInstances(WithInstances):
    def test_nodes_of_both_are_one_swarm(self):
        agents = self.agents(6, arguments=("--patience", "60s"))
        digest = self.push(20, 0.1, 4)
        with concurrent.futures.ThreadPoolExecutor(len(agents)) as pool:
            self.assertEqual(set(pool.map(self.pull, agents)), {digest})
        whole = 24.1 * MEGABYTE
        self.assertLess(sum(self.seeded()), 3 * whole)
        self.assertEqual(min(self.seeded()), 0, "one instance is the seed")
        self.owner(len(agents))
        # Those whose own stream is with the other one have a second stream.
        self.assertEqual(sum(agent.metric("entrepot_agent_swarm_streams_aside") for agent in agents), len(agents) / 2)
        self.assertEqual([self.number(instance, "entrepot_swarm_nodes") for instance in self.instances], [3, 3])

    def test_an_instance_that_stops_is_left(self):
        agents = self.agents(2)
        self.instances[1].stop()
        wait_until(lambda: self.number(self.instances[0], "entrepot_swarm_instances") == 1, 8, "it has said so")
        wait_until(lambda: self.number(self.instances[0], "entrepot_swarm_nodes") == 2, 30,
                   "its node has come: " + agents[1].log())
        self.assertEqual(agents[1].metric("entrepot_agent_swarm_moves_total"), 1)
        self.instances[1].start()
        wait_until(lambda: self.number(self.instances[0], "entrepot_swarm_instances") == 2, 30, "it is back")
        digest = self.push(3)
        self.assertEqual({self.pull(agent) for agent in agents}, {digest})


class SlowInstances(WithInstances):
    """Each sends nodes 2 MB a second at most, so that there is a middle of a pull to kill it in."""
    settings_of_swarm = {**WithInstances.settings_of_swarm, "ENTREPOT_SWARM_BYTES_PER_SECOND": "2000000"}

    def pulls_while(self, kill):
        """A layer comes slowly to four nodes, two of each instance, and `kill` gets the one that tracks it, and the other."""
        agents = self.agents(4, arguments=("--patience", "60s"))
        digest = self.push(24)
        clients = [NodeClient(agent.host, "admin", PASSWORD) for agent in agents]
        for client in clients:
            self.addCleanup(client.close)
        # What needs the registry itself comes first: the manifest, and who may pull.
        manifest = [client.expect(200, "GET", f"/v2/{self.project}/app/manifests/{digest}").json() for client in clients][0]
        for client in clients:
            client.pull_blob(f"{self.project}/app", manifest["config"]["digest"])
        owner = self.owner(len(agents))
        other = next(instance for instance in self.instances if instance is not owner)
        with concurrent.futures.ThreadPoolExecutor(len(agents)) as pool:
            layer = manifest["layers"][0]["digest"]
            pulls = [pool.submit(client.pull_blob, f"{self.project}/app", layer) for client in clients]
            wait_until(lambda: sum(self.seeded()) > 5 * MEGABYTE, 30, "some of it has come")
            self.assertFalse(any(pull.done() for pull in pulls))
            began = time.monotonic()
            killed = kill(owner, other)
            for pull in pulls:
                pull.result(timeout=150)
            # With agents' patience, after which those that can ask the registry, it would be longer.
            self.assertLess(time.monotonic() - began, 50)
        left = next(instance for instance in self.instances if instance is not killed)
        wait_until(lambda: self.number(left, "entrepot_swarm_instances") == 1, 30, "it is known to be dead")
        wait_until(lambda: self.number(left, "entrepot_swarm_nodes") == 4, 60, "all nodes have come")
        wait_until(lambda: self.number(left, "entrepot_swarm_members") == 4, 60, "and are told of each other")

    def test_the_instance_that_tracks_an_image_is_killed(self):
        """It seeds it, and is the home of two nodes, too."""
        def kill(owner, _):
            owner.kill()
            return owner
        self.pulls_while(kill)

    def test_the_instance_that_nodes_came_to_is_killed(self):
        def kill(_, other):
            other.kill()
            return other
        self.pulls_while(kill)
