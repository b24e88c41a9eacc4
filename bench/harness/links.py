"""Network namespaces with shaped lines between them, and a plain one to each by which a script asks. Needs root."""
import os
import pathlib
import subprocess
import threading
import time


def ip(*words, check=True):
    return subprocess.run(["ip", *map(str, words)], check=check, capture_output=True, text=True)


def add_space(space, network):
    """A namespace, and the script's own way to it, which is .2 of the network."""
    outside = f"{space}c"
    ip("netns", "add", space)
    ip("-n", space, "link", "set", "lo", "up")
    ip("link", "add", outside, "type", "veth", "peer", "name", "control", "netns", space)
    ip("addr", "add", f"{network}.1/30", "dev", outside)
    ip("link", "set", outside, "up")
    ip("-n", space, "addr", "add", f"{network}.2/30", "dev", "control")
    ip("-n", space, "link", "set", "control", "up")


def remove_space(space):
    ip("link", "del", f"{space}c", check=False)
    ip("netns", "del", space, check=False)


def inside(space, command):
    return ["ip", "netns", "exec", space, *map(str, command)]


def carry(binary, left, right, megabits, round_trip):
    """entrepot_link between two devices (NAMESPACE:DEVICE) that are there and up; the round trip in seconds."""
    shim = subprocess.Popen(
        [binary, "--left", left, "--right", right, "--delay-us", str(round(round_trip / 2 * 1e6)),
         "--bits-a-second", str(megabits * 1_000_000), "--queue-ms", "100"], stdout=subprocess.PIPE, text=True)
    if shim.stdout.readline().strip() != "ready":
        raise RuntimeError("entrepot_link did not come up")
    return shim


class Pair:
    """`left` and `right` with the line between 10.201.0.1 and 10.201.0.2, and the script's own way to 10.202.N.2."""
    LEFT, RIGHT = "10.201.0.1", "10.201.0.2"

    def __init__(self):
        mark = f"eb{os.getpid()}"
        self.left, self.right = mark + "l", mark + "r"
        self.controls = {self.left: "10.202.1", self.right: "10.202.2"}
        self.shim = None

    def __enter__(self):
        try:
            for space, network in self.controls.items():
                add_space(space, network)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.unplug()
        for space in self.controls:
            remove_space(space)

    def control(self, space, port):
        return f"{self.controls[space]}.2:{port}"

    def inside(self, space, command):
        return inside(space, command)

    def unplug(self):
        if self.shim:
            self.shim.kill()
            self.shim.wait()
            self.shim = None
        for space in self.controls:
            ip("-n", space, "link", "del", "line", check=False)

    def _address(self):
        for space, address in ((self.left, self.LEFT), (self.right, self.RIGHT)):
            ip("-n", space, "addr", "add", f"{address}/30", "dev", "line")
            ip("-n", space, "link", "set", "line", "up")

    def plug(self, megabits):
        """A line of this rate both ways, by the kernel's token bucket."""
        self.unplug()
        ip("link", "add", "line", "netns", self.left, "type", "veth", "peer", "name", "line", "netns", self.right)
        self._address()
        for space in self.controls:
            subprocess.run(["tc", "-n", space, "qdisc", "add", "dev", "line", "root", "tbf", "rate", f"{megabits}mbit",
                            "burst", "1mb", "latency", "50ms"], check=True)

    def plug_far(self, binary, megabits, round_trip):
        """One with this round trip in seconds besides, by entrepot_link: not every kernel has netem."""
        self.unplug()
        for space in self.controls:
            ip("-n", space, "tuntap", "add", "dev", "line", "mode", "tun")
        self._address()
        self.shim = carry(binary, f"{self.left}:line", f"{self.right}:line", megabits, round_trip)

    def received(self, space):
        """Bytes that came over the line so far."""
        text = ip("netns", "exec", space, "cat", "/sys/class/net/line/statistics/rx_bytes").stdout
        return int(text)

    def _reset(self, action):
        for chain, direction in (("INPUT", "-i"), ("OUTPUT", "-o")):
            subprocess.run(self.inside(self.right, ["iptables", action, chain, direction, "line", "-p", "tcp", "-j",
                                                    "REJECT", "--reject-with", "tcp-reset"]), check=True)

    def break_off(self, seconds=0.5):
        """Every connection over the line ends, and for so long none begins."""
        self._reset("-I")
        time.sleep(seconds)
        self._reset("-D")


class Star:
    """`middle`, and a line from it to each of `arms`: to the first between 10.203.1.1 and 10.203.1.2, and so on. Packets are
    of 9,000 bytes, which the lines' processes carry more cheaply."""

    def __init__(self, binary, arms, megabits, round_trip):
        mark = f"eb{os.getpid()}"
        self.middle, self.arms = mark + "m", [f"{mark}a{number}" for number in range(arms)]
        self.controls = {space: f"10.202.{number}" for number, space in enumerate([self.middle, *self.arms], 10)}
        self.line = (binary, megabits, round_trip)
        self.shims = []

    def __enter__(self):
        binary, *line = self.line
        try:
            for space, network in self.controls.items():
                add_space(space, network)
            for number, arm in enumerate(self.arms, 1):
                ends = {self.middle: f"line{number}", arm: "line"}
                for (space, device), last in zip(ends.items(), (1, 2)):
                    ip("-n", space, "tuntap", "add", "dev", device, "mode", "tun")
                    ip("-n", space, "addr", "add", f"10.203.{number}.{last}/30", "dev", device)
                    ip("-n", space, "link", "set", device, "mtu", "9000", "up")
                self.shims.append(carry(binary, f"{self.middle}:line{number}", f"{arm}:line", *line))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for shim in self.shims:
            shim.kill()
            shim.wait()
        for space in self.controls:
            remove_space(space)

    def control(self, space, port):
        return f"{self.controls[space]}.2:{port}"

    def address(self, arm):
        return f"10.203.{self.arms.index(arm) + 1}.2"

    def middle_from(self, arm):
        return f"10.203.{self.arms.index(arm) + 1}.1"


class Breaks:
    """Breaks the line every so many seconds while it is entered."""

    def __init__(self, pair, every):
        self.pair, self.every, self.count = pair, every, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.ended.wait(self.every):
            self.pair.break_off()
            self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def is_possible():
    return os.geteuid() == 0 and pathlib.Path("/dev/net/tun").exists()
