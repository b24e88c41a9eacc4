"""Every container runtime pulls through the agent of its node: private images, with the credentials of who pulls, and
nothing for anybody else, whatever the node has on its disk."""
import io
import tarfile
import unittest

from support import settings, tools
from support.runtimes import Containerd, Docker, Podman
from support.scenario import root_only, run
from support.server import PASSWORD, wait_until
from support.swarm import Agent
from test_swarm import MEGABYTE, WithASwarm

GUEST = 3
REFUSED = "unauthorized|denied|40[13]|authorization failed|authentication required"
NEEDS_GO = "needs Go 1.24 or later: containerd is asked by CRI"


def layer(name, data):
    """A layer with one file."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    return archive.getvalue()


class WithRuntimes(WithASwarm):
    """A private image of some megabytes, anne and ben who may pull it, and mallory who may not."""
    large_layers = (8,)  # in megabytes

    def setUp(self):
        super().setUp()
        # The first is one chunk, each other some dozens.
        self.files = {"small": b"a note"}
        for number, megabytes in enumerate(self.large_layers):
            self.files[f"large-{number}"] = self.random.randbytes(megabytes * MEGABYTE)
        layers = [layer(name, data) for name, data in self.files.items()]
        self.bytes = sum(map(len, layers))
        self.client(self.server).push_image(f"{self.project}/app", "1", *layers)
        self.name = f"{self.project}/app:1"
        for user in ("anne", "ben", "mallory"):
            self.api.made("/users", {"username": user, "password": PASSWORD, "email": f"{user}@example.com",
                                     "realname": user})
        self.members = {user: self.api.made(f"/projects/{self.project}/members",
                                            {"role_id": GUEST, "member_user": {"username": user}})
                        for user in ("anne", "ben")}

    def started(self, kind):
        runtime = kind(self.work / kind.__name__.lower(), self.server.host)
        self.addCleanup(runtime.stop)
        runtime.start()
        return runtime

    def pulls(self, runtime, user, **more):
        done = runtime.pull(self.name, user, **more)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + runtime.agent.log())
        self.assertTrue(runtime.has(self.name))

    def came_by(self, agent, least, **source):
        self.assertGreaterEqual(agent.metric("entrepot_agent_bytes_total", **source), least, agent.log())

    def gets_nothing(self, runtime, user, **more):
        """Neither the image nor a byte of it, because of who asks."""
        before = runtime.agent.metric("entrepot_agent_bytes_total")
        done = runtime.pull(self.name, user, **more)
        self.assertNotEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stderr, REFUSED)
        self.assertFalse(runtime.has(self.name))
        self.assertEqual(runtime.agent.metric("entrepot_agent_bytes_total"), before)


@root_only
@unittest.skipIf(settings.foreign, "needs servers of its own")
class EveryRuntime(WithRuntimes):
    # The registry takes seconds for the image, so a neighbour that has it is met long before.
    settings_of_swarm = {"ENTREPOT_SWARM_BYTES_PER_SECOND": "2000000"}

    def share(self, kind):
        """What one node's runtime has pulled, another's has from that node."""
        # However slow the machine is, nobody asks the registry for what others bring.
        one, two = self.agents(2, arguments=("--patience", "30s"))
        runtime = self.started(kind)
        runtime.use(one)
        self.pulls(runtime, "anne")
        self.came_by(one, self.bytes)
        runtime.forget(self.name)
        runtime.use(two)
        self.pulls(runtime, "anne")
        self.came_by(two, self.bytes, source="swarm")
        # Agents tell what their swarms have moved a little later.
        received = "entrepot_agent_swarm_received_bytes_total"
        wait_until(lambda: two.metric(received, **{"from": "zone"}) > 0, 30, two.log())
        wait_until(lambda: one.metric("entrepot_agent_swarm_sent_bytes_total") > 0, 30, one.log())
        runtime.forget(self.name)
        return runtime

    def goes_on_without(self, runtime):
        """The mirror is taken away again, and the registry itself is asked."""
        before = runtime.agent.metric("entrepot_agent_bytes_total")
        runtime.mirror("remove-mirror")
        self.assertEqual(runtime.mirror_traces(), [])
        self.pulls(runtime, "anne")
        self.assertEqual(runtime.agent.metric("entrepot_agent_bytes_total"), before)

    @unittest.skipUnless(tools.have_go(), NEEDS_GO)
    def test_containerd(self):
        self.goes_on_without(self.share(Containerd))

    def test_podman(self):
        runtime = self.share(Podman)
        # Credentials for the pull alone are for the name that the image has, not for a mirror: it goes on to the
        # registry. CRI-O hands a pod's secret to the same library in the same way.
        (runtime.home / "auth.json").write_text("{}")
        before = runtime.agent.metric("entrepot_agent_bytes_total")
        runtime("pull", "-q", "--creds", f"anne:{PASSWORD}", f"{runtime.registry}/{self.name}")
        self.assertEqual(runtime.agent.metric("entrepot_agent_bytes_total"), before)
        runtime.forget(self.name)
        # The log-in at the agent is one at the registry, by another name.
        login = ["login", "--tls-verify=false", "-u", "anne", runtime.agent.host, "-p"]
        self.assertNotEqual(runtime(*login, "Wrong1password", check=False).returncode, 0)
        runtime(*login, PASSWORD)
        runtime("pull", "-q", "--creds", f"anne:{PASSWORD}", f"{runtime.registry}/{self.name}")
        self.came_by(runtime.agent, before + self.bytes)
        runtime.forget(self.name)
        self.goes_on_without(runtime)

    def test_docker(self):
        """Logged in at the agent's name, which is the one that its images have."""
        runtime = self.share(Docker)
        refused = runtime.login("anne", "Wrong1password")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("unauthorized", refused.stderr)
        done = runtime.login("anne", PASSWORD)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        runtime("pull", "-q", f"{runtime.agent.host}/{self.name}")
        shown = runtime("image", "inspect", "--format", "{{.Architecture}} {{index .RepoTags 0}}",
                        f"{runtime.agent.host}/{self.name}").stdout
        self.assertEqual(shown, f"amd64 {runtime.agent.host}/{self.name}\n")


