"""Jobs as people steer them: the purge of the audit trail, schedules that come, queues that rest, and what a killed
server left."""
import time
import unittest

from support import settings
from support.api import Api
from support.ctl import Ctl

PURGE = "/system/purgeaudit"
QUEUE = "/jobservice/queues/PURGE_AUDIT_LOG"


def purge(type_, cron="", **parameters):
    return {"parameters": {"audit_retention_hour": 24, **parameters}, "schedule": {"type": type_, "cron": cron}}


def eventually(ask, holds, patience=90):
    end = time.monotonic() + patience
    while True:
        answer = ask()
        if holds(answer) or time.monotonic() > end:
            return answer
        time.sleep(0.05)


@unittest.skipIf(settings.foreign, "about our own management API")
class Jobs(Ctl):
    """Each on a server of its own: queues are everybody's."""

    def setUp(self):
        super().setUp()
        self.server = self.own_server()
        self.api = Api(self.server.host)
        self.addCleanup(lambda: self.api.close())
        self.variables["ENTREPOT_URL"] = f"http://{self.server.host}"

    def state(self, job):
        return self.api.get(f"/jobs/{job}")["state"]

    def wait_for(self, job, state):
        self.assertEqual(eventually(lambda: self.state(job), lambda found: found == state), state)

    def test_a_purge_runs_by_hand_and_is_remembered(self):
        job = self.api.made(f"{PURGE}/schedule", purge("Manual", dry_run=True))
        self.wait_for(job, "succeeded")
        found = self.api.get(f"{PURGE}/{job}")
        self.assertEqual((found["job_name"], found["job_kind"], found["job_status"]),
                         ("PURGE_AUDIT_LOG", "MANUAL", "Success"))
        self.assertEqual([entry["id"] for entry in self.api.get(PURGE)], [job])
        self.assertIn(b"would drop segments", self.api.expect(200, "GET", f"{PURGE}/{job}/log").body)
        self.assertEqual(self.api.get(f"/jobs/{job}")["result"], {"segments": 0, "bytes": 0, "dry_run": True})
        self.api.expect(404, "GET", f"{PURGE}/{job + 1}")
        self.api.expect(412, "POST", f"/jobs/{job}/retry")

    def test_a_schedule_comes_and_what_can_not_be_one_is_refused(self):
        self.assertEqual(self.api.get(f"{PURGE}/schedule"), {})
        for cron, why in (("* * * * * *", "once a minute"), ("0 61 * * * *", "minutes"), ("0 0 0 30 2 *", "never"),
                          ("0 0 * * *", "six fields"), ("", "needs a cron")):
            answer = self.api.expect(400, "PUT", f"{PURGE}/schedule", purge("Custom", cron))
            self.assertIn(why, answer.json()["errors"][0]["message"])
        self.api.expect(400, "PUT", f"{PURGE}/schedule", purge("Sometimes"))
        self.api.expect(400, "PUT", f"{PURGE}/schedule", {"schedule": {"type": "Daily"}})
        self.api.expect(400, "PUT", f"{PURGE}/schedule", purge("Daily", include_event_types="pull_artifact"))
        self.api.put(f"{PURGE}/schedule", purge("Custom", "0 * * * * *", dry_run=True))
        [task] = self.api.get("/schedules")
        self.assertEqual((task["vendor_type"], task["cron"]), ("PURGE_AUDIT_LOG", "0 * * * * *"))
        jobs = eventually(lambda: self.api.get("/jobs", query={"q": "trigger=schedule"}), bool)
        self.assertEqual(jobs[0]["kind"], "purge_audit")
        self.wait_for(jobs[0]["id"], "succeeded")
        self.assertEqual(self.api.get(f"{PURGE}/{jobs[0]['id']}")["job_kind"], "SCHEDULE")
        self.api.put(f"{PURGE}/schedule", purge("None"))
        self.assertEqual(self.api.get("/schedules"), [])

    def test_a_paused_queue_rests_and_its_jobs_can_be_stopped_and_retried(self):
        self.api.expect(404, "PUT", "/jobservice/queues/NONSENSE", {"action": "pause"})
        self.api.expect(422, "PUT", QUEUE, {"action": "dance"})
        self.ctl("queue", "pause", "PURGE_AUDIT_LOG")
        self.assertTrue(self.api.get("/schedules/PURGE_AUDIT_LOG/paused")["paused"])
        self.assertFalse(self.api.get("/schedules/all/paused")["paused"])
        job = self.api.made(f"{PURGE}/schedule", purge("Manual"))
        again = self.api.made(f"{PURGE}/schedule", purge("Manual"))
        self.assertEqual(job, again, "one is enough")
        [queue] = [each for each in self.api.get("/jobservice/queues") if each["job_type"] == "PURGE_AUDIT_LOG"]
        self.assertEqual((queue["count"], queue["paused"]), (1, True))
        self.assertIn("waiting", self.ctl("job", "list", "--kind", "purge_audit"))
        self.ctl("job", "stop", job)
        self.assertEqual(self.object("job", "show", job)["state"], "stopped")
        self.ctl("job", "retry", job)
        self.ctl("queue", "resume", "PURGE_AUDIT_LOG")
        self.wait_for(job, "succeeded")
        self.assertIn("drops segments", self.ctl("job", "log", job))
        self.ctl("job", "retry", job, code=6)
        self.ctl("queue", "stop", "all", code=2)
        self.ctl("queue", "stop", "all", "--yes")
        [pool] = self.api.get("/jobservice/pools")
        workers = self.api.get(f"/jobservice/pools/{pool['worker_pool_id']}/workers")
        self.assertEqual(len(workers), pool["concurrency"])
        self.api.expect(404, "GET", "/jobservice/pools/nonsense/workers")

    def test_what_was_to_be_done_is_done_by_the_next_server(self):
        self.api.put(QUEUE, {"action": "pause"})
        job = self.api.made(f"{PURGE}/schedule", purge("Manual"))
        self.server.kill()
        self.server.start()
        self.api.close()
        self.api = Api(self.server.host)
        self.assertEqual(self.state(job), "waiting", "paused still")
        self.api.put(QUEUE, {"action": "resume"})
        self.wait_for(job, "succeeded")

    def test_nobody_but_admins_sees_jobs(self):
        person = self.user()
        other = Api(self.server.host, person)
        self.addCleanup(other.close)
        for path in ("/jobs", "/jobservice/queues", "/jobservice/pools", "/schedules", PURGE, f"{PURGE}/schedule"):
            other.expect(403, "GET", path)
        other.expect(403, "PUT", QUEUE, {"action": "pause"})
        other.expect(403, "POST", f"{PURGE}/schedule", purge("Manual"))
