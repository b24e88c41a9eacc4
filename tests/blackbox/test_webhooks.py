"""Webhooks as their receivers see them: forms, signatures, filters, failures, and what may not be pointed at."""
import json
import time
import unittest

from support import settings
from support.api import Api
from support.receiver import Receiver, is_genuine
from support.server import free_port, wait_until
from test_events import EventScenario

OPEN = {"ENTREPOT_OUTBOUND_ALLOW": "127.0.0.0/8"}
SECRET = "a long random text"


class WebhookScenario(EventScenario):
    def receiver(self, **more):
        receiver = Receiver(**more)
        self.addCleanup(receiver.close)
        return receiver

    def policy(self, url, scope="/projects/library", **more):
        target = {"type": "http", "address": url, "payload_format": "Default", "secret": SECRET,
                  **more.pop("target", {})}
        return {"name": "hook", "event_types": ["PUSH_ARTIFACT", "DELETE_ARTIFACT"], "targets": [target], **more}

    def hook(self, url, scope="/projects/library", **more):
        number = self.api.made(f"{scope}/webhook/policies", self.policy(url, **more))
        return f"{scope}/webhook/policies/{number}"

    def all_handed_over(self):
        def lag():
            text = Api(self.server.host).request("GET", "/metrics", base="").body.decode()
            values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("entrepot_events_"))
            return float(values["entrepot_events_lag"]), float(values["entrepot_events_newest"])
        end = self.cursor()
        wait_until(lambda: lag()[0] == 0 and lag()[1] >= end, 20, "webhooks have heard of everything")

    def arrives(self, receiver, count, what="deliveries arrive"):
        wait_until(lambda: len(receiver.deliveries) >= count, 30, what)
        return receiver.deliveries

    def status_becomes(self, policy, status):
        wait_until(lambda: [one["status"] for one in self.api.get(f"{policy}/executions")] == status, 60, status)
        return self.api.get(f"{policy}/executions")


