"""A tenant's life: its admin needs nobody, an outsider can't tell that it exists, nobody makes themselves more than they
are, and every change counts with the next request."""
import base64
import concurrent.futures
import json
import time
import unittest
import urllib.parse
import uuid

from support import settings
from support.scenario import Scenario
from support.server import PASSWORD

USER_PASSWORD = "Correct4horse"
MASTER_KEY = base64.b64encode(bytes(range(32))).decode()


class Person:
    """Somebody at the management API and at the registry."""

    def __init__(self, scenario, name, server=None):
        self.name = name
        self.registry = scenario.client(server, name, PASSWORD if name == "admin" else USER_PASSWORD)

    def call(self, method, path, body=None, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": self.registry.basic(), "Content-Type": "application/json"}
        return self.registry.raw(method, "/api/v2.0" + path, data, headers)

    def expect(self, status, method, path, body=None, **query):
        answer = self.call(method, path, body, **query)
        if answer.status != status:
            raise AssertionError(f"{method} {path} as {self.name}: wanted {status}, got {answer}")
        return answer

    def get(self, path, **query):
        return self.expect(200, "GET", path, **query).json()

    def make(self, path, body):
        return int(self.expect(201, "POST", path, body).headers["Location"].rsplit("/", 1)[1])

    # What the registry lets them do, each with a token of its own that was asked for now.

    def pull_status(self, repository, reference="1"):
        self.registry._tokens.clear()
        return self.registry.request("GET", f"/v2/{repository}/manifests/{reference}").status

    def push_status(self, repository):
        self.registry._tokens.clear()
        return self.registry.request("POST", f"/v2/{repository}/blobs/uploads/").status


class WithTenant(Scenario):
    """A tenant "acme" of this test's own, its admin, an image in a private project, and somebody who belongs elsewhere."""

    server = None

    def setUp(self):
        super().setUp()
        self.mark = uuid.uuid4().hex[:8]
        self.root = self.person("admin")
        self.tenant = self.named("acme")
        self.admin = self.new_user("ada")
        self.outsider = self.new_user("eve")
        self.root.expect(201, "POST", "/tenants", {"name": self.tenant, "display_name": "Acme", "team_templates": True,
                                                   "admins": [self.admin.name]})
        self.at = f"/tenants/{self.tenant}"
        self.tenant_id = self.admin.get(self.at)["id"]
        self.apps = self.named("apps")
        self.admin.make("/projects", {"project_name": self.apps, "tenant": self.tenant, "metadata": {"public": "false"}})
        self.repository = f"{self.apps}/app"
        self.admin.registry.push_image(self.repository, "1", b"layer")

    def named(self, name):
        return f"{name}-{self.mark}"

    def person(self, name):
        return Person(self, name, self.server)

    def new_user(self, name):
        """A user who is a member of no tenant but the default one."""
        name = self.named(name)
        self.root.expect(201, "POST", "/users", {"username": name, "email": f"{name}@example.org", "realname": name,
                                                 "password": USER_PASSWORD})
        return self.person(name)

    def new_member(self, name, **more):
        """A user whom the tenant's admin makes."""
        name = self.named(name)
        self.admin.expect(201, "POST", f"{self.at}/members", {
            "user": {"username": name, "email": f"{name}@example.org", "realname": name, "password": USER_PASSWORD},
            **more})
        return self.person(name)

    def grant(self, who, person, role, on=None, kind="user", **more):
        return who.call("POST", "/grants", {"subject": {"kind": kind, "name": getattr(person, "name", person)},
                                            "object": on or {"kind": "project", "name": self.apps},
                                            "role": {"name": role}, **more})

    def granted(self, *arguments, **more):
        answer = self.grant(self.admin, *arguments, **more)
        self.assertEqual(answer.status, 201, answer)
        return int(answer.headers["Location"].rsplit("/", 1)[1])


@unittest.skipIf(settings.foreign, "about our own API")
class Tenancy(WithTenant):
    def test_its_admin_does_everything_without_asking(self):
        bob = self.new_member("bob")
        self.assertEqual(self.admin.get(f"{self.at}/members", q=f"username={bob.name}")[0]["username"], bob.name)
        team = self.admin.make(f"{self.at}/teams", {"name": "ops", "description": "on call"})
        user_id = self.admin.get(f"{self.at}/members", q=f"username={bob.name}")[0]["user_id"]
        self.admin.expect(201, "POST", f"{self.at}/teams/{team}/members", {"username": bob.name})
        self.assertEqual([m["user_id"] for m in self.admin.get(f"{self.at}/teams/{team}/members")], [user_id])

        self.assertEqual(bob.pull_status(self.repository), 401)
        grant = self.granted("ops", "developer", kind="team")
        self.assertEqual(bob.pull_status(self.repository), 200, "with the next request")
        self.assertEqual(bob.push_status(self.repository), 202)
        why = self.admin.get("/permissions/explain", user=bob.name, kind="repository", object=self.repository,
                             resource="repository", action="push")
        self.assertTrue(why["allowed"])
        self.assertEqual((why["grant"]["id"], why["role"]["name"]), (grant, "developer"))
        self.assertEqual((why["through"]["kind"], why["through"]["name"]), ("team", "ops"))

        self.admin.expect(200, "DELETE", f"/grants/{grant}")
        self.assertNotEqual(bob.pull_status(self.repository), 200, "with the next request")
        self.admin.expect(200, "PUT", f"{self.at}/teams/{team}", {"name": "night shift"})
        self.assertEqual(self.admin.get(f"{self.at}/teams/{team}")["name"], "night shift")
        self.admin.expect(200, "DELETE", f"{self.at}/teams/{team}")
        self.admin.expect(404, "GET", f"{self.at}/teams/{team}")
        self.admin.expect(200, "PUT", self.at, {"display_name": "Acme Ltd"})
        self.assertEqual(bob.get(self.at)["display_name"], "Acme Ltd")
        self.admin.expect(200, "DELETE", f"{self.at}/members/{user_id}")
        bob.expect(404, "GET", self.at)

    def test_an_outsider_sees_nothing_and_can_not_tell_that_there_is_anything(self):
        team = self.admin.get(f"{self.at}/teams", q="name=SREs")[0]["id"]
        member = self.admin.get(f"{self.at}/members")[0]["user_id"]
        grant = self.admin.get("/grants", q="object_kind=tenant")[0]["id"]
        project_member = self.admin.get(f"/projects/{self.apps}/members")[0]["id"]
        nowhere, nothing = self.named("nowhere"), 2**40

        def both(method, there, gone, body=None):
            """The same answer, word for word, for what exists and for what does not."""
            real = self.outsider.call(method, there, body)
            unreal = self.outsider.call(method, gone, body)
            self.assertEqual(real.status, 404, f"{method} {there}: {real}")
            self.assertEqual(real.body, unreal.body, f"{method} {there}")

        for method, rest, body in (
                ("GET", "", None), ("PUT", "", {"display_name": "mine"}), ("DELETE", "", None),
                ("GET", "/quota", None), ("PUT", "/quota", {"hard": {"storage": 1}}),
                ("GET", "/members", None), ("POST", "/members", {"username": self.outsider.name}),
                ("GET", f"/members/{member}", None), ("DELETE", f"/members/{member}", None),
                ("GET", "/teams", None), ("POST", "/teams", {"name": "mine"}), ("GET", f"/teams/{team}", None),
                ("PUT", f"/teams/{team}", {"name": "mine"}), ("DELETE", f"/teams/{team}", None),
                ("GET", f"/teams/{team}/members", None),
                ("POST", f"/teams/{team}/members", {"username": self.outsider.name}),
                ("DELETE", f"/teams/{team}/members/{member}", None)):
            both(method, self.at + rest, f"/tenants/{nowhere}" + rest, body)
            both(method, f"/tenants/{self.tenant_id}" + rest, f"/tenants/{nothing}" + rest, body)
        for method, rest, body in (("GET", "", None), ("POST", "", {"role_id": 1, "member_user": {"username": "eve"}}),
                                   ("GET", f"/{project_member}", None), ("DELETE", f"/{project_member}", None),
                                   ("PUT", f"/{project_member}", {"role_id": 1})):
            both(method, f"/projects/{self.apps}/members{rest}", f"/projects/{nowhere}/members{rest}", body)
        both("GET", f"/grants/{grant}", f"/grants/{nothing}")
        both("DELETE", f"/grants/{grant}", f"/grants/{nothing}")
        for kind, there in (("project", self.apps), ("tenant", self.tenant)):
            wish = {"subject": {"kind": "user", "name": self.outsider.name}, "role": {"name": "guest"}}
            answers = [self.outsider.call("POST", "/grants", {**wish, "object": {"kind": kind, "name": name}})
                       for name in (there, nowhere)]
            self.assertEqual([answer.status for answer in answers], [404, 404])
            self.assertEqual(answers[0].body, answers[1].body)
            questions = [self.outsider.call("GET", "/permissions/explain", kind=kind, object=name, resource=kind,
                                            action="read") for name in (there, nowhere)]
            self.assertEqual([answer.status for answer in questions], [404, 404])
            self.assertEqual(questions[0].body, questions[1].body)

        self.assertNotIn(self.tenant, [tenant["name"] for tenant in self.outsider.get("/tenants", page_size=100)])
        self.assertEqual(self.outsider.get("/grants"), [])
        self.assertEqual(self.outsider.pull_status(self.repository), self.outsider.pull_status(f"{nowhere}/app"))
        self.assertNotEqual(self.outsider.pull_status(self.repository), 200)

    def test_a_neighbours_admin_is_no_more_than_an_outsider(self):
        other = self.named("other")
        self.root.expect(201, "POST", "/tenants", {"name": other, "admins": [self.outsider.name]})
        self.outsider.expect(404, "GET", self.at)
        self.outsider.expect(404, "GET", f"{self.at}/members")
        self.assertEqual([grant["object"]["name"] for grant in self.outsider.get("/grants")], [other])
        answer = self.grant(self.outsider, self.outsider, "tenant-admin", {"kind": "tenant", "name": self.tenant})
        self.assertEqual(answer.status, 404)
        # Whom they don't know they can't grant anything either, in their own tenant.
        bob = self.new_member("bob")
        for name in (bob.name, self.named("nobody")):
            answer = self.grant(self.outsider, name, "guest", {"kind": "tenant", "name": other})
            self.assertEqual(answer.status, 404)

    def test_nobody_makes_themselves_more_than_they_are(self):
        bob = self.new_member("bob")
        carl = self.new_member("carl")
        here = {"kind": "tenant", "id": self.tenant_id}
        self.assertEqual(self.grant(bob, bob, "tenant-admin", here).status, 403)
        self.assertEqual(self.grant(bob, bob, "platform-admin", {"kind": "platform"}).status, 403)
        bob.expect(403, "POST", f"{self.at}/teams", {"name": "mine"})
        bob.expect(403, "POST", f"{self.at}/members", {"username": "admin"})
        bob.expect(403, "POST", "/tenants", {"name": self.named("mine")})
        bob.expect(403, "POST", "/roles", {"name": self.named("all"), "permissions": ["platform:user:delete"]})

        # Somebody who may hand out rights hands out no others than their own.
        role = self.named("clerk")
        self.root.expect(201, "POST", "/roles", {"name": role, "permissions": [
            "project:grant:create", "project:grant:list", "project:member:create", "project:member:update",
            "project:project:read", "project:repository:pull"]})
        self.granted(bob, role)
        for wanted in ("developer", "maintainer", "project-admin", "platform-admin"):
            self.assertEqual(self.grant(bob, bob, wanted).status, 403, wanted)
            self.assertEqual(self.grant(bob, carl, wanted).status, 403, wanted)
            answer = self.grant(bob, bob, wanted, {"kind": "repository", "name": self.apps, "pattern": "**"})
            self.assertEqual(answer.status, 403, wanted)
        bob.expect(403, "POST", f"/projects/{self.apps}/members", {"role_id": 1, "member_user": {"username": carl.name}})
        self.assertEqual(self.grant(bob, carl, role).status, 201)
        self.assertEqual(carl.push_status(self.repository), 401)

        # The tenant's admin is no platform admin: neither by grant, nor by the fields of what they may change.
        self.assertEqual(self.grant(self.admin, self.admin, "platform-admin", {"kind": "platform"}).status, 403)
        self.admin.expect(403, "PUT", self.at, {"frozen": True})
        self.admin.expect(403, "PUT", self.at, {"protected": True})
        self.admin.expect(403, "PUT", f"{self.at}/quota", {"hard": {"storage": -1}})
        self.admin.expect(403, "DELETE", self.at)
        self.admin.expect(200, "PUT", self.at, {"description": "d", "id": 1, "name": "default", "quota_bytes": 5})
        self.assertEqual((self.admin.get(self.at)["name"], self.admin.get(self.at)["quota_bytes"]), (self.tenant, -1))

    def test_a_team_is_joined_only_through_who_holds_what_it_holds(self):
        bob = self.new_member("bob")
        role = self.named("leader")
        self.root.expect(201, "POST", "/roles", {"name": role, "permissions": ["tenant:team:update", "tenant:team:read"]})
        self.granted(bob, role, {"kind": "tenant", "name": self.tenant})
        plain = self.admin.make(f"{self.at}/teams", {"name": "plain"})
        bob.expect(201, "POST", f"{self.at}/teams/{plain}/members", {"username": bob.name})
        rich = self.admin.get(f"{self.at}/teams", q="name=Developers")[0]["id"]
        bob.expect(403, "POST", f"{self.at}/teams/{rich}/members", {"username": bob.name})
        everyone = self.admin.get(f"{self.at}/teams", q="implicit=true")[0]["id"]
        self.admin.expect(412, "DELETE", f"{self.at}/teams/{everyone}")
        self.admin.expect(412, "POST", f"{self.at}/teams/{everyone}/members", {"username": bob.name})
        self.admin.expect(404, "POST", f"{self.at}/teams/{plain}/members", {"username": self.outsider.name})

    def test_harbors_members_are_the_same_grants(self):
        bob = self.new_member("bob")
        members = f"/projects/{self.apps}/members"
        location = self.admin.expect(201, "POST", members, {
            "role_id": 3, "member_user": {"username": bob.name}}).headers["Location"]
        member = int(location.rsplit("/", 1)[1])
        shown = self.admin.get(f"{members}/{member}")
        self.assertEqual({**shown, "project_id": 0, "entity_id": 0}, {
            "id": member, "project_id": 0, "entity_name": bob.name, "role_name": "guest", "role_id": 3, "entity_id": 0,
            "entity_type": "u"})
        native = self.admin.get(f"/grants/{member}")
        self.assertEqual((native["role"]["name"], native["origin"]), ("guest", "harbor"))
        self.assertEqual(bob.push_status(self.repository), 401)
        self.admin.expect(200, "PUT", f"{members}/{member}", {"role_id": 2})
        self.assertEqual(bob.push_status(self.repository), 202, "with the next request")
        self.admin.expect(409, "POST", members, {"role_id": 2, "member_user": {"username": bob.name}})
        self.admin.expect(400, "POST", members, {"role_id": 8, "member_user": {"username": bob.name}})
        self.admin.expect(404, "POST", members, {"role_id": 2, "member_user": {"username": self.named("nobody")}})
        bob.expect(403, "PUT", f"{members}/{member}", {"role_id": 1})
        self.granted("Developers", "guest", kind="team")
        names = {entry["entity_name"]: entry["entity_type"] for entry in bob.get(members, page_size=100)}
        self.assertEqual((names[bob.name], names["Developers"]), ("u", "g"))
        self.assertEqual([entry["entity_name"] for entry in bob.get(members, entityname="evelop")], ["Developers"])
        self.admin.expect(200, "DELETE", f"{members}/{member}")
        self.admin.expect(404, "GET", f"/grants/{member}")
        self.assertNotEqual(bob.pull_status(self.repository), 200)

    def test_frozen_it_is_read_only_and_a_quota_it_gave_away_stays(self):
        self.root.expect(200, "PUT", self.at, {"frozen": True})
        self.assertEqual(self.admin.pull_status(self.repository), 200)
        self.assertEqual(self.admin.push_status(self.repository), 401)
        self.admin.expect(403, "POST", f"{self.at}/teams", {"name": "ops"})
        self.root.expect(200, "PUT", self.at, {"frozen": False, "protected": True})
        self.assertEqual(self.admin.push_status(self.repository), 202)
        self.root.expect(412, "DELETE", self.at)
        self.root.expect(200, "PUT", self.at, {"protected": False})
        self.root.expect(412, "DELETE", self.at)  # it has a project
        self.root.expect(412, "DELETE", "/tenants/default")
        self.root.expect(200, "PUT", f"{self.at}/quota", {"hard": {"storage": 10**12, "artifacts": 100}})
        quota = self.admin.get(f"{self.at}/quota")
        self.assertEqual(quota["hard"], {"storage": 10**12, "artifacts": 100})
        self.assertGreater(quota["used"]["storage"], 0)

    def test_grants_expire_and_are_made_once(self):
        bob = self.new_member("bob")
        soon = time.time() + 2
        self.granted(bob, "guest", expires_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(soon + 1)))
        self.assertEqual(bob.pull_status(self.repository), 200)
        deadline = time.monotonic() + 30
        while bob.pull_status(self.repository) == 200:
            self.assertLess(time.monotonic(), deadline, "the grant does not end")
            time.sleep(0.1)
        past = self.grant(self.admin, bob, "guest", expires_at="2020-01-01T00:00:00Z")
        self.assertEqual(past.status, 400)

        here = {"kind": "tenant", "name": self.tenant}
        people = [Person(self, self.admin.name, self.server) for _ in range(4)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            statuses = sorted(pool.map(lambda who: self.grant(who, bob, "developer", here).status, people))
        self.assertEqual(statuses, [201, 409, 409, 409])

    def test_words_that_are_sql_elsewhere_are_words_here(self):
        for path in ("/tenants", "/grants", "/roles", f"{self.at}/members", f"{self.at}/teams"):
            for query in ({"sort": "id;DROP TABLE grants"}, {"q": "nothing=1"}, {"q": "1=1) OR (1=1"},
                          {"sort": "(SELECT 1)"}, {"page_size": "101"}, {"page": "0"}):
                self.admin.expect(400, "GET", path, **query)
        self.assertEqual(self.admin.get(f"{self.at}/members", q="username=' OR '1'='1"), [])
        self.assertEqual(self.admin.get("/tenants", q="name=~%"), [])


@unittest.skipUnless(settings.database == "postgres", "two instances share a PostgreSQL database")
class OnAnotherInstance(WithTenant):
    def setUp(self):
        from support.postgres import shared_cluster
        self.database = shared_cluster().fresh_database()
        super().setUp()
        self.second = self.instance("two")

    def instance(self, name):
        return self.own_server(data=self.work / name, database=self.database, environment={
            "ENTREPOT_STORAGE_ROOT": str(self.work / "blobs"), "ENTREPOT_AUTH_MASTER_KEY": MASTER_KEY})

    def person(self, name):
        if self.server is None:
            self.server = self.instance("one")
        return super().person(name)

    def becomes(self, status, ask):
        """How long it takes until ask() answers this."""
        start = time.monotonic()
        while ask() != status:
            self.assertLess(time.monotonic() - start, 10, "the other instance never hears of it")
            time.sleep(0.02)
        return time.monotonic() - start

    def test_a_change_counts_there_without_a_restart_or_a_poll(self):
        bob = self.new_member("bob")
        there = Person(self, bob.name, self.second)
        self.becomes(200, lambda: there.call("GET", self.at).status)
        given, taken = [], []
        for _ in range(5):
            grant = self.granted(bob, "guest")
            given.append(self.becomes(200, lambda: there.pull_status(self.repository)))
            self.admin.expect(200, "DELETE", f"/grants/{grant}")
            taken.append(self.becomes(401, lambda: there.pull_status(self.repository)))
        for name, seconds in (("given", given), ("taken", taken)):
            print(f"  a grant {name} counts on the other instance after "
                  f"{', '.join(f'{second * 1000:.0f}' for second in seconds)} ms")


if __name__ == "__main__":
    unittest.main()
