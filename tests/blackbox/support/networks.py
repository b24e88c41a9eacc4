"""A registry and nodes in network namespaces of this machine, with links of given rates. Needs root and iproute2.

What a thread starts or connects to while it has entered() a namespace is in there; other threads notice nothing."""
import contextlib
import ctypes
import itertools
import json
import os
import pathlib

from .scenario import run

REGISTRY = "registry"
NAMESPACES = pathlib.Path("/run/netns")
# Of all our namespaces; the id of the process that has made them comes next.
PREFIX = "entrepot-"
libc = ctypes.CDLL(None, use_errno=True)


def set_namespace(path):
    """Of the calling thread, for the network alone."""
    with open(path, "rb") as file:
        if libc.setns(file.fileno(), 0x40000000):  # CLONE_NEWNET; os.setns is of Python 3.12
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))


def remove_leftovers(mark):
    """Of runs that were killed: their process is gone, or its id is ours now, so that what has our mark is theirs."""
    for space in NAMESPACES.glob(PREFIX + "*"):
        pid = space.name.removeprefix(PREFIX).split("-")[0]
        if space.name.startswith(mark + "-") or not pathlib.Path("/proc", pid).exists():
            run("ip", "netns", "del", space.name, check=False)


class Network:
    """REGISTRY and the nodes 0, 1, …, each a member with a namespace and a link to a switch, shaped both ways.

    The switch has a namespace too: the machine's own has nothing of it, so networks with the same addresses don't meet,
    neither firewall nor other interfaces matter, and all links go with that one."""

    made = itertools.count()

    def __init__(self, nodes, mbit, registry_mbit):
        self.mark = f"{PREFIX}{os.getpid()}-{next(self.made)}"
        self.spaces = []
        remove_leftovers(self.mark)
        try:
            self.switch = self._space("switch")
            run("ip", "-n", self.switch, "link", "add", "name", "switch", "type", "bridge")
            run("ip", "-n", self.switch, "link", "set", "dev", "switch", "up")
            self._add(REGISTRY, registry_mbit)
            for node in range(nodes):
                self._add(node, mbit)
        except BaseException:
            self.close()
            raise

    def _space(self, name):
        space = f"{self.mark}-{name}"
        self.spaces.append(space)
        run("ip", "netns", "add", space)
        return space

    def _add(self, member, mbit):
        space, port = self._space(member), self._port(member)
        switch = ["ip", "-n", self.switch, "link"]
        run(*switch, "add", "name", port, "type", "veth", "peer", "name", "eth0", "netns", space)
        run(*switch, "set", "dev", port, "master", "switch", "up")
        run("ip", "-n", space, "addr", "add", f"{self.address(member)}/16", "dev", "eth0")
        for link in ("eth0", "lo"):
            run("ip", "-n", space, "link", "set", "dev", link, "up")
        for where, link in ((space, "eth0"), (self.switch, port)):
            run("tc", "-n", where, "qdisc", "add", "dev", link, "root", "tbf", "rate", f"{mbit}mbit", "burst", "256kb",
                "latency", "50ms")

    @staticmethod
    def _port(member):
        return f"to-{member}"

    @staticmethod
    def address(member):
        number = 1 if member == REGISTRY else member + 2
        return f"10.203.{number // 250}.{number % 250 + 1}"

    def inside(self, member, *command):
        """A command line that runs `command` in its namespace; the process becomes the command, so its pid is that."""
        return ["ip", "netns", "exec", f"{self.mark}-{member}", *map(str, command)]

    @contextlib.contextmanager
    def entered(self, member):
        """Has the calling thread in its namespace until the end. Sockets stay where they were made."""
        with open("/proc/thread-self/ns/net", "rb") as before:
            set_namespace(NAMESPACES / f"{self.mark}-{member}")
            try:
                yield
            finally:
                set_namespace(f"/proc/self/fd/{before.fileno()}")

    def sent(self, member):
        """Bytes that have left it by its link, with all heads."""
        shown = run("ip", "-n", f"{self.mark}-{member}", "-s", "-j", "link", "show", "dev", "eth0").stdout
        return json.loads(shown)[0]["stats64"]["tx"]["bytes"]

    def set_link(self, member, state):
        """`up` or `down`: as a cable that is pulled out at the switch. Connections stay, and nothing comes through."""
        run("ip", "-n", self.switch, "link", "set", "dev", self._port(member), state)

    def set_apart(self, *members):
        """Nothing goes from one of these to another any more; everybody else reaches them all."""
        for member in members:
            run("ip", "-n", self.switch, "link", "set", "dev", self._port(member), "type", "bridge_slave", "isolated",
                "on")

    def close(self):
        for space in self.spaces:
            run("ip", "netns", "del", space, check=False)
