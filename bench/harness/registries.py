"""Instances of entrepot that a script starts, what it asks of them, and what they cost."""
import http.client
import json
import pathlib
import random
import re
import resource
import time
import urllib.parse
import urllib.request

from . import content, processes
from .servers import PASSWORD

BASIC = {"Authorization": content.basic("admin", PASSWORD)}


class Api:
    """The management API and pushes as the admin, over one connection."""

    def __init__(self, host):
        self.connection = http.client.HTTPConnection(host, timeout=600)

    def call(self, method, path, body=None, media_type="application/json", status=(200, 201, 202), headers=None):
        if body is not None and media_type == "application/json":
            body = json.dumps(body)
        self.connection.request(method, path, body, {**(headers or BASIC), "Content-Type": media_type})
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status not in status:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
        return answer, data

    def get(self, path):
        return json.loads(self.call("GET", "/api/v2.0" + path)[1])

    def made(self, path, body):
        answer, _ = self.call("POST", "/api/v2.0" + path, body)
        return int(answer.headers["Location"].rpartition("/")[2])

    def token(self, repository, actions="pull,push"):
        scope = urllib.parse.quote(f"repository:{repository}:{actions}", safe=":/,")
        _, data = self.call("GET", f"/service/token?service=entrepot&scope={scope}")
        return {"Authorization": "Bearer " + json.loads(data)["token"]}

    def blob(self, repository, token, data, digest=None):
        """`data`: bytes, or an open file with its digest."""
        digest = digest or content.digest_of(data)
        if isinstance(data, bytes):
            self.call("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", data, "application/octet-stream", headers=token)
            return
        started, _ = self.call("POST", f"/v2/{repository}/blobs/uploads/", b"", "application/octet-stream", headers=token)
        place = urllib.parse.urlsplit(started.headers["Location"])
        query = "&".join(filter(None, [place.query, "digest=" + digest]))
        self.call("PUT", f"{place.path}?{query}", data, "application/octet-stream", headers=token)

    def endpoint(self, host, kind="entrepot"):
        return self.made("/registries", {
            "name": f"e{random.getrandbits(32):x}", "url": "http://" + host, "type": kind,
            "credential": {"type": "basic", "access_key": "admin", "access_secret": PASSWORD}})

    def policy(self, endpoint, pattern="**"):
        return self.made("/replication/policies", {
            "name": f"p{random.getrandbits(32):x}", "enabled": True, "override": True, "trigger": {"type": "manual"},
            "dest_registry": {"id": endpoint}, "filters": [{"type": "name", "value": pattern}]})

    def execute(self, policy):
        """Seconds until all of its tasks have ended."""
        began = time.monotonic()
        number = self.made("/replication/executions", {"policy_id": policy})
        while (state := self.get(f"/replication/executions/{number}"))["status"] == "InProgress":
            time.sleep(0.02)
        if state["status"] != "Succeed":
            raise RuntimeError(f"the execution ended as {state}")
        return time.monotonic() - began, state


class Instance:
    """entrepot in `folder`; `inside` is what its command begins with, `host` where the script asks it."""

    def __init__(self, options, folder, host, listen=None, inside=()):
        self.options, self.folder, self.host, self.listen, self.inside = options, pathlib.Path(folder), host, listen or host, inside
        self.process = None

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [*self.inside, self.options.binary, "serve", "--listen", self.listen, "--data", self.folder / "data"]
        self.process = processes.Process(list(map(str, command)), self.folder / "log", {
            "ENTREPOT_ADMIN_PASSWORD": PASSWORD, "ENTREPOT_OUTBOUND_ALLOW": "127.0.0.0/8,10.0.0.0/8",
            "ENTREPOT_LOG_ACCESS": "false"})
        self.process.wait_until(lambda: processes.answers(f"http://{self.host}/v2/"))
        self.api = Api(self.host)
        return self

    def __exit__(self, *_):
        self.process.stop()

    @property
    def cpu(self):
        return processes.cpu_seconds(self.process.pid)

    def metric(self, name):
        with urllib.request.urlopen(f"http://{self.host}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M))


class Cost:
    """CPU-seconds of servers, and of children of this script that have ended, while it is entered."""

    def __init__(self, *instances):
        self.instances = instances

    def now(self):
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return sum(each.cpu for each in self.instances) + children.ru_utime + children.ru_stime

    def __enter__(self):
        self.seconds = -self.now()
        return self

    def __exit__(self, *_):
        self.seconds += self.now()
