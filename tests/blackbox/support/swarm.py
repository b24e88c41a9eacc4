"""Agents on this machine: `entrepot agent` beside a registry that has a swarm."""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import urllib.request

from . import settings
from .registry import Registry
from .server import free_port, wait_until

SWARM = {"ENTREPOT_SWARM_ENABLED": "true", "ENTREPOT_SWARM_CONTROL_PORT": "0", "ENTREPOT_SWARM_PEER_PORT": "0",
         "ENTREPOT_SWARM_BINDING": "127.0.0.1"}


class NodeClient(Registry):
    """Pulls from an agent, and logs in where its challenge says: at the registry."""

    def token(self, challenge):
        realm = re.search(r'realm="https?://([^/"]+)', challenge)[1]
        registry = Registry(realm, self.user, self.password)
        try:
            return registry.token(challenge)
        finally:
            registry.close()


class Agent:
    """One node's agent on free loopback ports, with what it keeps in `home`. Other nodes find it at `address`; it is
    started, and asked, within `place()`: such as a network namespace that the thread enters meanwhile."""

    def __init__(self, home, registry, token_file, name, zone="z1", arguments=(), address="127.0.0.1",
                 place=contextlib.nullcontext):
        self.home = pathlib.Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.place = place
        self.port, self.metrics_port, self.peer_port = free_port(), free_port(), free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.log_path = self.home / "agent.log"
        self.command = [str(settings.binary), "agent", "--registry", registry, "--listen", self.host,
                        "--peer-listen", f"{address}:{self.peer_port}", "--data", str(self.home / "data"),
                        "--node", name, "--zone", zone, "--bootstrap-token-file", str(token_file),
                        "--metrics-listen", f"127.0.0.1:{self.metrics_port}", *arguments]
        self.process = None

    def start(self, swarm=True):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ENTREPOT_")}
        with open(self.log_path, "ab") as log:
            with self.place():
                self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                env=inherited)
        wait_until(lambda: self.health() is not None, 30, f"{self.name} answers; its log: {self.log()}")
        if swarm:
            wait_until(self.connected, 30, f"{self.name} is in the swarm; its log: {self.log()}")
        return self

    def health(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}: {self.log()}")
        try:
            with self.place(), urllib.request.urlopen(f"http://{self.host}/healthz", timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return None

    def connected(self):
        health = self.health()
        return health is not None and health["swarm_connected"]

    def metric(self, name, **labels):
        """The sum of a metric's samples that have these labels."""
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with self.place(), urllib.request.urlopen(url, timeout=5) as answer:
            text = answer.read().decode()
        found = [float(value) for labelled, value in re.findall(rf"^{name}(\{{[^}}]*\}})? (\S+)$", text, re.M)
                 if all(f'{key}="{wanted}"' in labelled for key, wanted in labels.items())]
        if not found:
            raise AssertionError(f"no {name} {labels} among\n{text}")
        return sum(found)

    def log(self):
        return self.log_path.read_text(errors="replace")[-3000:] if self.log_path.exists() else "(none)"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            return self.process.wait(timeout=60)
        return None
