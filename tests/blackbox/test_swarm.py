"""Images come to nodes from the registry once and from each other afterwards, and to nobody without a right of their own."""
import concurrent.futures
import json
import os
import re
import subprocess
import unittest

from support import image, settings
from support.api import Api
from support.registry import OCI_INDEX
from support.scenario import Scenario, root_only, run
from support.server import PASSWORD, free_port, wait_until
from support.swarm import SWARM, Agent, NodeClient

MEGABYTE = 1_000_000


class WithASwarm(Scenario):
    """A registry that has a swarm, a private project, and a token for nodes."""
    settings_of_swarm = {}

    def setUp(self):
        super().setUp()
        environment = {**SWARM, "ENTREPOT_SWARM_CONTROL_PORT": str(free_port()), **self.settings_of_swarm}
        self.server = self.own_server(environment=environment)
        self.api = Api(self.server.host)
        self.addCleanup(self.api.close)
        self.api.post("/projects", {"project_name": self.project, "metadata": {"public": "false"}})
        self.token_file = self.work / "token"
        self.token_file.write_text(self.ctl("node-token", "create", "--nodes", "8", "-o", "json")["token"])

    def ctl(self, *words):
        environment = {"HOME": str(self.work), "PATH": os.environ["PATH"], "ENTREPOT_URL": f"http://{self.server.host}",
                       "ENTREPOT_USER": "admin", "ENTREPOT_PASSWORD": PASSWORD}
        done = subprocess.run([str(settings.binary), "ctl", *words], capture_output=True, text=True, env=environment,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout) if "json" in words else done.stdout

    def new_agent(self, number, **more):
        return Agent(self.work / f"node-{number}", f"http://{self.server.host}", self.token_file, f"node-{number}", **more)

    def agents(self, count, **more):
        agents = [self.new_agent(number, **more) for number in range(count)]
        for agent in agents:
            self.addCleanup(agent.stop)
            agent.start()
        return agents

    def push(self, *megabytes, name="app"):
        """An image of layers of these sizes; its digest."""
        layers = [self.random.randbytes(int(size * MEGABYTE)) for size in megabytes]
        return self.client(self.server).push_image(f"{self.project}/{name}", "1", *layers)

    def metric(self, name):
        """Of the registry."""
        text = self.api.request("GET", "/metrics", base="").body.decode()
        return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])

    def pull(self, agent, reference="1", user="admin", password=PASSWORD, name="app"):
        client = NodeClient(agent.host, user, password)
        try:
            return client.pull_image(f"{self.project}/{name}", reference)
        finally:
            client.close()


