"""A rollout to eight nodes over links that are slow enough to matter: registry and nodes in network namespaces of their
own. What the registry has sent is counted at its link; nodes die and links are cut while the image is on its way."""
import concurrent.futures
import functools
import hashlib
import http.client
import socket
import threading
import time
import unittest

from support import settings, tools
from support.networks import REGISTRY, Network
from support.runtimes import Containerd
from support.scenario import root_only
from support.server import PASSWORD, wait_until
from support.swarm import Agent, NodeClient
from test_runtimes import NEEDS_GO, WithRuntimes

NODES = 8
NODE_MBIT = 32
REGISTRY_MBIT = 64
# Of the image, that the registry may send to all of them together, with all heads; without the swarm it would be eight.
MOST_COPIES = 4
# Seconds without a byte after which a pull hangs: longer than those after which an agent gives up.
PATIENCE = 180


class Short(Exception):
    """A body that ended before its length, or has other bytes than its digest says."""


def stream(host, path, token, part, came):
    """Reads a blob as it comes; came(count) after each piece."""
    connection = http.client.HTTPConnection(host, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer.status} {answer.read(300)}")
        sha, size = hashlib.sha256(), 0
        while piece := answer.read(65_536):
            sha.update(piece)
            size += len(piece)
            came(len(piece))
    finally:
        connection.close()
    if size != part["size"] or "sha256:" + sha.hexdigest() != part["digest"]:
        raise Short(f"{path}: {size} of {part['size']} bytes")


@root_only
@unittest.skipIf(settings.foreign, "needs servers of its own")
@unittest.skipIf(settings.database == "postgres", "the database is in no namespace")
class WithLinks(WithRuntimes):
    """The registry, and each agent, beyond a link of its own."""
    settings_of_swarm = {"ENTREPOT_SWARM_BINDING": None}
    large_layers = (4, 3, 3, 2)

    def setUp(self):
        self.network = Network(NODES, NODE_MBIT, REGISTRY_MBIT)
        self.addCleanup(self.network.close)
        with self.network.entered(REGISTRY):
            super().setUp()

    def own_server(self, **more):
        return super().own_server(address=self.network.address(REGISTRY), **more)

    def new_agent(self, number, **more):
        # However slow the machine is, nobody asks the registry for what others bring.
        return Agent(self.work / f"node-{number}", f"http://{self.server.host}", self.token_file, f"node-{number}",
                     arguments=("--patience", "30s"), address=self.network.address(number),
                     place=functools.partial(self.network.entered, number), **more)

    def reads_image(self, agent, midway=lambda: None):
        """anne's pull on this node, layer after layer. midway() is called once, when she has read an eighth: the node
        has about half by then, since it fetches first what few others have."""
        left = self.bytes // 8

        def came(count):
            nonlocal left
            before, left = left, left - count
            if before > 0 >= left:
                midway()

        repository = f"{self.project}/app"
        with agent.place():
            client = NodeClient(agent.host, "anne", PASSWORD, timeout=PATIENCE)
            try:
                manifest = client.expect(200, "GET", f"/v2/{repository}/manifests/1").json()
                token = next(iter(client._tokens.values()))
            finally:
                client.close()
            for part in (manifest["config"], *manifest["layers"]):
                stream(agent.host, f"/v2/{repository}/blobs/{part['digest']}", token, part, came)

    def all_read(self, agents, midway=None):
        """All at once, each on its node; `midway` by agent. How each pull ended, by agent: an exception or None."""
        with concurrent.futures.ThreadPoolExecutor(len(agents)) as pool:
            pulls = {agent: pool.submit(self.reads_image, agent, (midway or {}).get(agent, lambda: None))
                     for agent in agents}
        return {agent: pull.exception() for agent, pull in pulls.items()}

    def reaches_registry(self, agent):
        with agent.place():
            try:
                socket.create_connection(tuple(self.server.host.split(":")), timeout=1).close()
                return True
            except OSError:
                return False

    def from_nodes(self, agents):
        return sum(agent.metric("entrepot_agent_swarm_received_bytes_total", **{"from": "zone"}) for agent in agents)

    def got_from_nodes(self, agents, least):
        """Bytes, all of them together. They tell of it a little later than they have given them to runtimes."""
        wait_until(lambda: self.from_nodes(agents) >= least, 30, [agent.log() for agent in agents])


