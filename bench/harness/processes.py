"""Server processes: starting and stopping them, and what /proc says about them and their children."""
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid):
    """The pid's descendants, as they are now."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        try:
            pids = (task / "children").read_text().split()
        except OSError:
            continue
        for child in map(int, pids):
            found += [child, *children(child)]
    return found


def _stat(pid):
    """The fields of /proc/PID/stat after the command's name: [0] is field 3, the state."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid):
    """utime+stime of the process and its descendants, with those it has already waited for."""
    total = 0
    for each in [pid, *children(pid)]:
        try:
            fields = _stat(each)
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
        total += int(fields[13]) + int(fields[14])
    return total / TICKS


def _memory(pid, key):
    total = 0
    for each in [pid, *children(pid)]:
        try:
            lines = pathlib.Path(f"/proc/{each}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith(key + ":"))
    return total / 1024


def peak_mb(pid):
    return _memory(pid, "VmHWM")


def resident_mb(pid):
    return _memory(pid, "VmRSS")


def reset_peak(pid):
    for each in [pid, *children(pid)]:
        try:
            pathlib.Path(f"/proc/{each}/clear_refs").write_text("5")
        except OSError:
            pass


def answers(url):
    """True when there is an HTTP server: any status will do."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:
        pass
    except OSError:
        return False
    return True


class Process:
    """A server that is ended by its pid, politely first."""

    def __init__(self, command, log, env=None, cwd=None, user=None):
        self.log = pathlib.Path(log)
        self.output = open(self.log, "ab")
        # A machine's own certificate settings upset docker-registry.
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "ENTREPOT_"))} | (env or {})
        self.process = subprocess.Popen(command, stdout=self.output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        env=env, cwd=cwd, user=user, group=user, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def wait_until(self, ready, seconds=30):
        end = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"{self.process.args[0]} did not come up:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self, how=signal.SIGTERM, seconds=30):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.output.close()
