"""What happens is in the log once, in one order, for whoever may see it: read again by a cursor, followed live, and
whole after a kill."""
import random
import threading
import unittest

from support import settings
from support.api import Api
from support.receiver import Stream
from support.registry import Registry
from support.scenario import Scenario
from support.server import PASSWORD, wait_until

USER_PASSWORD = "Somebody1pass"


class EventScenario(Scenario):
    def serve(self, **more):
        self.server = self.own_server(data=self.work / "data", **more)
        self.api = Api(self.server.host)
        self.addCleanup(self.api.close)
        self.registry = self.client(self.server)

    def cursor(self):
        """The end of the log."""
        after = 0
        while True:
            answer = self.api.expect(200, "GET", "/events", query={"after": after, "limit": 1000})
            if int(answer.headers["X-Next-Cursor"]) == after:
                return after
            after = int(answer.headers["X-Next-Cursor"])

    def since(self, after, api=None, **query):
        found = []
        while True:
            answer = (api or self.api).expect(200, "GET", "/events", query={"after": after, "limit": 3, **query})
            found += answer.json()
            if int(answer.headers["X-Next-Cursor"]) == after:
                return found
            after = int(answer.headers["X-Next-Cursor"])

    def user(self, name, project=None, role=1):
        number = self.api.made("/users", {"username": name, "password": USER_PASSWORD,
                                          "email": f"{name}@example.com", "realname": name})
        if project:
            self.api.post(f"/projects/{project}/members", {"role_id": role, "member_user": {"user_id": number}})
        api = Api(self.server.host, name, USER_PASSWORD)
        self.addCleanup(api.close)
        return api

    def stream(self, api=None, query="", last=None):
        stream = Stream(api or self.api, query, last)
        self.addCleanup(stream.close)
        return stream


@unittest.skipIf(settings.foreign, "about our own management API")
class TheLog(EventScenario):
    def setUp(self):
        super().setUp()
        self.serve()

    def test_a_day_of_a_project(self):
        start = self.cursor()
        self.api.post("/projects", {"project_name": "shop"})
        digest = self.registry.push_image("shop/web", "1.0", b"layer")
        self.registry.expect(202, "DELETE", "/v2/shop/web/manifests/1.0")
        self.registry.expect(202, "DELETE", f"/v2/shop/web/manifests/{digest}")
        self.api.delete("/projects/shop/repositories/web")
        self.api.delete("/projects/shop")
        events = self.since(start)
        self.assertEqual([event["type"] for event in events], [
            "project.created", "artifact.pushed", "tag.deleted", "artifact.deleted", "repository.deleted",
            "project.deleted"])
        self.assertEqual([event["id"] for event in events], list(range(start + 1, start + 7)))
        pushed = events[1]
        self.assertEqual((pushed["repository"], pushed["tag"], pushed["digest"], pushed["user"]),
                         ("shop/web", "1.0", digest, "admin"))
        self.assertEqual(pushed["details"]["tags"], [{"name": "1.0"}])
        self.assertEqual({event["project"] for event in events}, {"shop"})

    def test_pulls_are_gathered(self):
        self.registry.push_image("library/app", "1.0", b"layer")
        start = self.cursor()
        for _ in range(20):
            self.registry.pull_image("library/app", "1.0")
        pulled = lambda: [event for event in self.since(start) if event["type"] == "artifact.pulled"]
        wait_until(lambda: sum(event["count"] for event in pulled()) == 20, 10, "every pull is counted in an event")
        self.assertLess(len(pulled()), 20)
        self.assertEqual({(event["repository"], event["tag"], event["user"]) for event in pulled()},
                         {("library/app", "1.0", "admin")})

    def test_filters(self):
        start = self.cursor()
        project = self.api.made("/projects", {"project_name": "shop"})
        self.registry.push_image("shop/web/app", "1.0", b"layer")
        self.registry.push_image("library/app", "1.0", b"layer")
        self.assertEqual(len(self.since(start, type="artifact.*")), 2)
        self.assertEqual(len(self.since(start, project_id=project)), 2)
        self.assertEqual([event["repository"] for event in self.since(start, repository="shop/**")], ["shop/web/app"])
        for query in ({"type": "nonsense"}, {"after": "x"}, {"limit": 0}, {"limit": 1001}, {"repository": "{"},
                      {"after": 1 << 63}):
            self.api.expect(400, "GET", "/events", query=query)
            if "limit" not in query:
                self.api.expect(400, "GET", "/events/stream", query=query)
        self.api.expect(400, "GET", "/events/stream", headers={"Last-Event-ID": "x"})

    def test_everybody_sees_what_they_may(self):
        for name in ("shop", "other"):
            self.api.post("/projects", {"project_name": name})
        admin_of_shop = self.user("ann", "shop")
        guest = self.user("gus", "shop", role=3)
        start = self.cursor()
        live = self.stream(admin_of_shop)
        self.registry.push_image("shop/app", "1.0", b"layer")
        self.registry.push_image("other/app", "1.0", b"layer")
        self.assertEqual([event["repository"] for event in self.since(start, admin_of_shop)], ["shop/app"])
        self.assertEqual(self.since(start, guest), [], "guests may not list the log")
        self.assertEqual(Api(self.server.host, None).request("GET", "/events").status, 401)
        wait_until(lambda: live.types() == ["artifact.pushed"], 10, "the stream has the push")
        # Rights count at the moment, also in a stream that is open.
        member = [one["id"] for one in self.api.get("/projects/shop/members") if one["entity_name"] == "ann"][0]
        self.api.delete(f"/projects/shop/members/{member}")
        self.registry.push_image("shop/app", "2.0", b"layer 2")
        end = self.stream(self.api, f"?after={start}&type=artifact.*")
        wait_until(lambda: len(end.events) == 3, 10, "others see the second push")
        # That the grant ended may still be told, for it was there when it was asked about.
        self.assertIn(live.types(), (["artifact.pushed"], ["artifact.pushed", "grant.deleted"]))
        self.assertEqual(self.since(start, admin_of_shop), [])

    def test_what_is_not_kept_any_more_is_told_of(self):
        self.registry.push_image("library/app", "1.0", b"layer")
        self.registry.push_image("library/app", "2.0", b"layer 2")
        self.assertEqual([event["id"] for event in self.since(0)], [1, 2, 3, 4])
        # No consumer, no age: nothing goes by itself within a test, so the oldest are taken out past the server.
        if self.server.database:
            self.skipTest("needs the SQLite file")
        import sqlite3
        self.server.stop()
        database = sqlite3.connect(self.server.data / "entrepot.db")
        database.execute("DELETE FROM events WHERE id < 3")
        database.commit()
        database.close()
        self.server.start()
        self.api.expect(410, "GET", "/events", query={"after": 1})
        self.assertEqual(self.since(2)[0]["id"], 3)
        self.assertEqual(self.since(0)[0]["id"], 3)
        stream = self.stream(query="?after=1")
        wait_until(lambda: stream.events, 10, "it goes on with what there is")
        self.assertEqual(stream.gaps, [{"oldest": 3}])


