"""Container runtimes of a node, each in a folder of its own, that pull through the node's agent.

All of them have: start() and stop(), use(agent), pull(name, user, password) as it ended, has(name), and forget(name),
after which none of the image's bytes are left in the runtime, so that the next pull needs all of them again. `name` is
REPOSITORY:TAG. Daemons run in a mount namespace of their own, so no mount outlives them."""
import base64
import json
import os
import shutil
import subprocess

from . import settings, tools
from .scenario import run
from .server import PASSWORD, wait_until

# As Debian installs them; another `docker` on the PATH may be too new for this daemon.
DOCKER, DOCKERD = "/usr/bin/docker", "/usr/sbin/dockerd"


class Daemon:
    """A program that goes on until stop(), which ends it by its process id."""

    def __init__(self, log, *command):
        self.log_path = log
        self.command = ["unshare", "--mount", *(str(part) for part in command)]
        self.process = None

    def start(self, answers, what):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(lambda: self.runs() and answers(), 120, f"{what} answers")
        except AssertionError as error:
            raise AssertionError(f"{error}; the log of {what}: {self.log()}") from error

    def runs(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.command} ended with {self.process.returncode}")
        return True

    def log(self):
        return self.log_path.read_text(errors="replace")[-3000:]

    def stop(self):
        if not self.process or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Runtime:
    """`registry` is the name that images have: host and port."""

    def __init__(self, home, registry):
        self.home = home
        self.registry = registry
        self.agent = None
        home.mkdir()

    def mirror(self, command, *more):
        """install-mirror or remove-mirror, for this runtime's files."""
        registry = ["--registry", "http://" + self.registry]
        return run(settings.binary, "agent", command, *self.mirror_files(), *registry, *more)

    def mirror_traces(self):
        """What is where those files go."""
        where = self.mirror_files()[1]
        return sorted(where.rglob("*")) if where.is_dir() else [where] if where.exists() else []

    def use(self, agent):
        self.agent = agent
        self.mirror("install-mirror", "--agent", "http://" + agent.host)

    def start(self):
        pass

    def stop(self):
        pass


class Podman(Runtime):
    def __init__(self, home, registry):
        super().__init__(home, registry)
        (home / "containers.conf").write_text('[engine]\nevents_logger="none"\ncgroup_manager="cgroupfs"\n')
        (home / "auth.json").write_text("{}")
        (home / "nothing.conf").write_text("")
        self.mirror_file = home / "registries.conf"

    def mirror_files(self):
        return ["--podman", self.mirror_file]

    def __call__(self, *arguments, **more):
        storage = ["--root", self.home / "root", "--runroot", self.home / "run", "--storage-driver", "vfs"]
        environment = {**os.environ, "CONTAINERS_CONF": str(self.home / "containers.conf"), "HOME": str(self.home),
                       "CONTAINERS_REGISTRIES_CONF":
                           str(self.mirror_file if self.mirror_file.exists() else self.home / "nothing.conf"),
                       "REGISTRY_AUTH_FILE": str(self.home / "auth.json"), "TMPDIR": str(self.home)}
        return run("podman", *storage, *arguments, env=environment, **more)

    def pull(self, name, user=None, password=PASSWORD):
        """With log-ins as `podman login` leaves them, at the registry and at the agent."""
        logins = {}
        if user:
            entry = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
            logins = {self.registry: entry, self.agent.host: entry}
        (self.home / "auth.json").write_text(json.dumps({"auths": logins}))
        # The mirror's file says of both names that they are without TLS.
        plain = [] if self.mirror_file.exists() else ["--tls-verify=false"]
        return self("pull", "-q", *plain, f"{self.registry}/{name}", check=False)

    def has(self, name):
        return self("image", "exists", f"{self.registry}/{name}", check=False).returncode == 0

    def forget(self, name):
        self("rmi", "--force", f"{self.registry}/{name}")


