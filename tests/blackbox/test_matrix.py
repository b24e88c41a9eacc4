"""Every role crossed with every operation of the management API and of the distribution API, allowed and denied.

What is expected comes from two places that don't know each other: what the contract says an operation takes
(x-required-permission), and the tables of support/roles.py, written from Harbor's documentation of its project roles (C create,
R read, U update, D delete, L list) and from ours of the others. Who may not see an object gets 404, who sees it and lacks
the permission 403, nobody in particular 401."""
import concurrent.futures
import dataclasses
import functools
import unittest

from support import settings
from support.api import Api
from support.registry import OCI_MANIFEST, digest_of
from support.roles import PROJECT_ADMIN, PUBLIC, ROLES, TENANT_ADMIN, TENANT_MEMBER
from support.scenario import Scenario
from support.server import Server
from support.swarm import SWARM

try:
    from support.contract import Contract
    from support.world import REQUESTS, USER_PASSWORD, Call, World
except ImportError:
    Contract = None

EVERYTHING = "everything"
READING = "reading"


@dataclasses.dataclass
class Principal:
    name: str
    api: object
    rights: object  # a set of "kind:resource:action" on the world's tenant and private project, or one of the above
    person: bool = True
    user_id: object = "current"
    join: object = None  # gives the same in another project
    join_tenant: object = None
    password_is_theirs: bool = True  # no token, no robot: may change their own secrets
    everywhere: bool = False  # their rights are not on the one project alone

    def may(self, permission, public=False):
        kind, _, action = permission.split(":")
        if self.rights == EVERYTHING:
            return True
        if self.rights == READING:
            return action in ("read", "list") or (public and permission in PUBLIC)
        return permission in self.rights or (public and permission in PUBLIC)

    def sees(self, kind, public=False):
        """Whether objects of that kind (ours, or platform-wide ones) are there for this caller at all."""
        if self.rights in (EVERYTHING, READING) or kind == "platform":
            return True
        if kind == "tenant":
            return "tenant:tenant:read" in self.rights
        return public or any(right.startswith("project:") for right in self.rights)


class Cast:
    """Everybody of the play."""

    def __init__(self, world):
        self.world = world
        self.people = {}
        everybody = world.admin
        self.add("platform-admin", everybody, EVERYTHING)
        auditor = self.user("auditor")
        everybody.post("/grants", {"subject": {"kind": "user", "id": auditor}, "object": {"kind": "platform"}, "role_id": 7})
        self.add("auditor", self.login(auditor), READING, user_id=auditor)
        for name, role, rights in (("tenant-admin", 8, TENANT_ADMIN), ("tenant-member", None, TENANT_MEMBER)):
            number = self.user(name)
            self.join_tenant(number, role, world, world.tenant)
            self.add(name, self.login(number), rights, user_id=number,
                     everywhere=True, join_tenant=functools.partial(self.join_tenant, number, role))
        for name, (role, rights) in ROLES.items():
            number = self.user(name)
            self.join(number, role, world, world.project)
            self.add(name, self.login(number), rights, user_id=number, join=functools.partial(self.join, number, role))
        self.add("outsider", self.login(self.user("outsider")), set())
        self.add("anonymous", Api(world.host, None), set(), person=False)
        self.robots()
        self.tokens()

    def add(self, name, api, rights, **more):
        self.people[name] = Principal(name, api, rights, **more)

    def user(self, stem):
        return self.world.user(stem)

    def login(self, number):
        return Api(self.world.host, self.world.user_name(number), USER_PASSWORD)

    @staticmethod
    def join(number, role, world, project):
        world.admin.post("/grants", {"subject": {"kind": "user", "id": number}, "role_id": role,
                                     "object": {"kind": "project", "name": project}})

    @staticmethod
    def join_tenant(number, role, world, tenant):
        world.admin.post(f"/tenants/{tenant}/members", {"user_id": number, **({"role_id": role} if role else {})})

    def robots(self):
        world = self.world
        rights = {"project:repository:pull", "project:repository:list", "project:artifact:list", "project:member:list",
                  "project:label:create"}
        for name, project in (("project-robot", world.project), ("robot-of-another-project", world.public)):
            made = world.fresh_robot(project=project, access=[right.split(":")[1:] for right in sorted(rights)])
            self.add(name, Api(world.host, made["name"], made["secret"]), rights if project == world.project else set(),
                     person=False)
        made = world.admin.post("/robots", world.robot_body(level="system", permissions=[
            {"kind": "system", "namespace": "/", "access": [{"resource": "project", "action": "list"},
                                                            {"resource": "quota", "action": "read"}]},
            {"kind": "project", "namespace": "*", "access": [{"resource": "artifact", "action": "read"}]}])).json()
        self.add("system-robot", Api(world.host, made["name"], made["secret"]),
                 {"platform:project:list", "platform:quota:read", "project:artifact:read"}, person=False, everywhere=True)

    def tokens(self):
        world = self.world
        for name, scopes, rights in (
                ("token-for-pulls", [{"kind": "project", "namespace": world.project, "access": [
                    {"resource": "repository", "action": "pull"}]}], {"project:repository:pull"}),
                ("token-for-members", [{"kind": "project", "namespace": "*", "access": [
                    {"resource": "member", "action": "create"}, {"resource": "member", "action": "list"},
                    {"resource": "project", "action": "read"}]}],
                 {"project:member:create", "project:member:list", "project:project:read"}),
                ("token-for-another-project", [{"kind": "project", "namespace": world.public, "access": [
                    {"resource": "member", "action": "list"}]}], set())):
            number = self.user(name)
            self.join(number, 1, world, world.project)
            owner = self.login(number)
            made = owner.post("/users/current/tokens", {"name": name, "scopes": scopes}).json()
            owner.close()
            self.add(name, Api(world.host, None, bearer=made["token"]), rights & PROJECT_ADMIN, user_id=number,
                     password_is_theirs=False)


