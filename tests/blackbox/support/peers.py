"""Registries of others, with a directory of their own and no log-in."""
import json
import pathlib
import shutil
import subprocess
import tempfile

from .registry import Registry
from .server import free_port, wait_until
from .tools import have_go, tool


class Distribution:
    """CNCF Distribution: 2.8 as Debian has it (docker-registry), or 3."""

    def __init__(self, program="docker-registry"):
        self.program = program
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="entrepot-upstream-"))
        self.host = f"127.0.0.1:{free_port()}"
        configuration = {
            "version": "0.1",
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": str(self.home / "data")}},
            "http": {"addr": self.host},
        }
        (self.home / "config.yml").write_text(json.dumps(configuration))
        self.process = None

    def start(self):
        self.process = subprocess.Popen([self.program, "serve", str(self.home / "config.yml")],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, 20, f"{self.program} answers")
        return self

    def answers(self):
        try:
            return Registry(self.host, user=None).raw("GET", "/v2/").status == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def programs():
    """Those that are here, by name."""
    found = {}
    if shutil.which("docker-registry"):
        found["2.8"] = "docker-registry"
    if have_go():
        found["3"] = tool("distribution")
    return found
