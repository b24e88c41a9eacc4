"""Sites: registries in network namespaces of their own, joined by links of a given rate that can be cut."""
import os

from .scenario import run
from .server import Server


class Site(Server):
    """One instance in a namespace. Its process lives and dies as any Server's; its link is cut and joined here."""

    def __init__(self, network, letter, **more):
        super().__init__(**more)
        self.network = network
        self.namespace = f"{network.name}{letter}"
        self.link = f"{network.name}v{letter}"
        self.address = network.next_address()
        self.host = f"{self.address}:{self.port}"
        self.wrapper = ["ip", "netns", "exec", self.namespace]

    def pid(self):
        return self.process.pid  # the wrapper has become the server

    def cut(self):
        run("ip", "link", "set", self.link, "down")

    def join(self):
        run("ip", "link", "set", self.link, "up")

    def received(self):
        """Bytes that came into the site over its link, with all headers."""
        fields = run("ip", "netns", "exec", self.namespace, "cat", "/sys/class/net/eth0/statistics/rx_bytes")
        return int(fields.stdout)


class Network:
    """A bridge that sites hang on. The tests' own process reaches them over it, at no rate."""

    def __init__(self, test, mbit):
        if os.geteuid() != 0:
            test.fail("this test makes network namespaces and has to run as root")
        self.test = test
        self.mbit = mbit
        self.name = f"e{os.getpid() % 0xfffff:x}"
        # One of the private networks that nobody here has, unlike another run's.
        self.prefix = f"10.{64 + os.getpid() % 128}.{os.getpid() // 128 % 256}"
        self.last = 0
        self.bridge = self.name + "br"
        run("ip", "link", "add", self.bridge, "type", "bridge")
        test.addCleanup(run, "ip", "link", "del", self.bridge, check=False)
        run("ip", "addr", "add", f"{self.prefix}.254/24", "dev", self.bridge)
        run("ip", "link", "set", self.bridge, "up")

    def next_address(self):
        self.last += 1
        return f"{self.prefix}.{self.last}"

    def site(self, letter, **more):
        site = Site(self, letter, **more)
        run("ip", "netns", "add", site.namespace)
        self.test.addCleanup(run, "ip", "netns", "del", site.namespace, check=False)
        self.test.addCleanup(site.close)
        run("ip", "link", "add", site.link, "type", "veth", "peer", "name", "eth0", "netns", site.namespace)
        run("ip", "link", "set", site.link, "master", self.bridge, "up")
        inside = ["ip", "-n", site.namespace]
        run(*inside, "addr", "add", f"{site.address}/24", "dev", "eth0")
        run(*inside, "link", "set", "eth0", "up")
        run(*inside, "link", "set", "lo", "up")
        for tc, device in ((["tc", "-n", site.namespace], "eth0"), (["tc"], site.link)):
            run(*tc, "qdisc", "add", "dev", device, "root", "tbf", "rate", f"{self.mbit}mbit", "burst", "256kb", "latency", "50ms")
        return site
