"""Registries elsewhere and replication policies in Harbor's shapes: pages, filters, refusals, and who may what."""
import unittest

from support import settings
from support.api import Api
from support.scenario import Scenario
from support.server import PASSWORD, Server, free_port

OPEN = {"ENTREPOT_OUTBOUND_ALLOW": "127.0.0.0/8"}
PERSON = "Change1that"
NOWHERE = 1 << 40


class Exchange(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(environment=OPEN).start()
        cls.addClassCleanup(cls.server.close)
        cls.api = Api(cls.server.host)
        cls.addClassCleanup(cls.api.close)

    def setUp(self):
        super().setUp()
        self.numbers = iter(range(1, 1000))
        self.mark = f"{type(self).__name__}-{self._testMethodName}".lower()[-40:].replace("_", "-").strip("-")

    def name(self):
        return f"{self.mark}-{next(self.numbers)}"

    def body(self, **more):
        """This registry as somebody else's."""
        return {"name": self.name(), "type": "docker-registry", "url": f"http://{self.server.host}",
                "credential": {"type": "basic", "access_key": "admin", "access_secret": PASSWORD}, **more}

    def endpoint(self, **more):
        return self.api.made("/registries", self.body(**more))

    def policy_body(self, endpoint, **more):
        return {"name": self.name(), "dest_registry": {"id": endpoint}, "enabled": True, **more}

    def policy(self, endpoint=None, **more):
        return self.api.made("/replication/policies", self.policy_body(endpoint or self.endpoint(), **more))

    def person(self, tenant=None, role=None):
        name = self.name()
        number = self.api.made("/users", {"username": name, "password": PERSON, "email": f"{name}@example.com",
                                          "realname": name, "comment": ""})
        if tenant:
            self.api.post(f"/tenants/{tenant}/members", {"user_id": number, **({"role_id": role} if role else {})})
        api = Api(self.server.host, name, PERSON)
        self.addCleanup(api.close)
        return api


@unittest.skipIf(settings.foreign, "about our own management API")
class Registries(Exchange):
    def test_one_is_made_shown_changed_and_removed(self):
        body = self.body(description="over there", insecure=True)
        answer = self.api.post("/registries", body)
        location = answer.headers["Location"]
        self.assertRegex(location, r"^/api/v2\.0/registries/\d+$")
        path = location.removeprefix("/api/v2.0")
        shown = self.api.get(path)
        for field in ("name", "url", "type", "description", "insecure"):
            self.assertEqual(shown[field], body[field])
        self.assertEqual(shown["credential"], {"type": "basic", "access_key": "admin", "access_secret": "*****"})
        self.assertEqual(shown["status"], "healthy", shown)
        self.assertNotIn(PASSWORD, self.api.request("GET", path).body.decode())
        self.api.expect(409, "POST", "/registries", body)
        # Somebody sends back what they have read: the secret stays.
        self.api.put(path, {**shown, "description": "told"})
        self.assertEqual(self.api.get(path)["description"], "told")
        self.api.post("/registries/ping", {"id": shown["id"]}, status=200)
        self.api.put(path, {"name": self.name()})
        self.assertEqual(self.api.get(path)["url"], body["url"])
        self.api.delete(path)
        for method in ("GET", "DELETE"):
            self.api.expect(404, method, path)
        self.api.expect(404, "PUT", path, {"description": "gone"})

    def test_lists_have_pages_filters_and_an_order(self):
        made = [self.endpoint() for _ in range(3)]
        answer = self.api.request("GET", "/registries", query={"page_size": 2, "sort": "-id"})
        self.assertEqual([one["id"] for one in answer.json()], made[:0:-1])
        self.assertGreaterEqual(int(answer.headers["X-Total-Count"]), 3)
        self.assertIn('rel="next"', answer.headers["Link"])
        name = self.api.get(f"/registries/{made[0]}")["name"]
        for query in ({"name": name}, {"q": f"name={name}"}, {"q": f"name=~{name[1:]}"}):
            self.assertEqual([one["id"] for one in self.api.get("/registries", query=query)], made[:1], query)
        self.api.expect(400, "GET", "/registries", query={"q": "access_secret=x"})

    def test_what_can_not_be_one_is_refused(self):
        for wrong, word in (({"url": "there"}, "url"), ({"type": "ftp"}, "type"), ({"name": ""}, "name"),
                            ({"url": "http://a:b@there"}, "credential"), ({"certificate_pin": "x"}, "certificate_pin"),
                            ({"bytes_per_second": -1}, "bytes_per_second"), ({"insecure": 3}, "insecure")):
            answer = self.api.expect(400, "POST", "/registries", self.body(**wrong))
            self.assertIn(word, answer.body.decode())

    def test_requests_go_where_the_operator_lets_them(self):
        server = Server().start()
        self.addCleanup(server.close)
        answer = Api(server.host).expect(400, "POST", "/registries", self.body())
        self.assertIn("outbound.allow", answer.body.decode())

    def test_a_ping_says_what_is_lacking(self):
        here = {"type": "docker-registry", "url": f"http://{self.server.host}", "credential_type": "basic"}
        self.api.post("/registries/ping", {**here, "access_key": "admin", "access_secret": PASSWORD}, status=200)
        self.api.expect(400, "POST", "/registries/ping", {**here, "access_key": "admin", "access_secret": "no"})
        self.api.expect(400, "POST", "/registries/ping", {**here, "url": f"http://127.0.0.1:{free_port()}"})
        self.api.expect(404, "POST", "/registries/ping", {"id": NOWHERE})
        dead = self.endpoint(url=f"http://127.0.0.1:{free_port()}")
        self.assertEqual(self.api.get(f"/registries/{dead}")["status"], "unhealthy")
        history = self.api.get(f"/registries/{dead}/health")
        self.assertEqual([one["status"] for one in history], ["unhealthy"])
        self.assertTrue(history[0]["detail"])

    def test_a_secret_does_not_follow_to_another_host(self):
        number = self.endpoint()
        path = f"/registries/{number}"
        elsewhere = f"http://127.0.0.1:{free_port()}"
        self.api.expect(400, "PUT", path, {"url": elsewhere})
        self.api.expect(400, "POST", "/registries/ping", {"id": number, "url": elsewhere})
        self.api.put(path, {"url": elsewhere, "access_secret": "new"})
        self.assertEqual(self.api.get(path)["status"], "unhealthy")

    def test_types_and_what_can_be_done_with_them(self):
        types = self.api.get("/replication/adapters")
        self.assertIn("docker-registry", types)
        infos = self.api.get("/replication/adapterinfos")
        self.assertEqual(set(infos), set(types))
        self.assertIn("endpoint_pattern", infos["docker-registry"])
        info = self.api.get(f"/registries/{self.endpoint()}/info")
        self.assertEqual(info["type"], "docker-registry")
        self.assertIn("manual", info["supported_triggers"])
        self.assertLessEqual({"resource", "name", "tag"}, {one["type"] for one in info["supported_resource_filters"]})
        self.assertIn("event_based", self.api.get("/registries/0/info")["supported_triggers"])
        self.api.expect(404, "GET", f"/registries/{NOWHERE}/info")

    def test_a_tenant_has_its_own(self):
        tenant = self.name()
        tenant_id = self.api.made("/tenants", {"name": tenant})
        of_platform = self.endpoint()
        admin, member, nobody = self.person(tenant, 8), self.person(tenant), self.person()
        own = admin.made("/registries", self.body(tenant_id=tenant_id))
        self.assertEqual([one["id"] for one in admin.get("/registries")], [own])
        admin.expect(403, "POST", "/registries", self.body())
        admin.expect(404, "GET", f"/registries/{of_platform}")
        admin.expect(404, "DELETE", f"/registries/{of_platform}")
        for caller in (member, nobody):
            for path in ("/registries", f"/registries/{own}", f"/registries/{NOWHERE}", "/replication/adapters",
                         "/replication/policies", "/replication/executions", "/replication/lag"):
                caller.expect(403, "GET", path)
        Api(self.server.host, None).expect(401, "GET", "/registries")
        admin.expect(403, "POST", "/replication/policies", self.policy_body(own))
        self.api.expect(412, "DELETE", f"/tenants/{tenant}")
        admin.delete(f"/registries/{own}")
        self.api.delete(f"/tenants/{tenant}")

    def test_a_project_caches_an_endpoint_which_stays_as_long(self):
        tenant = self.name()
        tenant_id = self.api.made("/tenants", {"name": tenant})
        admin = self.person(tenant, 8)
        own, of_platform = admin.made("/registries", self.body(tenant_id=tenant_id)), self.endpoint()
        wanted = {"project_name": self.name(), "tenant": tenant}
        admin.expect(403, "POST", "/projects", {**wanted, "registry_id": of_platform})
        admin.expect(403, "POST", "/projects", {**wanted, "registry_id": NOWHERE})
        self.api.expect(400, "POST", "/projects", {**wanted, "registry_id": NOWHERE})
        self.api.expect(400, "POST", "/projects", {"project_name": self.name(), "registry_id": own})
        project = admin.made("/projects", {**wanted, "registry_id": own})
        self.assertEqual(admin.get(f"/projects/{project}")["registry_id"], own)
        self.assertEqual([one["project_id"] for one in admin.get("/projects", query={"q": f"registry_id={own}"})],
                         [project])
        admin.put(f"/projects/{project}", {"registry_id": of_platform, "metadata": {"public": "true"}})
        self.assertEqual(admin.get(f"/projects/{project}")["registry_id"], own)
        admin.expect(412, "DELETE", f"/registries/{own}")
        admin.delete(f"/projects/{project}")
        admin.delete(f"/registries/{own}")


@unittest.skipIf(settings.foreign, "about our own management API")
class Policies(Exchange):
    def test_one_is_kept_as_harbor_has_it(self):
        endpoint = self.endpoint()
        body = self.policy_body(
            endpoint, src_registry=None, description="all", dest_namespace="mirror/team", dest_namespace_replace_count=2,
            trigger={"type": "scheduled", "trigger_settings": {"cron": "0 0 2 * * *"}},
            filters=[{"type": "name", "value": "shop/**"}, {"type": "tag", "value": "dev*", "decoration": "excludes"},
                     {"type": "label", "value": ["good", "new"]}, {"type": "resource", "value": "image"}],
            replicate_deletion=True, override=False, speed=512, copy_by_chunk=True, single_active_replication=True,
            platforms=["linux/amd64"], version_range=">=1.0.0", signed_only=True, with_referrers=False, priority=2,
            window={"from": "22:00", "until": "06:30"}, bytes_per_second=1 << 40)
        number = self.api.made("/replication/policies", body)
        path = f"/replication/policies/{number}"
        shown = self.api.get(path)
        for field, value in body.items():
            if field not in ("src_registry", "dest_registry", "filters"):
                self.assertEqual(shown[field], value, field)
        self.assertEqual(shown["dest_registry"]["id"], endpoint)
        self.assertEqual(shown["dest_registry"]["credential"]["access_secret"], "*****")
        self.assertEqual(shown["src_registry"]["id"], 0)
        self.assertEqual([one["value"] for one in shown["filters"]], ["shop/**", "dev*", ["good", "new"], "image"])
        self.assertEqual(shown["filters"][1]["decoration"], "excludes")
        schedules = [one for one in self.api.get("/schedules", query={"page_size": 100}) if one["vendor_id"] == number]
        self.assertEqual([one["cron"] for one in schedules], ["0 0 2 * * *"])
        # Whoever sends it back as it was read changes nothing.
        self.api.put(path, shown)
        again = self.api.get(path)
        self.assertEqual({**again, "update_time": ""}, {**shown, "update_time": ""})
        self.api.expect(409, "POST", "/replication/policies", body)
        self.api.expect(412, "DELETE", f"/registries/{endpoint}")
        self.api.delete(path)
        self.api.expect(404, "GET", path)
        self.api.delete(f"/registries/{endpoint}")

    def test_what_is_left_out(self):
        shown = self.api.get(f"/replication/policies/{self.policy()}")
        self.assertEqual(shown["dest_namespace_replace_count"], -1)
        self.assertEqual((shown["trigger"]["type"], shown["speed"], shown["filters"]), ("manual", -1, []))
        self.assertEqual((shown["override"], shown["replicate_deletion"], shown["with_referrers"]), (True, False, True))
        self.assertEqual((shown["priority"], shown["window"]), (5, None))

    def test_what_can_not_be_one_is_refused(self):
        endpoint = self.endpoint()
        cron = {"type": "scheduled", "trigger_settings": {"cron": "x"}}
        for wrong, word in (
                ({"src_registry": {"id": endpoint}}, "exactly one"), ({"dest_registry": None}, "exactly one"),
                ({"name": "No Name"}, "name"), ({"filters": [{"type": "size", "value": "1"}]}, "filters"),
                ({"filters": [{"type": "name", "value": "a/[b"}]}, ""), ({"trigger": cron}, ""),
                ({"trigger": {"type": "hourly"}}, "trigger"), ({"platforms": ["amd64"]}, "platform"),
                ({"window": {"from": "25:00", "until": "06:00"}}, "window"), ({"version_range": "new"}, ""),
                ({"dest_namespace_replace_count": 4}, "replace_count"), ({"priority": 1 << 33}, "priority"),
                ({"speed": -5}, "speed"), ({"replicate_deletion": True}, "confirm_all"),
                ({"filters": [{"type": "tag", "value": "v*", "decoration": "maybe"}]}, "decoration")):
            answer = self.api.expect(400, "POST", "/replication/policies", self.policy_body(endpoint, **wrong))
            self.assertIn(word, answer.body.decode(), wrong)
        self.api.expect(404, "POST", "/replication/policies", self.policy_body(NOWHERE))
        self.policy(endpoint, replicate_deletion=True, confirm_all=True)

    def test_lists_have_pages_filters_and_an_order(self):
        endpoint = self.endpoint()
        made = [self.policy(endpoint) for _ in range(3)]
        answer = self.api.request("GET", "/replication/policies", query={"page_size": 2, "q": f"target_id={endpoint}"})
        self.assertEqual([one["id"] for one in answer.json()], made[:0:-1], "the newest first")
        self.assertEqual(answer.headers["X-Total-Count"], "3")
        name = self.api.get(f"/replication/policies/{made[0]}")["name"]
        self.assertEqual([one["id"] for one in self.api.get("/replication/policies", query={"name": name})], made[:1])
        ascending = self.api.get("/replication/policies", query={"sort": "name", "q": f"target_id={endpoint}"})
        self.assertEqual([one["id"] for one in ascending], made)

    def test_an_execution_is_started_shown_and_stopped(self):
        policy = self.policy()
        # What it does is another story: here nothing runs.
        self.api.expect((200, 404), "PUT", "/jobservice/queues/REPLICATION", {"action": "pause"})
        answer = self.api.post("/replication/executions", {"policy_id": policy})
        path = answer.headers["Location"].removeprefix("/api/v2.0")
        shown = self.api.get(path)
        self.assertEqual((shown["policy_id"], shown["trigger"], shown["status"]), (policy, "manual", "InProgress"))
        self.assertEqual((shown["total"], shown["failed"]), (0, 0))
        for query, count in (({}, 1), ({"status": "InProgress"}, 1), ({"status": "Succeed"}, 0), ({"trigger": "manual"}, 1),
                             ({"trigger": "scheduled"}, 0)):
            listed = self.api.request("GET", "/replication/executions", query={"policy_id": policy, **query})
            self.assertEqual((len(listed.json()), listed.headers["X-Total-Count"]), (count, str(count)), query)
        self.api.expect(400, "GET", "/replication/executions", query={"status": "Odd"})
        self.assertEqual(self.api.get(f"{path}/tasks"), [])
        self.api.expect(404, "GET", f"{path}/tasks/1/log")
        self.api.expect(412, "DELETE", f"/replication/policies/{policy}")
        self.api.put(path, None)
        self.assertEqual(self.api.get(path)["status"], "Stopped")
        self.api.put(path, None)
        self.api.expect(404, "PUT", f"/replication/executions/{NOWHERE}")
        self.api.expect(404, "POST", "/replication/executions", {"policy_id": NOWHERE})
        self.api.expect(400, "POST", "/replication/executions", {})
        shown = self.api.get(f"/replication/policies/{policy}")
        self.api.put(f"/replication/policies/{policy}", {**shown, "enabled": False})
        self.api.expect(412, "POST", "/replication/executions", {"policy_id": policy})
        self.api.delete(f"/replication/policies/{policy}")

    def test_nothing_is_pending_where_nothing_was_noted(self):
        policy = self.policy()
        lag = self.api.get(f"/replication/policies/{policy}/lag")
        self.assertEqual(lag, {"policy_id": policy, "seconds": 0, "artifacts": 0, "bytes": 0, "failed": 0})
        answer = self.api.request("GET", f"/replication/policies/{policy}/pending")
        self.assertEqual((answer.json(), answer.headers["X-Total-Count"]), ([], "0"))
        self.api.expect(404, "GET", f"/replication/policies/{NOWHERE}/lag")
        self.api.expect(404, "GET", f"/replication/policies/{NOWHERE}/pending")
        self.assertNotIn(policy, [one["policy_id"] for one in self.api.get("/replication/lag")])

    def test_who_reads_may_not_change(self):
        policy = self.policy()
        name = self.name()
        number = self.api.made("/users", {"username": name, "password": PERSON, "email": f"{name}@example.com",
                                          "realname": name, "comment": ""})
        self.api.post("/grants", {"subject": {"kind": "user", "id": number}, "object": {"kind": "platform"}, "role_id": 7})
        auditor = Api(self.server.host, name, PERSON)
        self.addCleanup(auditor.close)
        shown = auditor.get(f"/replication/policies/{policy}")
        auditor.expect(403, "PUT", f"/replication/policies/{policy}", shown)
        auditor.expect(403, "POST", "/replication/executions", {"policy_id": policy})
        auditor.expect(403, "DELETE", f"/registries/{shown['dest_registry']['id']}")
        auditor.expect(403, "POST", "/registries", self.body())

    def test_changes_are_events(self):
        endpoint = self.endpoint()
        policy = self.policy(endpoint)
        self.api.delete(f"/replication/policies/{policy}")
        self.api.delete(f"/registries/{endpoint}")
        types = [one["type"] for one in self.api.get("/events", query={"limit": 1000})]
        for type_ in ("registry.created", "registry.deleted", "replication_policy.created", "replication_policy.deleted"):
            self.assertIn(type_, types)


if __name__ == "__main__":
    unittest.main()