@unittest.skipIf(settings.foreign, "needs servers of its own")
class Swarm(WithASwarm):
    def test_nodes_share_what_the_registry_sends_once(self):
        # However slow the machine is, nobody asks the registry for what others bring.
        agents = self.agents(4, arguments=("--patience", "30s"))
        digest = self.push(8, 0.1, 3, 0.001)
        with concurrent.futures.ThreadPoolExecutor(len(agents)) as pool:
            self.assertEqual(set(pool.map(self.pull, agents)), {digest})
        whole = 11.1 * MEGABYTE
        from_others = sum(agent.metric("entrepot_agent_bytes_total", source="swarm") for agent in agents)
        self.assertGreater(from_others, 0.9 * len(agents) * whole, [agent.log() for agent in agents])
        # Later there is nothing left to bring.
        before = agents[0].metric("entrepot_agent_store_written_bytes_total")
        self.assertGreaterEqual(before, whole - MEGABYTE)
        self.assertEqual(self.pull(agents[0]), digest)
        self.assertEqual(agents[0].metric("entrepot_agent_store_written_bytes_total"), before)

    def test_what_is_pushed_is_ready_before_a_node_asks(self):
        digest = self.push(3)
        wait_until(lambda: self.metric("entrepot_swarm_images_prepared_total") == 1, 30, "it is hashed")
        self.assertEqual(self.metric("entrepot_swarm_images_preparing"), 0)
        self.assertEqual(self.pull(self.agents(1)[0]), digest)
        # What is no image has nothing to be hashed, and what follows it has.
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
        self.client(self.server).push_manifest(f"{self.project}/index", "1", index, OCI_INDEX)
        self.push(1, name="other")
        wait_until(lambda: self.metric("entrepot_swarm_images_prepared_total") == 2, 30, "the other one is hashed")

    def test_no_cached_byte_without_the_pullers_own_right(self):
        agent = self.agents(1)[0]
        self.push(2)
        self.pull(agent)
        manifest = self.client(self.server).expect(200, "GET", f"/v2/{self.project}/app/manifests/1").json()
        blob = f"/v2/{self.project}/app/blobs/{manifest['layers'][0]['digest']}"
        nobody = NodeClient(agent.host, None)
        self.addCleanup(nobody.close)
        self.assertEqual(nobody.raw("GET", blob).status, 401)
        self.api.made("/users", {"username": "mallory", "password": PASSWORD, "email": "m@example.com", "realname": "m"})
        self.api.post("/projects", {"project_name": self.project + "-other", "metadata": {"public": "true"}})
        mallory = NodeClient(agent.host, "mallory", PASSWORD)
        self.addCleanup(mallory.close)
        refused = mallory.request("GET", blob)
        self.assertIn(refused.status, (401, 403), refused)
        # By another repository's name it isn't to be had either.
        other = f"/v2/{self.project}-other/app/blobs/{manifest['layers'][0]['digest']}"
        self.assertEqual(mallory.request("GET", other).status, 404)
        self.assertEqual(self.client(self.server).request("GET", other).status, 404)
        admin = NodeClient(agent.host, "admin", PASSWORD)
        self.addCleanup(admin.close)
        self.assertEqual(admin.request("GET", other).status, 404)
        # What is no token at all is told so by the registry, not by what is cached.
        self.assertEqual(nobody.raw("GET", blob, headers={"Authorization": "Bearer nonsense"}).status, 401)

    def test_what_is_deleted_is_served_by_no_node(self):
        one, two = self.agents(2)
        digest = self.push(4)
        self.pull(one)
        self.api.delete(f"/projects/{self.project}/repositories/app/artifacts/{digest}")
        wait_until(lambda: one.metric("entrepot_agent_swarms") == 0, 30, "the node has left: " + one.log())
        for agent in (one, two):
            with self.assertRaises(AssertionError):
                self.pull(agent, digest)

    def test_pulls_go_on_while_the_registry_is_away(self):
        """Those that have begun: their right was shown, and neighbours have the bytes."""
        one, two = self.agents(2)
        digest = self.push(6)
        self.pull(one)
        client = NodeClient(two.host, "admin", PASSWORD)
        self.addCleanup(client.close)
        manifest = client.expect(200, "GET", f"/v2/{self.project}/app/manifests/{digest}").json()
        client.pull_blob(f"{self.project}/app", manifest["config"]["digest"])
        wait_until(lambda: two.metric("entrepot_agent_swarms") == 1, 30, "it takes part")
        self.server.kill()
        client.pull_blob(f"{self.project}/app", manifest["layers"][0]["digest"])
        self.server.start()
        wait_until(two.connected, 30, "it is back: " + two.log())
        self.assertEqual(self.pull(two), digest)

    def test_nodes_find_a_registry_whose_ports_have_changed(self):
        """By the address that they were given and with the certificate that they have: their token is gone."""
        agents = self.agents(2)
        before = self.server.environment["ENTREPOT_SWARM_CONTROL_PORT"]
        self.token_file.unlink()
        self.server.stop()
        wait_until(lambda: not any(agent.connected() for agent in agents), 30, "the registry is away")
        self.server.environment["ENTREPOT_SWARM_CONTROL_PORT"] = str(free_port())
        self.server.start()
        self.assertNotEqual(self.server.environment["ENTREPOT_SWARM_CONTROL_PORT"], before)
        for agent in agents:
            wait_until(agent.connected, 120, "it asks where the tracker is now: " + agent.log())
        digest = self.push(3)
        self.assertEqual({self.pull(agent) for agent in agents}, {digest})
        # What it has learnt it keeps.
        agents[0].stop()
        agents[0].start()
        self.assertEqual(agents[0].metric("entrepot_agent_swarm_moves_total"), 0)
        self.assertEqual(agents[1].metric("entrepot_agent_swarm_moves_total"), 1)

    def test_an_agent_without_a_swarm_serves_from_the_registry(self):
        plain = self.own_server()
        Api(plain.host).post("/projects", {"project_name": self.project, "metadata": {"public": "false"}})
        digest = self.client(plain).push_image(f"{self.project}/app", "1", self.random.randbytes(3 * MEGABYTE))
        agent = Agent(self.work / "alone", f"http://{plain.host}", self.token_file, "alone")
        self.addCleanup(agent.stop)
        agent.start(swarm=False)
        self.assertEqual(self.pull(agent), digest)

    def test_a_node_that_is_killed_goes_on_with_what_it_has(self):
        one, two = self.agents(2)
        digest = self.push(5)
        self.pull(one)
        # What has not reached the disk yet would be fetched again, and rightly.
        wait_until(lambda: one.metric("entrepot_agent_store_blobs") == one.metric("entrepot_agent_store_complete_blobs") > 0, 20,
                   "all is on its disk")
        one.kill()
        one.start()
        self.assertEqual(self.pull(one), digest)
        self.assertEqual(one.metric("entrepot_agent_bytes_total", source="swarm"), 0, "all of it was on its disk")
        self.assertEqual(self.pull(two), digest)

    def test_a_used_up_token_brings_nobody(self):
        self.token_file.write_text(self.ctl("node-token", "create", "--nodes", "1", "-o", "json")["token"])
        self.agents(1)
        late = Agent(self.work / "late", f"http://{self.server.host}", self.token_file, "late")
        self.addCleanup(late.stop)
        late.start(swarm=False)
        wait_until(lambda: "token" in late.log(), 20, "it says why: " + late.log())
        self.assertFalse(late.connected())
        digest = self.push(1)
        self.assertEqual(self.pull(late), digest)