# Where the contract offers alternatives, which one the world's request is about.
ABOUT_PROJECT = {"ListLabels", "CreateLabel", "GetLabelByID", "UpdateLabel", "DeleteLabel", "getQuota", "ListRobot",
                 "CreateRobot", "GetRobotByID", "UpdateRobot", "RefreshSec", "DeleteRobot", "createGrant", "getGrant",
                 "deleteGrant"}
# Things that the path names by a number: who may not read one is told that there is none, whatever it belongs to.
READ_BY = {"GetRobotByID": "project:robot:read", "DeleteRobot": "project:robot:read", "getGrant": "project:grant:list",
           "deleteGrant": "project:grant:list", "getPreheat": "project:preheat-policy:read",
           "listPreheatNodes": "project:preheat-policy:read", "cancelPreheat": "project:preheat-policy:read",
           # And who may not pull an image, that it isn't under way.
           "getSwarmImage": "project:repository:pull", "listNodesOfSwarmImage": "project:repository:pull"}
# What isn't about a permission of ours alone: the one who gets another answer, and why.
OTHERWISE = {
    # As long as everyone creates projects, whoever is a member of the tenant does.
    ("createProject", "tenant-member"): 201,
    # Scopes of a token are never about people.
    ("searchUsers", "token-for-pulls"): 403, ("searchUsers", "token-for-members"): 403,
    ("searchUsers", "token-for-another-project"): 403,
}
# Operations on things that the platform owns: who lacks the right gets 403 whether they exist or not.
OPEN = {"anyone", "signed-in"}
# Whose outcome is not about a permission alone; each has a story of its own.
ELSEWHERE = {
    "logIn": "test_cves.py, test_sessions.py", "logOut": "test_sessions.py", "userExists": "test_sessions.py",
    "createToken": "people only; below", "deleteToken": "people only; below", "listTokens": "people only; below",
    "getCurrentUserInfo": "people only; below", "getCert": "always 404",
    "explainPermission": "visible objects only; below",
    "getCurrentUserPermissions": "visible objects only; below", "headProject": "visible objects only; below",
    "pingRegistry": "needs a registry that answers: test_replication_api.py",
    "getReplicationLog": "needs a task: test_replication_api.py",
    "createGrant": "nobody grants what they lack; below", "CreateRobot": "nobody grants what they lack; below",
    "UpdateRobot": "nobody grants what they lack; below", "createProjectMember": "nobody grants what they lack; below",
    "updateProjectMember": "nobody grants what they lack; below", "RefreshSec": "a robot's rights are taken over; below",
}
# Each needs a project of its own, which several sites hold.
OF_SITES = ("getSynchronisation", "setSynchronisation", "deleteSynchronisation", "takeOverSynchronisation", "followHome", "leaveHome")
# An answer other than the operation's own success, for one who may: the state and not the caller decides.
ALSO_FINE = {"updateTenant": (200,), "createUser": (201,)}