@root_only
@unittest.skipIf(settings.foreign, "needs servers of its own")
class Rights(WithRuntimes):
    def test_no_cached_byte_without_the_pullers_own_right_in_any_runtime(self):
        agent = self.agents(1)[0]
        kinds = (Podman, Docker, *([Containerd] if tools.have_go() else []))
        runtimes = {kind.__name__: self.started(kind) for kind in kinds}
        for runtime in runtimes.values():
            runtime.use(agent)
            self.pulls(runtime, "anne")
            runtime.forget(self.name)
        whole = agent.metric("entrepot_agent_store_written_bytes_total")
        refused = (("nobody", None, PASSWORD), ("without a right", "mallory", PASSWORD),
                   ("with a wrong password", "ben", "Wrong1password"))
        for name, runtime in runtimes.items():
            for who, user, password in refused:
                with self.subTest(runtime=name, puller=who):
                    self.gets_nothing(runtime, user, password=password)
            with self.subTest(runtime=name, puller="with a right"):
                self.pulls(runtime, "anne")
                runtime.forget(self.name)
        self.assertEqual(agent.metric("entrepot_agent_store_written_bytes_total"), whole, "all of it was on the disk")
        # Each pull brings a token of its own, so a right that is gone is gone with the next one.
        self.api.delete(f"/projects/{self.project}/members/{self.members['anne']}")
        for name, runtime in runtimes.items():
            with self.subTest(runtime=name, puller="whose right was taken away"):
                self.gets_nothing(runtime, "anne")
        if Containerd not in kinds:
            self.skipTest(NEEDS_GO)


@unittest.skipIf(settings.foreign, "needs servers of its own")
class Removal(WithRuntimes):
    def test_one_command_leaves_nothing_of_the_agent(self):
        node = self.work / "host"
        agent = Agent(node / "var", f"http://{self.server.host}", self.token_file, "node")
        places = {"--containerd": node / "certs.d", "--crio": node / "registries.conf.d",
                  "--podman": node / "registries.conf.d/of-podman.conf"}
        for place in (node / "certs.d/other", node / "registries.conf.d"):
            place.mkdir(parents=True)
            (place / "strangers").write_text("not ours")

        def there():
            return {path: path.read_bytes() if path.is_file() else None for path in node.rglob("*")
                    if path != agent.log_path}

        before = there()
        self.addCleanup(agent.stop)
        agent.start()
        words = [str(word) for place in places.items() for word in place]
        words += ["--registry", f"http://{self.server.host}"]
        run(settings.binary, "agent", "install-mirror", *words)
        self.assertTrue(self.pull(agent, user="anne"))
        self.assertGreater(sum(path.stat().st_size for path in there() if path.is_file()), self.bytes)
        remove = [settings.binary, "agent", "remove-mirror", *words, "--data", agent.home / "data"]
        self.assertIn("would remove", run(*remove, "--dry-run").stdout)
        refused = run(*remove, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("an agent runs there", refused.stderr)
        self.assertTrue(self.pull(agent, user="anne"))
        agent.stop()
        run(*remove)
        self.assertEqual(there(), before)
        run(*remove)