@unittest.skipIf(settings.foreign, "about our own management API")
class Deliveries(WebhookScenario):
    def setUp(self):
        super().setUp()
        self.serve(environment={**OPEN, "ENTREPOT_AUTH_EXTERNAL_URL": "https://hub.example"})

    def test_harbors_form_signed_with_time(self):
        receiver = self.receiver()
        self.hook(receiver.url, target={"auth_header": "Bearer t0ken"})
        digest = self.registry.push_image("library/web/app", "1.0", b"layer")
        delivery = self.arrives(receiver, 1)[0]
        self.assertEqual(delivery.headers["Authorization"], "Bearer t0ken")
        self.assertEqual(delivery.headers["Content-Type"], "application/json")
        self.assertEqual(delivery.headers["Entrepot-Event"], "PUSH_ARTIFACT")
        signature = delivery.headers["Entrepot-Signature"]
        self.assertTrue(is_genuine(SECRET, signature, delivery.body))
        self.assertFalse(is_genuine("another", signature, delivery.body))
        self.assertFalse(is_genuine(SECRET, signature, delivery.body + b" "))
        self.assertFalse(is_genuine(SECRET, signature.replace("t=1", "t=2"), delivery.body))
        body = delivery.json()
        self.assertAlmostEqual(body["occur_at"], time.time(), delta=60)
        created = body["event_data"]["repository"].pop("date_created")
        self.assertAlmostEqual(created, time.time(), delta=60)
        self.assertEqual(body, {
            "type": "PUSH_ARTIFACT", "occur_at": body["occur_at"], "operator": "admin", "event_data": {
                "resources": [{"digest": digest, "tag": "1.0", "resource_url": "hub.example/library/web/app:1.0"}],
                "repository": {"name": "web/app", "namespace": "library", "repo_full_name": "library/web/app",
                               "repo_type": "private"}}})

    def test_cloud_events_and_slack(self):
        cloud, slack = self.receiver(), self.receiver()
        policy = self.policy(cloud.url, target={"payload_format": "CloudEvents"})
        policy["targets"].append({"type": "slack", "address": slack.url})
        number = self.api.made("/projects/library/webhook/policies", policy)
        self.registry.push_image("library/app", "1.0", b"layer")
        event = self.arrives(cloud, 1)[0]
        self.assertEqual(event.headers["Content-Type"], "application/cloudevents+json")
        body = event.json()
        self.assertEqual((body["specversion"], body["type"], body["operator"], body["id"]),
                         ("1.0", "harbor.artifact.pushed", "admin", event.headers["Entrepot-Event-Id"]))
        project = self.api.get("/projects/library")["project_id"]
        self.assertEqual(body["source"], f"/projects/{project}/webhook/policies/{number}")
        self.assertEqual(body["data"]["repository"]["repo_full_name"], "library/app")
        blocks = self.arrives(slack, 1)[0].json()["blocks"]
        self.assertIn("PUSH_ARTIFACT", blocks[1]["text"]["text"])

    def test_a_policy_hears_of_what_it_asks_for(self):
        tags, system = self.receiver(), self.receiver()
        self.hook(tags.url, event_types=["TAG_CREATED", "TAG_MOVED", "TAG_DELETED"], repositories="web/*", tags="v*")
        self.hook(system.url, scope="/system", event_types=["PROJECT_CREATED", "USER_CREATED", "MEMBER_ADDED"])
        self.registry.push_image("library/web/app", "v1", b"one")
        self.registry.push_image("library/web/app", "v1", b"two")
        self.registry.push_image("library/web/app", "other", b"three")
        self.registry.push_image("library/app", "v1", b"four")
        self.registry.expect(202, "DELETE", "/v2/library/web/app/manifests/v1")
        self.api.post("/projects", {"project_name": "shop"})
        self.user("ann", "shop")
        self.arrives(tags, 3)
        self.arrives(system, 3)
        self.registry.push_image("library/web/app", "v9", b"nine")
        self.arrives(tags, 4)
        self.assertEqual(sorted(one.headers["Entrepot-Event"] for one in tags.deliveries),
                         ["TAG_CREATED", "TAG_CREATED", "TAG_DELETED", "TAG_MOVED"])
        self.assertEqual({one.headers["Entrepot-Event"] for one in system.deliveries},
                         {"PROJECT_CREATED", "USER_CREATED", "MEMBER_ADDED"})
        self.assertEqual(system.deliveries[0].json()["event_data"]["custom_attributes"]["project"], "shop")

    def test_notification_enable_is_the_switch_of_all(self):
        receiver = self.receiver()
        self.hook(receiver.url)
        self.api.put("/configurations", {"notification_enable": False})
        self.registry.push_image("library/app", "quiet", b"quiet")
        self.all_handed_over()
        self.api.put("/configurations", {"notification_enable": True})
        self.registry.push_image("library/app", "loud", b"loud")
        self.arrives(receiver, 1)
        self.assertEqual([one.json()["event_data"]["resources"][0]["tag"] for one in receiver.deliveries], ["loud"])

    def test_executions_tasks_logs_triggers_and_redelivery(self):
        receiver = self.receiver()
        policy = self.hook(receiver.url)
        number = int(policy.rsplit("/", 1)[1])
        self.registry.push_image("library/app", "1.0", b"layer")
        self.arrives(receiver, 1)
        execution = self.status_becomes(policy, ["Success"])[0]
        self.assertEqual((execution["vendor_type"], execution["vendor_id"], execution["trigger"]),
                         ("WEBHOOK", number, "EVENT"))
        task = self.api.get(f"{policy}/executions/{execution['id']}/tasks")[0]
        self.assertEqual((task["status"], task["run_count"]), ("Success", 1))
        log = self.api.expect(200, "GET", f"{policy}/executions/{execution['id']}/tasks/{task['id']}/log")
        self.assertIn(b"delivered: HTTP 200", log.body)
        triggers = self.api.get("/projects/library/webhook/lasttrigger")
        self.assertEqual([one["event_type"] for one in triggers], ["PUSH_ARTIFACT", "DELETE_ARTIFACT"])
        wait_until(lambda: self.api.get("/projects/library/webhook/lasttrigger")[0]["last_trigger_time"] > "2020", 10,
                   "the trigger is remembered")
        jobs = self.api.get("/projects/library/webhook/jobs", query={"policy_id": number, "status": "Success"})
        self.assertEqual([one["event_type"] for one in jobs], ["PUSH_ARTIFACT"])
        self.api.post(f"{policy}/executions/{execution['id']}/redelivery", None)
        again = self.arrives(receiver, 2)
        self.assertEqual(again[0].body, again[1].body)
        self.assertEqual(again[0].event_id(), again[1].event_id())
        self.api.expect(404, "GET", f"{policy}/executions/{execution['id'] + 99}/tasks")

    def test_secrets_are_never_shown_and_never_follow_to_another_address(self):
        first, second = self.receiver(), self.receiver()
        policy = self.hook(first.url, target={"auth_header": "Bearer t0ken"})
        answer = self.api.expect(200, "GET", policy)
        self.assertNotIn(SECRET.encode(), answer.body)
        self.assertNotIn(b"t0ken", answer.body)
        shown = answer.json()
        self.assertTrue(shown["targets"][0]["has_secret"] and shown["targets"][0]["has_auth_header"])
        # What was read is written back with another description: as clients do.
        self.api.put(policy, {**shown, "description": "again"})
        self.registry.push_image("library/app", "1", b"1")
        delivery = self.arrives(first, 1)[0]
        self.assertTrue(is_genuine(SECRET, delivery.headers["Entrepot-Signature"], delivery.body))
        shown["targets"][0]["address"] = second.url
        self.api.put(policy, shown)
        self.registry.push_image("library/app", "2", b"2")
        delivery = self.arrives(second, 1)[0]
        self.assertNotIn("Entrepot-Signature", delivery.headers)
        self.assertNotIn("Authorization", delivery.headers)
        self.assertNotIn(SECRET, self.server.log_path.read_text())

    def test_bad_policies(self):
        fine = self.policy("http://192.0.2.1/")
        wrong = [
            {**fine, "name": ""}, {**fine, "name": "x" * 129}, {**fine, "targets": []}, {**fine, "event_types": []},
            {**fine, "event_types": ["NONSENSE"]}, {**fine, "event_types": ["USER_CREATED"]},
            {**fine, "repositories": "{"}, {**fine, "targets": [{"type": "mail", "address": "http://192.0.2.1/"}]},
            {**fine, "targets": [{"type": "slack", "address": "http://192.0.2.1/", "payload_format": "CloudEvents"}]},
            {**fine, "targets": [{"type": "http", "address": "ftp://192.0.2.1/"}]},
            {**fine, "targets": [{"type": "http", "address": "http://u:p@192.0.2.1/"}]},
            {**fine, "targets": [{"type": "http", "address": "http://192.0.2.1/", "auth_header": "a\r\nB: c"}]},
        ]
        for body in wrong:
            self.api.expect(400, "POST", "/projects/library/webhook/policies", body)
        path = self.api.post("/projects/library/webhook/policies", fine).headers["Location"]
        self.api.expect(409, "POST", "/projects/library/webhook/policies", fine)
        number = path.rsplit("/", 1)[1]
        self.api.post("/projects", {"project_name": "shop"})
        self.api.expect(404, "GET", f"/projects/shop/webhook/policies/{number}")
        self.api.expect(404, "GET", f"/system/webhook/policies/{number}")
        self.api.expect(400, "GET", "/projects/library/webhook/jobs")


