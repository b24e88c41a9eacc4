"""The base of the scenarios: a shared server, and what is found on the machine."""
import functools
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest
import uuid

from . import settings
from .registry import Registry
from .server import PASSWORD, Server


def run(*command, check=True, timeout=180, **more):
    """Runs a program; a failure shows what it said."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout,
                          check=False, stdin=subprocess.DEVNULL, **more)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done


shared = []


def shared_server():
    """One for all; where a test has brought it down, that test failed, and the next ones get another."""
    if not shared or shared[-1].process.poll() is not None:
        shared.append(Server().start())
    return shared[-1]


def close_shared_server():
    for server in shared:
        server.close()


class Scenario(unittest.TestCase):
    """Gives each test a project of its own on the shared server, and a temporary directory."""

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="entrepot-scenario-"))
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        self.random = random.Random(settings.seed)

    @functools.cached_property
    def host(self):
        return settings.foreign or shared_server().host

    @functools.cached_property
    def project(self):
        return "p" + uuid.uuid4().hex[:10]

    def client(self, server=None, user="admin", password=PASSWORD, **more):
        client = Registry(server.host if server else self.host, user, password, **more)
        self.addCleanup(client.close)
        return client

    def auth_file(self, host=None):
        """A containers-auth.json(5) that holds the admin's log-in, as `podman login` leaves it."""
        path = self.work / "auth.json"
        if not path.exists() and not settings.foreign:
            run("skopeo", "login", "--tls-verify=false", "--authfile", path, "-u", "admin", "-p", PASSWORD,
                host or self.host)
        return path

    def auth_arguments(self, host=None):
        return [] if settings.foreign else ["--authfile", str(self.auth_file(host))]

    def own_server(self, **more):
        server = Server(**more)
        self.addCleanup(server.close)
        return server.start()


def root_only(test):
    return unittest.skipUnless(os.geteuid() == 0, "needs root")(test)
