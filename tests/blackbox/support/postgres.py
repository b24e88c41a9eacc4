"""A PostgreSQL 15 cluster of our own on a free loopback port, run as the postgres user where we are root."""
import atexit
import functools
import os
import pathlib
import shutil
import tempfile
import uuid

from .scenario import run
from .server import free_port

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")


class Postgres:
    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="entrepot-postgres-", dir="/tmp"))
        self.port = free_port()
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres", "postgres")
        self.call("initdb", "-D", self.home / "data", "-A", "trust", "-U", "postgres", "-N", "--locale=C.UTF-8")
        settings = (f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n"
                    f"unix_socket_directories = '{self.home}'\nmax_connections = 200\n")
        with open(self.home / "data/postgresql.conf", "a", encoding="ascii") as file:
            file.write(settings)

    def call(self, program, *arguments, **more):
        user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] if os.geteuid() == 0 else []
        return run(*user, "env", "LC_ALL=C.UTF-8", PROGRAMS / program, *arguments, cwd="/", **more)

    def start(self):
        self.call("pg_ctl", "-D", self.home / "data", "-l", self.home / "log", "-w", "start")
        return self

    def stop(self, mode="fast"):
        self.call("pg_ctl", "-D", self.home / "data", "-m", mode, "-w", "stop", check=False)

    def fresh_database(self):
        name = "e" + uuid.uuid4().hex[:12]
        self.call("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-T", "template0", name)
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def close(self):
        self.stop("immediate")
        shutil.rmtree(self.home, ignore_errors=True)


@functools.cache
def shared_cluster():
    cluster = Postgres().start()
    atexit.register(cluster.close)
    return cluster