@unittest.skipIf(settings.foreign, "about our own management API")
class Trouble(WebhookScenario):
    def test_what_a_receiver_can_do_wrong_is_contained(self):
        self.serve(environment=OPEN)
        elsewhere = self.receiver()

        def redirect(handler):
            handler.send_response(302)
            handler.send_header("Location", elsewhere.url)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(b"x" * 65536)
            except OSError:
                pass

        def hang(_):
            time.sleep(30)
        receivers = {"redirect": self.receiver(answer=redirect), "endless": self.receiver(answer=endless),
                     "hang": self.receiver(answer=hang), "broken": self.receiver(status=500), "good": self.receiver()}
        policies = {name: self.hook(one.url, name=name) for name, one in receivers.items()}
        for number in range(10):
            self.registry.push_image("library/app", str(number), b"%d" % number)
        self.arrives(receivers["good"], 10)
        self.status_becomes(policies["good"], ["Success"] * 10)
        self.status_becomes(policies["endless"], ["Success"] * 10)
        self.assertEqual(elsewhere.deliveries, [])
        circuit = lambda: self.api.get(policies["broken"])["targets"][0]["circuit"]
        wait_until(lambda: circuit()["state"] == "open", 60, "the broken target is left alone")
        self.assertGreaterEqual(circuit()["failures"], 5)
        self.assertEqual(circuit()["last_error"], "HTTP 500")
        asked = len(receivers["broken"].deliveries)
        self.assertLess(asked, 10)
        execution = self.api.get(f"{policies['redirect']}/executions")[-1]["id"]
        log = self.api.expect(200, "GET", f"{policies['redirect']}/executions/{execution}/tasks/{execution}/log")
        self.assertIn(b"a redirect, which is not followed", log.body)

    def test_a_kill_between_push_and_delivery_loses_nothing(self):
        port = free_port()
        self.serve(environment=OPEN)
        self.hook(f"http://127.0.0.1:{port}/hook")
        tags = [str(number) for number in range(10)]
        start = self.cursor()
        for tag in tags:
            self.registry.push_image("library/app", tag, tag.encode())
        self.server.kill()
        receiver = self.receiver(port=port)
        self.server.start()
        wait_until(lambda: {one.json()["event_data"]["resources"][0]["tag"] for one in receiver.deliveries} == set(tags),
                   90, "every push is delivered after the restart")
        pushes = [event for event in self.since(start) if event["type"] == "artifact.pushed"]
        self.assertEqual([event["tag"] for event in pushes], tags, "each is in the log once")
        ids = {event["tag"]: event["id"] for event in pushes}
        for one in receiver.deliveries:
            self.assertEqual(one.event_id(), ids[one.json()["event_data"]["resources"][0]["tag"]])

    def test_this_machine_is_out_of_reach_unless_allowed(self):
        self.serve()
        for url in ("http://127.0.0.1/", "http://localhost:8080/", "http://[::1]/", "http://169.254.169.254/latest",
                    "http://[fe80::1]/", "http://0.0.0.0/", "http://[::ffff:127.0.0.1]/", "http://2130706433/"):
            answer = self.api.expect(400, "POST", "/projects/library/webhook/policies", self.policy(url))
            self.assertIn("outbound.allow", answer.body.decode())


@unittest.skipIf(settings.foreign, "about our own management API")
class WhoMay(WebhookScenario):
    def test_rights_are_harbors(self):
        self.serve(environment=OPEN)
        self.api.post("/projects", {"project_name": "shop"})
        admin, maintainer, developer = (self.user(name, "shop", role) for name, role in (("ann", 1), ("max", 4), ("dev", 2)))
        policies = "/projects/shop/webhook/policies"
        body = self.policy("http://192.0.2.1/")
        path = admin.post(policies, body).headers["Location"].removeprefix("/api/v2.0")
        self.assertEqual(len(maintainer.get(policies)), 1)
        maintainer.expect(403, "POST", policies, body)
        maintainer.expect(403, "DELETE", path)
        developer.expect(403, "GET", policies)
        admin.expect(403, "GET", "/system/webhook/policies")
        Api(self.server.host, None).expect(401, "GET", policies)
        admin.delete(path)
        audited = self.api.get("/auditlog-exts", query={"q": "resource_type=webhook", "page_size": 10})
        self.assertEqual([(one["operation"], one["resource"]) for one in audited if one["result"] == "ok"],
                         [("delete", "shop/hook"), ("create", "shop/hook")])
        self.assertNotIn(SECRET, json.dumps(audited))
