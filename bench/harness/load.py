"""Runs the load generator beside the server's counters: one call is one cell of a table."""
import json
import pathlib
import subprocess
import tempfile

from . import processes

LONGEST_CELL = 700


class LoadFailed(Exception):
    pass


class Generator:
    def __init__(self, binary, scratch):
        self.binary = str(binary)
        self.scratch = pathlib.Path(scratch)
        self.paths = {}

    def file_of(self, lines):
        """A file with these lines; the same lines make the same file."""
        key = tuple(lines)
        if key not in self.paths:
            with tempfile.NamedTemporaryFile("w", dir=self.scratch, suffix=".txt", delete=False) as file:
                file.write("\n".join(key) + "\n")
            self.paths[key] = file.name
        return self.paths[key]

    def run(self, server, arguments, connections=1, seconds=None, tls=False):
        """What the generator saw, with the server's CPU-seconds, and its peak memory in MB."""
        command = [self.binary, *arguments, "--target", server.tls_endpoint if tls else server.endpoint,
                   "-c", str(connections), "--wait"]
        if seconds is not None:
            command += ["--seconds", str(seconds)]
        if tls:
            command.append("--tls")
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as load:
            try:
                if load.stdout.readline().strip() != "ready":
                    raise LoadFailed(f"{server.name}: {load.stderr.read().strip()}")
                for pid in server.pids:
                    processes.reset_peak(pid)
                before = [processes.cpu_seconds(pid) for pid in server.pids]
                print(file=load.stdin, flush=True)
                line = load.stdout.readline()
                after = [processes.cpu_seconds(pid) for pid in server.pids]
                peak = processes.peak_mb(server.pids[0])
                _, complaints = load.communicate(timeout=LONGEST_CELL)
            finally:
                if load.poll() is None:
                    load.kill()
        if not line:
            raise LoadFailed(f"{server.name}: {complaints.strip()}")
        seen = json.loads(line)
        seen["cpu"] = sum(after) - sum(before)
        seen["peak_mb"] = peak
        seen["connections"] = connections
        seen["complaints"] = complaints.strip()
        return seen
