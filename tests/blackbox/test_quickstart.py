"""The quickstarts and the README do what they say: their marked blocks are run as they stand.

A block is run when the line before it is `<!-- run -->`, or `<!-- run: TEXT -->` where the output must hold TEXT. Only
addresses, the place of containerd's files and the public source image are replaced, because a test may not use the
real ones."""
import json
import os
import re
import subprocess
import unittest

from support import image, settings, tools
from support.scenario import Scenario, root_only, run
from support.server import PASSWORD, free_port, wait_until
from test_podman import CONTAINERS_CONF

BLOCK = re.compile(r"^<!-- run(?:: (?P<expect>[^\n]*))? -->\n```sh\n(?P<script>.*?)^```$", re.MULTILINE | re.DOTALL)
SHARED_SOURCE = "docker://docker.io/library/busybox:latest"
STORAGE_CONF = '[storage]\ndriver = "vfs"\ngraphroot = "{0}/graph"\nrunroot = "{0}/run"\n'


@root_only
@unittest.skipIf(settings.foreign, "needs our own server")
class Quickstart(Scenario):
    def setUp(self):
        super().setUp()
        (self.work / "containers.conf").write_text(CONTAINERS_CONF)
        (self.work / "storage.conf").write_text(STORAGE_CONF.format(self.work))
        (self.work / "policy.json").write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
        path = ":".join((str(settings.TOOLS), str(settings.binary.parent), "/usr/bin", "/usr/sbin", "/bin", "/sbin"))
        self.environment = {
            "PATH": path, "HOME": str(self.work), "PASSWORD": PASSWORD, "DOCKER_BUILDKIT": "0",
            "CONTAINERS_CONF": str(self.work / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.work / "storage.conf"),
            "REGISTRY_AUTH_FILE": str(self.work / "auth.json"), "XDG_RUNTIME_DIR": str(self.work),
            "BUILDAH_ISOLATION": "chroot",
        }
        self.replaced = {}

    def follow(self, document):
        """Runs the marked blocks as one script, and looks for what each is said to print."""
        blocks = list(BLOCK.finditer((settings.ROOT / document).read_text()))
        self.assertTrue(blocks, f"{document} has no block to run")
        script = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait || true' EXIT\n"
        for number, block in enumerate(blocks):
            script += f"echo '== block {number}'\n{block['script']}"
        script += "echo '== end'\n"
        for old, new in self.replaced.items():
            script = script.replace(old, new)
        done = subprocess.run(["bash"], input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240, cwd=self.work,
                              env=self.environment, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        for number, block in enumerate(blocks):
            part = done.stdout.split(f"== block {number}\n")[1].split("== ")[0]
            if block["expect"]:
                self.assertIn(block["expect"], part, f"{document}, block {number}\n{done.stdout}")

    def remove_images(self):
        run("podman", "rmi", "--all", "--force", env={**os.environ, **self.environment}, check=False)

    def test_readme(self):
        self.replaced = {SHARED_SOURCE: image.multi(), "127.0.0.1:5000": self.own_server().host}
        self.addCleanup(self.remove_images)
        self.follow("README.md")

    def test_podman(self):
        self.replaced = {"127.0.0.1:5000": self.own_server().host}
        self.addCleanup(self.remove_images)
        self.follow("docs/quickstart/podman.md")

    def test_ctl(self):
        self.replaced = {SHARED_SOURCE: image.multi(), "127.0.0.1:5000": self.own_server().host}
        self.addCleanup(self.remove_images)
        self.follow("docs/quickstart/ctl.md")

    @unittest.skipUnless(tools.have_go(), "helm needs Go 1.24 or later")
    def test_helm(self):
        tools.tool("helm")
        self.replaced = {"127.0.0.1:5000": self.own_server().host}
        self.follow("docs/quickstart/helm.md")

    def daemon(self, *command):
        with open(self.work / "daemon.log", "wb") as log:
            process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def answers(self, *command):
        return run(*command, check=False, env={**os.environ, **self.environment}).returncode == 0

    def test_docker(self):
        home = self.work / "docker"
        home.mkdir()
        (home / "daemon.json").write_text(json.dumps({
            "bridge": "none", "iptables": False, "storage-driver": "vfs", "data-root": str(home / "data"),
            "exec-root": str(home / "exec"), "pidfile": str(home / "pid"), "hosts": [f"unix://{home}/socket"],
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 10000, "Hard": 10000}}}))
        self.daemon("dockerd", "--config-file", home / "daemon.json")
        self.environment["DOCKER_HOST"] = f"unix://{home}/socket"
        self.environment["PATH"] = "/usr/bin:/usr/sbin:/bin:/sbin"
        wait_until(lambda: self.answers("docker", "version"), 40, "dockerd answers")
        self.replaced = {"127.0.0.1:5000": self.own_server().host}
        self.follow("docs/quickstart/docker.md")

    def test_containerd(self):
        home = self.work / "containerd"
        home.mkdir()
        (home / "config.toml").write_text(
            f'version = 2\nroot = "{home}/root"\nstate = "{home}/state"\n'
            f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "{home}/socket"\n')
        self.daemon("containerd", "-c", home / "config.toml")
        self.environment["CONTAINERD_ADDRESS"] = f"{home}/socket"
        wait_until(lambda: self.answers("ctr", "version"), 20, "containerd answers")
        plain, secure = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        (self.work / "hello").mkdir()
        (self.work / "hello/Containerfile").write_text(
            'FROM scratch\nCOPY busybox /bin/busybox\nCMD ["/bin/busybox", "echo", "hello from Entrepot"]\n')
        (self.work / "hello/busybox").write_bytes(open(image.busybox(), "rb").read())
        (self.work / "hello/busybox").chmod(0o755)
        run("podman", "build", "-t", f"{plain}/library/hello:1", self.work / "hello",
            env={**os.environ, **self.environment})
        self.addCleanup(self.remove_images)
        self.replaced = {"127.0.0.1:5000": plain, "127.0.0.1:5443": secure,
                         "/etc/containerd/certs.d": str(self.work / "certs.d")}
        self.follow("docs/quickstart/containerd.md")