class Containerd(Runtime):
    """By its CRI plugin, which is how a kubelet pulls."""

    def __init__(self, home, registry):
        super().__init__(home, registry)
        self.socket = home / "socket"
        self.daemon = Daemon(home / "log", "containerd", "-c", home / "config.toml")

    def mirror_files(self):
        return ["--containerd", self.home / "certs.d"]

    def start(self):
        (self.home / "config.toml").write_text(
            f'version = 2\nroot = "{self.home}/root"\nstate = "{self.home}/state"\n'
            f'[grpc]\naddress = "{self.socket}"\n'
            f'[plugins."io.containerd.internal.v1.opt"]\npath = "{self.home}/opt"\n'
            '[plugins."io.containerd.grpc.v1.cri"]\ndisable_cgroup = true\ndisable_apparmor = true\n'
            '[plugins."io.containerd.grpc.v1.cri".containerd]\nsnapshotter = "native"\n'
            f'[plugins."io.containerd.grpc.v1.cri".cni]\nconf_dir = "{self.home}/cni"\n'
            f'[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "{self.home}/certs.d"\n')
        self.daemon.start(lambda: self.socket.exists() and self("ready", check=False).returncode == 0, "containerd")

    def stop(self):
        self.daemon.stop()

    def __call__(self, *arguments, **more):
        return run(tools.tool("cri"), self.socket, *arguments, **more)

    def pull(self, name, user=None, password=PASSWORD):
        """With a pod's pull secret in the request, as a kubelet makes it."""
        return self("pull", f"{self.registry}/{name}", *([user, password] if user else []), check=False)

    def has(self, name):
        return f"{self.registry}/{name}" in self("images").stdout.split()

    def forget(self, name):
        self("remove", f"{self.registry}/{name}")

    def unpacked(self):
        """Files of layers, as containers would see them; each snapshot has those of the ones below too."""
        snapshots = self.home / "root/io.containerd.snapshotter.v1.native/snapshots"
        return [path for path in snapshots.rglob("*") if path.is_file()]


class Docker(Runtime):
    """Has no mirrors but for Docker Hub: images are named by the agent."""

    def __init__(self, home, registry):
        super().__init__(home, registry)
        self.socket = home / "socket"
        (home / "containerd").mkdir()
        (home / "containerd/config.toml").write_text(
            f'version = 2\nroot = "{home}/containerd/root"\nstate = "{home}/containerd/state"\n'
            f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "{home}/containerd/socket"\n'
            f'[plugins."io.containerd.internal.v1.opt"]\npath = "{home}/containerd/opt"\n')
        # It would write a key into /etc/docker.
        (home / "daemon.json").write_text(json.dumps({"deprecated-key-path": str(home / "key.json")}))
        self.containerd = Daemon(home / "containerd/log", "containerd", "-c", home / "containerd/config.toml")
        self.daemon = Daemon(
            home / "log", DOCKERD, "--config-file", home / "daemon.json", "--data-root", home / "data", "--exec-root",
            home / "exec", "--pidfile", home / "pid", "-H", f"unix://{self.socket}", "--containerd",
            home / "containerd/socket", "--storage-driver=vfs", "--bridge=none", "--iptables=false",
            "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")

    def use(self, agent):
        self.agent = agent

    def start(self):
        self.containerd.start((self.home / "containerd/socket").exists, "docker's containerd")
        self.daemon.start(lambda: self.socket.exists() and self("version", check=False).returncode == 0, "dockerd")

    def stop(self):
        self.daemon.stop()
        self.containerd.stop()

    def __call__(self, *arguments, **more):
        return run(DOCKER, "--config", self.home / "client", "-H", f"unix://{self.socket}", *arguments, **more)

    def login(self, user, password):
        """What `docker login` ended with."""
        shutil.rmtree(self.home / "client", ignore_errors=True)
        return self("login", "-u", user, "-p", password, self.agent.host, check=False)

    def pull(self, name, user=None, password=PASSWORD):
        """With the file that `docker login` leaves, also where it would have left none."""
        shutil.rmtree(self.home / "client", ignore_errors=True)
        (self.home / "client").mkdir()
        if user:
            auth = base64.b64encode(f"{user}:{password}".encode()).decode()
            (self.home / "client/config.json").write_text(json.dumps({"auths": {self.agent.host: {"auth": auth}}}))
        return self("pull", "-q", f"{self.agent.host}/{name}", check=False)

    def has(self, name):
        return self("image", "inspect", f"{self.agent.host}/{name}", check=False).returncode == 0

    def forget(self, name):
        self("rmi", "--force", f"{self.agent.host}/{name}")
        # It keeps the manifests that it has read until its containerd next cleans up, and asks for none that it has.
        store = ["ctr", "-a", self.home / "containerd/socket", "-n", "moby", "content"]
        kept = run(*store, "ls", "-q").stdout.split()
        if kept:
            run(*store, "rm", *kept)