def expected(principal, operation, public=False):
    """The status."""
    permissions = [one for one in operation.permissions if one != "self"]
    if (operation.id, principal.name) in OTHERWISE:
        return OTHERWISE[operation.id, principal.name]
    if operation.id in ABOUT_PROJECT:
        permissions = [one for one in permissions if one.startswith("project:")]
    if "anyone" in permissions and operation.id != "createUser":
        return operation.success
    if principal.name == "anonymous":
        return operation.success if public and permissions[0] in PUBLIC and operation.method == "GET" else 401
    if "signed-in" in permissions:
        return operation.success
    permissions = [one for one in permissions if one != "anyone"]
    made_for_it = operation.id in ("deleteProject", "renameProject", *OF_SITES)
    if made_for_it and isinstance(principal.rights, set) and not principal.join and not principal.everywhere:
        return 404  # it was made for this request, and they have nothing there
    if any(principal.may(permission, public) for permission in permissions):
        return operation.success
    if operation.id in READ_BY:
        return 403 if principal.may(READ_BY[operation.id], public) else 404
    return 403 if principal.sees(NEEDS_SIGHT.get(operation.id, permissions[0].split(":")[0]), public) else 404


# Operations whose permission is of something else than what the path names, which must be seen first.
NEEDS_SIGHT = {"deleteTenant": "tenant", "updateTenantQuota": "tenant", "updateQuota": "project",
               "setSynchronisation": "project", "deleteSynchronisation": "project", "takeOverSynchronisation": "project"}


