"""Random pushes, mounts, copies, deletes, abandoned uploads and collections over a few projects with quotas, while the
server is killed again and again: afterwards a recount finds that every byte and artifact is charged as it should be.

Two thousand operations by default, a hundred thousand in `make soak`."""
import json
import random
import threading
import time
import unittest
import urllib.parse

from support import settings
from support.api import Api, encoded_twice
from support.registry import Registry, digest_of
from support.scenario import Scenario
from support.server import PASSWORD, Server, wait_until

OPERATIONS = 100_000 if settings.soak else 2_000
BETWEEN_KILLS = 5_000 if settings.soak else 400  # operations
WORKERS = 8
PROJECTS = ("alpha", "beta", "gamma")
REPOSITORIES = [f"{project}/r{number}" for project in PROJECTS for number in range(2)]
LAYERS = [f"layer {number} ".encode() * 50 * (number + 1) for number in range(24)]
SOON = {"ENTREPOT_GC_LEASE": "1s", "ENTREPOT_GC_GRACE": "0s", "ENTREPOT_GC_UNTAGGED_AFTER": "0s",
        "ENTREPOT_TRASH_KEEP": "20s", "ENTREPOT_UPLOADS_PER_USER": "1000000"}
GONE = (OSError, AssertionError, ValueError, KeyError, EOFError)


class Load:
    """What one thread does, over and over; what is refused or cut off is as good as what succeeds."""

    def __init__(self, host, seed):
        self.host = host
        self.random = random.Random(seed)
        self.registry = Registry(host, "admin", PASSWORD, timeout=20)
        self.api = Api(host, timeout=20)
        self.steps = [self.push] * 6 + [self.delete] * 3 + [self.mount, self.copy, self.abandon, self.upload, self.tag]

    def place(self):
        return self.random.choice(REPOSITORIES)

    def tag_name(self):
        return f"t{self.random.randrange(4)}"

    def push(self):
        self.registry.push_image(self.place(), self.tag_name(), *self.random.sample(LAYERS, self.random.randint(1, 3)))

    def artifact(self, place, reference):
        project, repository = place.split("/")
        return f"/projects/{project}/repositories/{encoded_twice(repository)}/artifacts/{reference}"

    def delete(self):
        place, tag = self.place(), self.tag_name()
        if self.random.random() < 0.5:
            self.api.request("DELETE", self.artifact(place, tag))
        else:
            self.api.request("DELETE", self.artifact(place, tag) + f"/tags/{tag}")

    def mount(self):
        layer = digest_of(self.random.choice(LAYERS))
        source = urllib.parse.quote(self.place())
        self.registry.request("POST", f"/v2/{self.place()}/blobs/uploads/?mount={layer}&from={source}")

    def copy(self):
        project, repository = self.place().split("/")
        query = urllib.parse.urlencode({"from": f"{self.place()}:{self.tag_name()}"})
        self.api.request("POST", f"/projects/{project}/repositories/{encoded_twice(repository)}/artifacts?{query}")

    def abandon(self):
        started = self.registry.expect(202, "POST", f"/v2/{self.place()}/blobs/uploads/")
        self.registry.request("PATCH", started.headers["Location"], b"never finished" * 100)

    def upload(self):
        self.registry.push_blob(self.place(), self.random.choice(LAYERS))

    def tag(self):
        self.api.request("POST", self.artifact(self.place(), self.tag_name()) + "/tags", {"name": self.tag_name()})

    def run(self, counter, end):
        while counter.next() <= end:
            try:
                self.random.choice(self.steps)()
            except GONE:
                self.registry.close()
                self.api.close()
                time.sleep(0.01)


class Counter:
    def __init__(self):
        self.value = 0
        self.lock = threading.Lock()

    def next(self):
        with self.lock:
            self.value += 1
            return self.value


@unittest.skipIf(settings.foreign, "needs a server of its own")
class QuotaDrift(Scenario):
    def test_nothing_has_drifted(self):
        server = Server(data=self.work / "data", environment=SOON).start()
        self.addCleanup(server.close)
        api = Api(server.host)
        for number, project in enumerate(PROJECTS):
            made = api.made("/projects", {"project_name": project})
            # The first is always short of room, the second of artifacts.
            api.put(f"/quotas/{made}", {"hard": {"storage": 60_000 if number == 0 else -1,
                                                 "artifacts": 6 if number == 1 else -1}})
        counter, kills = Counter(), 0
        while counter.value < OPERATIONS:
            end = min(counter.value + BETWEEN_KILLS, OPERATIONS)
            workers = [Load(server.host, f"{settings.seed}/{kills}/{number}") for number in range(WORKERS)]
            threads = [threading.Thread(target=worker.run, args=(counter, end)) for worker in workers]
            for thread in threads:
                thread.start()
            while counter.value < end - BETWEEN_KILLS // 10 and any(thread.is_alive() for thread in threads):
                try:
                    api.request("POST", "/system/gc/schedule", {"parameters": {"delete_untagged": True},
                                                                "schedule": {"type": "Manual"}})
                except GONE:
                    pass
                time.sleep(0.5)
            server.kill()
            kills += 1
            server.start()
            for thread in threads:
                thread.join()
        self.assertGreaterEqual(kills, OPERATIONS // BETWEEN_KILLS)

        run = api.made("/system/quota-recount/schedule", {"schedule": {"type": "Manual"}})
        wait_until(lambda: api.get(f"/system/quota-recount/{run}")["job_status"] in ("Success", "Error"), 60, "it ends")
        log = api.request("GET", f"/system/quota-recount/{run}/log").body.decode()
        self.assertIn("4 projects recounted, 0 had drifted", log, log)
        job = api.get(f"/jobs/{run}")
        self.assertEqual(json.loads(job["result"])["bytes"] if isinstance(job["result"], str) else
                         job["result"]["bytes"], 0)
        used = api.get("/quotas?reference=project")
        self.assertGreater(sum(quota["used"]["storage"] for quota in used), 0, "there is something to be charged")
        self.assertLessEqual(next(q for q in used if q["ref"]["name"] == "alpha")["used"]["storage"], 60_000)
        print(f"{counter.value} operations, {kills} kills, nothing has drifted")