@unittest.skipIf(settings.foreign, "needs servers of its own")
class Runtimes(WithASwarm):
    """A private image by runtimes that know the agent as a mirror, with the credentials of who pulls."""

    def setUp(self):
        super().setUp()
        self.agent = self.agents(1)[0]
        self.name = f"{self.server.host}/{self.project}/busybox:1"
        run("skopeo", "copy", "--quiet", "--dest-creds", f"admin:{PASSWORD}", "--dest-tls-verify=false", "--all",
            image.multi(), "docker://" + self.name)

    def install_mirror(self, *where):
        run(settings.binary, "agent", "install-mirror", *where, "--registry", f"http://{self.server.host}",
            "--agent", f"http://{self.agent.host}")

    def through_the_agent(self):
        return self.agent.metric("entrepot_agent_bytes_total")

    @root_only
    def test_containerd(self):
        home = self.work / "containerd"
        home.mkdir()
        (home / "config.toml").write_text(
            f'version = 2\nroot = "{home}/root"\nstate = "{home}/state"\n'
            'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
            f'[grpc]\naddress = "{home}/socket"\n')
        with open(home / "log", "wb") as log:
            daemon = subprocess.Popen(["containerd", "-c", home / "config.toml"], stdout=log, stderr=log)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        socket = home / "socket"

        def ctr(*arguments, **more):
            return run("ctr", "-a", socket, "-n", "test", *arguments, **more)

        wait_until(lambda: socket.exists() and ctr("version", check=False).returncode == 0, 20, "containerd answers")
        self.install_mirror("--containerd", self.work / "certs.d")
        pull = ["images", "pull", "--hosts-dir", self.work / "certs.d", "--plain-http"]
        refused = ctr(*pull, self.name, check=False)
        self.assertNotEqual(refused.returncode, 0, "without credentials")
        ctr(*pull, "--user", f"admin:{PASSWORD}", self.name)
        self.assertGreater(self.through_the_agent(), 500_000)
        said = ctr("run", "--rm", "--net-host", self.name, self.project).stdout
        self.assertEqual(said, "amd64\n")
        self.assertNotEqual(ctr(*pull, "--user", "admin:Wrong1password", self.name, check=False).returncode, 0)

    def test_skopeo_and_podman(self):
        """Which ask the mirror with the log-in that they have for it."""
        self.install_mirror("--podman", self.work / "registries.conf")
        login = self.work / "auth.json"
        for host in (self.server.host, self.agent.host):
            run("skopeo", "login", "--tls-verify=false", "--authfile", login, "-u", "admin", "-p", PASSWORD, host)
        run("skopeo", "--registries-conf", self.work / "registries.conf", "copy", "--quiet", "--authfile", login,
            "--src-tls-verify=false", "docker://" + self.name, f"dir:{self.work}/copied")
        self.assertGreater(self.through_the_agent(), 500_000)