@unittest.skipIf(settings.foreign, "about our own management API")
@unittest.skipUnless(Contract, "needs the packages of tests/requirements.txt (tools/install-test-deps.sh)")
class Matrix(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(environment=SWARM).start()
        cls.addClassCleanup(cls.server.close)
        cls.world = World(cls.server.host)
        cls.addClassCleanup(cls.world.close)
        cls.contract = Contract(cls.world.admin.get("/openapi.json"))
        cls.cast = Cast(cls.world)

    def cross(self, operations, status_of, call_of):
        """Sends each operation's request as everybody. What is denied leaves its object as it was, so one request does
        for all who are; who is let through gets one of their own."""
        wrong, sent = [], 0
        for operation in operations:
            denied = call_of(operation, None)
            for principal in self.cast.people.values():
                wanted = status_of(principal, operation)
                fresh = wanted < 400 and operation.method not in ("GET", "HEAD")
                special = operation.id in ("deleteProject", "renameProject", "deleteTenant", *OF_SITES)
                call = call_of(operation, principal) if fresh or special else denied
                answer = call.send(principal.api, operation)
                sent += 1
                if answer.status != wanted:
                    wrong.append(f"{operation.id} as {principal.name}: wanted {wanted}, got {answer}")
                elif wanted >= 400 and operation.method != "HEAD" and self.contract.problems(operation, answer):
                    wrong.append(f"{operation.id} as {principal.name}: {self.contract.problems(operation, answer)}")
        self.assertGreater(sent, len(self.cast.people))
        self.assertEqual(wrong, [], f"{len(wrong)} of {sent}:\n" + "\n".join(wrong))

    def test_every_role_with_every_operation(self):
        operations = [one for one in self.contract.operations.values() if one.id not in ELSEWHERE]
        self.cross(operations, expected, lambda operation, caller: REQUESTS[operation.id](self.world, caller))

    def test_a_public_project_shows_what_is_public(self):
        world = self.world
        operations = [one for one in self.contract.operations.values() if one.method == "GET" and one.id not in ELSEWHERE
                      and any(right.startswith("project:") for right in one.permissions)
                      and ("{project_name}" in one.path or "{project_name_or_id}" in one.path)
                      and not any(name in one.path for name in ("{mid}", "{webhook_policy_id}", "/webhook/jobs", "{immutable_rule_id}",
                                                                    "{push_policy_id}", "{promotion_policy_id}", "{promotion_id}",
                                                                    "{trash_id}", "/synchronisation"))]

        def call_of(operation, _):
            call = REQUESTS[operation.id](world, None)
            values = {**call.values}
            for key in ("project_name", "project_name_or_id"):
                if key in values:
                    values[key] = world.public
            return Call(values, call.query)
        # What somebody holds in the private project they don't hold here.
        elsewhere = {name: dataclasses.replace(one, rights=one.rights if isinstance(one.rights, str) else
                                               TENANT_ADMIN if name == "tenant-admin" else set())
                     for name, one in self.cast.people.items()
                     if "robot" not in name and "token" not in name}
        with self.subTest(operations=len(operations)):
            self.assertGreater(len(operations), 15)
            cast, self.cast.people = self.cast.people, elsewhere
            try:
                self.cross(operations, functools.partial(expected, public=True), call_of)
            finally:
                self.cast.people = cast

    def test_what_is_not_there_looks_like_what_is_hidden(self):
        """To everybody who doesn't see it: the same status and the same words."""
        world = self.world
        blind = [one for one in self.cast.people.values() if not one.sees("project")]
        self.assertGreaterEqual(len(blind), 4)
        for operation in self.contract.operations.values():
            if "{project_name}" not in operation.path and "{project_name_or_id}" not in operation.path:
                continue
            call = REQUESTS[operation.id](world, None)
            missing = Call({key: f"nothing{world.mark}" if value == world.project else value
                            for key, value in call.values.items()}, call.query, call.body, call.headers)
            for principal in blind:
                hidden, absent = (one.send(principal.api, operation) for one in (call, missing))
                with self.subTest(operation.id, caller=principal.name):
                    self.assertEqual((hidden.status, self.words(hidden)), (absent.status, self.words(absent)))
                    self.assertEqual(hidden.status, 401 if principal.name == "anonymous" else 404)

    def words(self, answer):
        return answer.body.decode().replace(f"nothing{self.world.mark}", "NAME").replace(self.world.project, "NAME")

    def test_nobody_grants_what_they_lack(self):
        """Each role tries to give each role away in the private project: as member, by grant, to a robot."""
        world = self.world
        may_grant = {"platform-admin", "tenant-admin", "project-admin"}
        for name, principal in self.cast.people.items():
            sees = principal.sees("project")
            refused = 401 if name == "anonymous" else 403 if sees else 404
            number = world.user("subject")
            for role in (5, 1):
                member = principal.api.request("POST", f"/projects/{world.project}/members", {
                    "role_id": role, "member_user": {"user_id": number}})
                grant = principal.api.request("POST", "/grants", {
                    "subject": {"kind": "user", "id": number}, "object": {"kind": "project", "id": world.project_id},
                    "role_id": role})
                robot = principal.api.request("POST", "/robots", world.robot_body(access=(("member", "delete"),)))
                with self.subTest(name, role=role):
                    if name in may_grant:
                        self.assertEqual((member.status, robot.status), (201, 201), (member, robot))
                        self.assertIn(grant.status, (201, 409), grant)
                        world.admin.delete(member.headers["Location"].removeprefix("/api/v2.0"))
                    else:
                        # A token that may make members can't make one with rights that the token has not.
                        self.assertEqual(member.status, refused, member)
                        self.assertEqual(grant.status, refused, grant)
                        self.assertEqual(robot.status, refused, robot)
            for object_, role in (({"kind": "tenant", "id": world.tenant_id}, 8), ({"kind": "platform"}, 6)):
                grant = principal.api.request("POST", "/grants", {
                    "subject": {"kind": "user", "id": number}, "object": object_, "role_id": role})
                allowed = name == "platform-admin" or (name == "tenant-admin" and role == 8)
                with self.subTest(name, object=object_["kind"]):
                    if allowed:
                        # The subject must be a member of the tenant.
                        self.assertIn(grant.status, (201, 404, 412, 422), grant)
                    else:
                        self.assertIn(grant.status, (401, 403, 404), grant)

    def test_people_and_their_own(self):
        """What only people may: themselves, their tokens; robots are no people, tokens make no tokens."""
        for name, principal in self.cast.people.items():
            current = principal.api.request("GET", "/users/current").status
            tokens = principal.api.request("POST", "/users/current/tokens", {"name": f"of {name}"}).status
            with self.subTest(name):
                if name == "anonymous":
                    self.assertEqual((current, tokens), (401, 401))
                elif not principal.person:
                    self.assertEqual((current, tokens), (412, 403))
                elif not principal.password_is_theirs:
                    self.assertEqual((current, tokens), (200, 403))
                else:
                    self.assertEqual((current, tokens), (200, 201))

    def test_questions_about_what_one_does_not_see(self):
        world = self.world
        for name, principal in self.cast.people.items():
            anonymous = name == "anonymous"
            sees = principal.sees("project")
            head = principal.api.request("HEAD", f"/projects?project_name={world.project}").status
            explain = principal.api.request("GET", "/permissions/explain", query={
                "kind": "project", "object": world.project, "resource": "repository", "action": "pull"})
            rights = principal.api.request("GET", "/users/current/permissions", query={
                "scope": f"/project/{world.project_id}", "relative": "true"})
            with self.subTest(name):
                self.assertEqual(head, 401 if anonymous else 200 if sees else 404)
                self.assertEqual(explain.status, 401 if anonymous else 200 if sees else 404, explain)
                self.assertEqual(rights.status, 401 if anonymous else 200, rights)
                if not anonymous and not isinstance(principal.rights, str):
                    # Relative to the project, which is "." itself.
                    listed = {f"project:{one['resource'].replace('.', 'project')}:{one['action']}" for one in rights.json()}
                    self.assertEqual(listed, {right for right in principal.rights if right.startswith("project:")})
                if sees and not anonymous:
                    self.assertIs(explain.json()["allowed"], principal.may("project:repository:pull"), explain)


@unittest.skipIf(settings.foreign, "about our own permissions")
@unittest.skipUnless(Contract, "needs the packages of tests/requirements.txt (tools/install-test-deps.sh)")
class DistributionMatrix(Scenario):
    """The same cast at /v2, with Basic credentials as simple clients send them."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.addClassCleanup(cls.server.close)
        cls.world = World(cls.server.host)
        cls.addClassCleanup(cls.world.close)
        cls.cast = Cast(cls.world)
        cls.manifest = cls.world.registry.expect(
            200, "GET", f"/v2/{cls.world.project}/app/manifests/1.0", headers={"Accept": OCI_MANIFEST}).body
        cls.digest = digest_of(cls.manifest)
        cls.blob = cls.world.registry.request(
            "GET", f"/v2/{cls.world.project}/app/manifests/1.0", headers={"Accept": OCI_MANIFEST}).json()["layers"][0]["digest"]

    def requests(self, project):
        name = f"/v2/{project}/app"
        other = self.world.fresh_image  # an image to delete, of its own
        pull, push, remove = "project:repository:pull", "project:repository:push", "project:artifact:delete"
        yield "pull a manifest", pull, "GET", lambda: f"{name}/manifests/1.0", None, 200
        yield "look at a manifest", pull, "HEAD", lambda: f"{name}/manifests/{self.digest}", None, 200
        yield "pull a blob", pull, "GET", lambda: f"{name}/blobs/{self.blob}", None, 200
        yield "look at a blob", pull, "HEAD", lambda: f"{name}/blobs/{self.blob}", None, 200
        yield "list tags", pull, "GET", lambda: f"{name}/tags/list", None, 200
        yield "list referrers", pull, "GET", lambda: f"{name}/referrers/{self.digest}", None, 200
        yield "start an upload", push, "POST", lambda: f"{name}/blobs/uploads/", b"", 202
        yield "push a manifest", push, "PUT", lambda: f"{name}/manifests/pushed", self.manifest, 201
        yield "delete a tag", remove, "DELETE", lambda: f"{name}/manifests/{self.tag()}", None, 202
        yield "delete a manifest", remove, "DELETE", lambda: f"{name}/manifests/{other()}", None, 202

    def tag(self):
        name = self.world.name("tag")
        self.world.push(self.world.project, "app", name)
        return name

    def send(self, principal, method, path, body):
        headers = {"Accept": OCI_MANIFEST}
        if method == "PUT":
            headers["Content-Type"] = OCI_MANIFEST
        return principal.api.request(method, path, body, headers, base="")

    def test_every_role_with_every_operation(self):
        wrong = []
        for label, permission, method, path, body, success in self.requests(self.world.project):
            spare = path()
            for principal in self.cast.people.values():
                may = principal.may(permission) and principal.rights != READING
                wanted = success if may else 401 if principal.name == "anonymous" else 403
                destructive = may and method == "DELETE"
                answer = self.send(principal, method, path() if destructive else spare, body)
                if answer.status != wanted:
                    wrong.append(f"{label} as {principal.name}: wanted {wanted}, got {answer}")
        self.assertEqual(wrong, [], "\n".join(wrong))

    def test_hidden_and_missing_look_alike(self):
        for label, _, method, path, body, _ in self.requests(self.world.project):
            hidden = path()
            missing = hidden.replace(self.world.project, f"nothing{self.world.mark}")
            for principal in self.cast.people.values():
                if principal.sees("project"):
                    continue
                answers = [self.send(principal, method, one, body) for one in (hidden, missing)]
                words = [answer.body.decode().replace(f"nothing{self.world.mark}", self.world.project) for answer in answers]
                with self.subTest(label, caller=principal.name):
                    self.assertEqual((answers[0].status, words[0]), (answers[1].status, words[1]))

    def test_mounting_takes_a_pull_there_and_a_push_here(self):
        world = self.world
        target = world.fresh_project()
        for name, principal in self.cast.people.items():
            for pulls in (True, False):
                source = f"{world.project}/app" if pulls else f"{world.name('never').replace('-', '')}/app"
                answer = self.send(principal, "POST",
                                   f"/v2/{world.project}/mounted/blobs/uploads/?mount={self.blob}&from={source}", b"")
                may_push = principal.may("project:repository:push") and principal.rights != READING
                with self.subTest(name, there=pulls):
                    if not may_push:
                        self.assertEqual(answer.status, 401 if name == "anonymous" else 403, answer)
                    else:
                        # Without a right to pull from there it is an upload like any other: nothing is told.
                        self.assertEqual(answer.status, 201 if pulls else 202, answer)
            # Into a project where they have nothing.
            answer = self.send(principal, "POST", f"/v2/{target}/x/blobs/uploads/?mount={self.blob}&from={world.project}/app", b"")
            with self.subTest(name, into="another project"):
                wanted = 201 if name in ("platform-admin", "tenant-admin") else 401 if name == "anonymous" else 403
                self.assertEqual(answer.status, wanted, answer)

    def test_the_catalog_shows_what_one_may_list(self):
        for name, principal in self.cast.people.items():
            answer = self.send(principal, "GET", "/v2/_catalog?n=1000", None)
            with self.subTest(name):
                if name == "anonymous":
                    self.assertEqual(answer.status, 401)
                    continue
                self.assertEqual(answer.status, 200, answer)
                listed = f"{self.world.project}/app" in answer.json()["repositories"]
                self.assertEqual(listed, principal.may("project:repository:list"))
                self.assertIn(f"{self.world.public}/app", answer.json()["repositories"])

    def test_many_at_once_get_what_is_theirs(self):
        """The same answers under load: decisions are made from one memory by many threads."""
        principals = [one for one in self.cast.people.values()]

        def ask(number):
            principal = principals[number % len(principals)]
            api = Api(self.server.host, principal.api.user, principal.api.password, principal.api.bearer)
            try:
                wrong = 0
                may = principal.may("project:repository:pull") and principal.rights != READING
                wanted = 200 if may else 401 if principal.name == "anonymous" else 403
                for _ in range(50):
                    answer = api.request("GET", f"/v2/{self.world.project}/app/manifests/1.0", base="",
                                         headers={"Accept": OCI_MANIFEST})
                    wrong += answer.status != wanted
                return wrong
            finally:
                api.close()
        with concurrent.futures.ThreadPoolExecutor(len(principals)) as pool:
            self.assertEqual(sum(pool.map(ask, range(len(principals)))), 0)