class Rollouts(WithLinks):
    def test_the_registry_sends_a_few_copies_to_all_nodes(self):
        agents = self.agents(NODES)
        nobody = NodeClient(agents[0].host, None)
        self.addCleanup(nobody.close)
        with agents[0].place():
            self.assertEqual(nobody.raw("GET", f"/v2/{self.project}/app/manifests/1").status, 401, "it is private")
        before = self.network.sent(REGISTRY)
        self.assertEqual(set(self.all_read(agents).values()), {None})
        sent = self.network.sent(REGISTRY) - before
        self.assertLess(sent, MOST_COPIES * self.bytes, [agent.log() for agent in agents])
        self.got_from_nodes(agents, (NODES - MOST_COPIES) * self.bytes)

    def test_no_pull_fails_because_of_nodes_that_die_or_a_link_that_is_cut(self):
        agents = self.agents(NODES)
        one, two, apart = agents[:3]
        ended = self.all_read(agents, {one: one.kill, two: two.kill,
                                       apart: lambda: self.network.set_apart(REGISTRY, agents.index(apart))})
        for agent in agents:
            with self.subTest(agent.name):
                if agent in (one, two):
                    self.assertIsInstance(ended[agent], (Short, OSError, http.client.HTTPException))
                else:
                    self.assertIsNone(ended[agent], agent.log())
        self.assertFalse(self.reaches_registry(apart))
        self.assertTrue(self.reaches_registry(agents[3]))

    def test_pulls_go_on_while_and_after_the_registry_is_cut_off(self):
        agents = self.agents(NODES)
        midway = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            pulls = pool.submit(self.all_read, agents, {agents[0]: midway.set})
            self.assertTrue(midway.wait(PATIENCE), "the image comes to a node")
            self.network.set_link(REGISTRY, "down")
            self.assertFalse(self.reaches_registry(agents[0]))
            # For as long as nodes have something for each other.
            had, has = -1, self.from_nodes(agents)
            while had < has:
                time.sleep(2)
                had, has = has, self.from_nodes(agents)
            self.network.set_link(REGISTRY, "up")
        for agent, failure in pulls.result().items():
            with self.subTest(agent.name):
                self.assertIsNone(failure, agent.log())
        wait_until(lambda: self.reaches_registry(agents[0]), 60, "the registry is back")


@unittest.skipUnless(tools.have_go(), NEEDS_GO)
class Runtime(WithLinks):
    def test_containerd_behind_a_slow_link(self):
        """Has a private image through its node's agent, from other nodes; who has no right gets it from no node."""
        tools.tool("cri")  # which Go may have to fetch and build, and nothing beyond the switch is reached from a namespace
        agents = self.agents(3)
        for agent in agents[1:]:
            self.reads_image(agent)
        with agents[0].place():
            runtime = self.started(Containerd)
        runtime.use(agents[0])
        self.pulls(runtime, "anne")
        self.came_by(agents[0], self.bytes, source="swarm")
        self.got_from_nodes(agents[:1], 1)
        self.assertEqual({path.name: path.read_bytes() for path in runtime.unpacked()}, self.files)
        runtime.forget(self.name)
        for user, password in ((None, PASSWORD), ("mallory", PASSWORD), ("ben", "Wrong1password")):
            with self.subTest(puller=user):
                self.gets_nothing(runtime, user, password=password)
        with self.network.entered(REGISTRY):
            manifest = self.client(self.server).expect(200, "GET", f"/v2/{self.project}/app/manifests/1").json()
        for agent in agents:
            for part in (manifest["config"], *manifest["layers"]):
                with self.subTest(agent.name, blob=part["digest"]):
                    self.refuses(agent, f"/v2/{self.project}/app/blobs/{part['digest']}")

    def refuses(self, agent, path):
        """To who has no credentials, and to mallory, whose are good for something else."""
        nobody, mallory = NodeClient(agent.host, None), NodeClient(agent.host, "mallory", PASSWORD)
        self.addCleanup(nobody.close)
        self.addCleanup(mallory.close)
        before = agent.metric("entrepot_agent_bytes_total")
        with agent.place():
            self.assertEqual(nobody.raw("GET", path).status, 401)
            self.assertIn(mallory.request("GET", path).status, (401, 403))
        self.assertEqual(agent.metric("entrepot_agent_bytes_total"), before)
