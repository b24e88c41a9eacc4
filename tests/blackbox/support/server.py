"""Starts and ends `entrepot serve` the way an operator would."""
import fcntl
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from . import settings

PASSWORD = "Blackbox1pass"


class _Ports:
    """Ports of loopback for servers that start a little later. They are below those that the kernel gives to outgoing
    connections, so that none of these takes one meanwhile, and locked against other runs on this machine."""
    first, count = 20_000, 12_000

    def __init__(self):
        self.locks = os.open(pathlib.Path(tempfile.gettempdir(), "entrepot-test-ports"), os.O_RDWR | os.O_CREAT, 0o666)
        self.after = random.SystemRandom().randrange(self.count)
        self.mutex = threading.Lock()

    def take(self):
        with self.mutex:
            for _ in range(self.count):
                self.after = (self.after + 1) % self.count
                port = self.first + self.after
                if self.is_free(port):
                    return port
        raise AssertionError("no port of loopback is free")

    def is_free(self, port):
        try:
            fcntl.lockf(self.locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_ports = _Ports()
free_port = _ports.take


def wait_until(condition, seconds, what):
    """Waits for something that must come to be; the time is a limit for a hang, not an expectation."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


class Server:
    """One instance on a free port of loopback, or of another `address`. A data directory that is not given is made, and
    removed by close()."""

    def __init__(self, data=None, arguments=(), environment=None, wrapper=(), database=None, address="127.0.0.1"):
        self._made = None if data else tempfile.mkdtemp(prefix="entrepot-blackbox-")
        self.data = pathlib.Path(data or pathlib.Path(self._made, "data"))
        self.log_path = pathlib.Path(self._made or self.data.parent, f"server-{os.getpid()}-{id(self)}.log")
        self.port = free_port()
        self.host = f"{address}:{self.port}"
        self.wrapper = list(wrapper)
        self.arguments = list(arguments)
        self.database = database or self._fresh_database()
        self.environment = environment or {}
        self.process = None

    @staticmethod
    def _fresh_database():
        if settings.database != "postgres":
            return settings.database
        from .postgres import shared_cluster  # it needs this module itself
        return shared_cluster().fresh_database()

    def command(self):
        database = ["--database", self.database] if self.database else []
        return [*self.wrapper, str(settings.binary), "serve", "--listen", self.host, "--data", str(self.data),
                *database, *self.arguments]

    def start(self, ready=True):
        # An unknown ENTREPOT_ variable is an error to it, and ours are not for it.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ENTREPOT_")}
        environment = {**inherited, "ENTREPOT_ADMIN_PASSWORD": PASSWORD, **self.environment}
        environment = {name: value for name, value in environment.items() if value is not None}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment, start_new_session=True)
        if ready:
            wait_until(self.answers, 30, f"the server answers; its log: {self.log_tail()}")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}: {self.log_tail()}")
        return self.status("/readyz") == 200

    def status(self, path):
        """The status of one plain GET, or 0 when no answer came."""
        try:
            with socket.create_connection(tuple(self.host.rsplit(":", 1)), timeout=10) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n\r\n".encode())
                head = connection.recv(4096)
            return int(head.split(b" ")[1]) if head.startswith(b"HTTP/1.1 ") else 0
        except (OSError, IndexError, ValueError):
            return 0

    def pid(self):
        """The server's own process, also where it runs below a wrapper such as strace."""
        if not self.wrapper:
            return self.process.pid
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def stop(self, seconds=70):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            os.kill(self.pid(), signal.SIGTERM)
        return self.process.wait(timeout=seconds)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def log_tail(self):
        try:
            return self.log_path.read_text(errors="replace")[-3000:]
        except OSError:
            return "(none)"

    def close(self):
        if self.process and self.process.poll() is None:
            self.stop()
        if self._made:
            shutil.rmtree(self._made, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()