@unittest.skipIf(settings.foreign, "about our own management API")
class Following(EventScenario):
    def test_a_stream_is_resumed_where_it_stood(self):
        self.serve()
        stream = self.stream(query="?type=artifact.pushed")
        for number in range(5):
            self.registry.push_image("library/app", str(number), b"layer %d" % number)
        wait_until(lambda: len(stream.events) == 5, 10, "five pushes arrive")
        third = stream.events[2]["id"]
        stream.close()
        self.registry.push_image("library/app", "away", b"layer away")
        again = self.stream(query="?type=artifact.pushed", last=third)
        wait_until(lambda: len(again.events) == 3, 10, "what came after it arrives")
        self.assertEqual([event["tag"] for event in again.events], ["3", "4", "away"])

    def test_many_follow_while_many_write(self):
        self.serve()
        start = self.cursor()
        streams = [self.stream(query=f"?after={start}&type=artifact.pushed") for _ in range(10)]

        def push(worker):
            registry = Registry(self.server.host, "admin", PASSWORD)
            for number in range(20):
                registry.push_image(f"library/app{worker}", str(number), b"layer %d %d" % (worker, number))
            registry.close()
        workers = [threading.Thread(target=push, args=(worker,)) for worker in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        for stream in streams:
            wait_until(lambda s=stream: len(s.events) == 80, 20, "each has every push")
            ids = [event["id"] for event in stream.events]
            self.assertEqual(ids, sorted(set(ids)))

    def test_streams_are_limited_and_end_with_the_server(self):
        self.serve(environment={"ENTREPOT_EVENTS_STREAMS": "2"})
        streams = [self.stream() for _ in range(2)]
        self.assertEqual([stream.response.status for stream in streams], [200, 200])
        third = self.stream()
        self.assertEqual((third.response.status, third.response.headers["Retry-After"]), (503, "1"))
        streams[0].close()
        wait_until(lambda: self.stream(query="?seconds=1").response.status == 200, 20, "a place is free again")
        self.assertEqual(self.server.stop(seconds=20), 0)
        self.assertTrue(streams[1].ended.wait(10))

    def test_a_stream_can_end_by_itself(self):
        self.serve()
        stream = self.stream(query="?after=0&seconds=3")
        self.assertTrue(stream.ended.wait(20))
        self.assertGreater(len(stream.events), 0)


@unittest.skipIf(settings.foreign, "about our own management API")
class AfterAKill(EventScenario):
    def test_every_acknowledged_push_is_in_the_log_once(self):
        self.serve()
        start = self.cursor()
        chance = random.Random(settings.seed)
        acknowledged = set()
        for generation in range(3):
            stop = threading.Event()

            def push(worker, generation=generation, stop=stop):
                registry = Registry(self.server.host, "admin", PASSWORD, timeout=10)
                number = 0
                while not stop.is_set():
                    tag = f"{generation}-{worker}-{number}"
                    try:
                        registry.push_image(f"library/app{worker}", tag, tag.encode())
                    except Exception:  # killed meanwhile
                        return
                    acknowledged.add(tag)
                    number += 1
            workers = [threading.Thread(target=push, args=(worker,)) for worker in range(3)]
            for worker in workers:
                worker.start()
            threading.Event().wait(chance.uniform(0.5, 1.5))
            self.server.kill()
            stop.set()
            for worker in workers:
                worker.join()
            self.server.start()
        events = [event for event in self.since(start, limit=1000) if event["type"] == "artifact.pushed"]
        tags = [event["tag"] for event in events]
        self.assertEqual(len(tags), len(set(tags)), "no push is in it twice")
        self.assertEqual(acknowledged - set(tags), set(), "none is missing")
        for event in events:
            there = self.registry.request("HEAD", f"/v2/{event['repository']}/manifests/{event['tag']}")
            self.assertEqual((there.status, there.headers["Docker-Content-Digest"]), (200, event["digest"]))
        ids = [event["id"] for event in self.since(start, limit=1000)]
        self.assertEqual(ids, list(range(start + 1, start + 1 + len(ids))), "without a gap")
