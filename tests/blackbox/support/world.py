"""Something of everything that the management API knows, and for each of its operations a request that succeeds for
who may send it. A request never spoils what another one needs: what it deletes was made for it."""
import dataclasses
import itertools
import json
import pathlib
import subprocess
import tempfile
import threading
import urllib.parse
import uuid

from .api import Api, encoded_twice
from .contract import quoted
from .registry import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Registry, descriptor, digest_of
from .server import PASSWORD, wait_until
from .swarm import Agent, NodeClient

USER_PASSWORD = "Somebody1pass"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c4890000000d49444154789c6360000002000001"
                    "e5276de80000000049454e44ae426082".replace(" ", ""))


@dataclasses.dataclass
class Call:
    """The variable parts of a request: path values (already encoded), query, body, headers."""
    values: dict = dataclasses.field(default_factory=dict)
    query: dict = None
    body: object = None
    headers: dict = None

    def send(self, api, operation):
        return api.request(operation.method, operation.url(**self.values), self.body, self.headers, self.query, base="")


class World:
    """A tenant with a private and a public project, made by the platform's admin."""

    def __init__(self, host):
        self.host = host
        self.admin = Api(host)
        self.registry = Registry(host, "admin", PASSWORD)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._deliveries = {}
        self._agent = self._agent_home = None
        self.mark = uuid.uuid4().hex[:8]
        self.tenant = "t" + self.mark
        self.tenant_id = self.admin.made("/tenants", {"name": self.tenant, "display_name": "Tenant", "team_templates": False})
        self.project, self.public = "p" + self.mark, "q" + self.mark
        self.project_id = self.make_project(self.project)
        self.public_id = self.make_project(self.public, public=True)
        self.image = {}
        for project in (self.project, self.public):
            self.image[project] = self.push(project, "app", "1.0")
        self.victim = self.user("victim")
        self.admin.post(f"/tenants/{self.tenant}/members", {"user_id": self.victim})
        self.team = self.fresh_team()
        self.admin.post(f"/tenants/{self.tenant}/teams/{self.team}/members", {"user_id": self.victim})
        self.role = self.fresh_role()
        self.group = self.fresh_group()
        self.member = self.fresh_member(self.project)
        self.robot = self.fresh_robot()["id"]
        self.label = self.fresh_label()
        self.global_label = self.admin.made("/labels", {"name": self.name("global"), "scope": "g", "color": "#123456"})
        self.grant = self.fresh_grant()
        self.hook = self.fresh_hook()
        self.system_hook = self.fresh_hook(None)
        self.endpoint = self.fresh_registry()
        self.replication = self.fresh_replication()
        self.quota = self.admin.get("/quotas", query={"reference": "project", "reference_id": self.project_id})[0]["id"]

    def close(self):
        if self._agent:
            self._agent.stop()
            self._agent_home.cleanup()
        self.admin.close()
        self.registry.close()

    def name(self, stem):
        return f"{stem}-{self.mark}-{next(self._numbers)}"

    def shared_image(self):
        """The private project's image, which a node of the swarm has; its digest."""
        with self._lock:
            if not self._agent:
                self._agent_home = tempfile.TemporaryDirectory()
                token = pathlib.Path(self._agent_home.name, "token")
                token.write_text(node_token(self)["token"])
                self._agent = Agent(self._agent_home.name, f"http://{self.host}", token, self.name("node")).start()
        digest = self.image[self.project]
        client = NodeClient(self._agent.host, "admin", PASSWORD)
        try:
            client.pull_image(f"{self.project}/app", digest)
        finally:
            client.close()
        wait_until(lambda: self.admin.request("GET", f"/swarm/images/{digest}").status == 200, 30, "the image is under way")
        return digest

    # What is made afresh, by the admin.

    def make_project(self, name, public=False):
        return self.admin.made("/projects", {"project_name": name, "tenant": self.tenant,
                                             "metadata": {"public": str(public).lower()}})

    def fresh_project(self, caller=None):
        """One that the caller has the same role in as in the first one."""
        name = self.name("fresh")
        self.make_project(name)
        if caller is not None and caller.join:
            caller.join(self, name)
        return name

    def fresh_tenant(self, caller=None):
        name = self.name("tenant")
        self.admin.made("/tenants", {"name": name})
        if caller is not None and caller.join_tenant:
            caller.join_tenant(self, name)
        return name

    def push(self, project, repository, tag, annotations=None):
        """An image of its own; its digest."""
        layer = f"layer {next(self._numbers)} of {self.mark}".encode()
        name = f"{project}/{repository}"
        config = json.dumps({"architecture": "amd64", "os": "linux", "history": [{
            "created": "2026-01-01T00:00:00Z", "created_by": "/bin/sh -c true"}],
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]}}).encode()
        with self._lock:
            for data in (config, layer):
                self.registry.push_blob(name, data)
            return self.registry.push_manifest(name, tag, {
                "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config),
                "layers": [descriptor(OCI_LAYER, layer)], **({"annotations": annotations} if annotations else {})})

    def fresh_image(self, repository="app"):
        return self.push(self.project, repository, self.name("tag"))

    def user(self, stem):
        name = self.name(stem)
        return self.admin.made("/users", {"username": name, "password": USER_PASSWORD, "email": f"{name}@example.com",
                                          "realname": name, "comment": ""})

    def user_name(self, number):
        return self.admin.get(f"/users/{number}")["username"]

    def fresh_team(self):
        return self.admin.made(f"/tenants/{self.tenant}/teams", {"name": self.name("team"), "description": "a team"})

    def fresh_role(self):
        return self.admin.made("/roles", {"name": self.name("role"), "permissions": ["project:repository:pull"]})

    def fresh_group(self):
        return self.admin.made("/usergroups", {"group_name": self.name("group"), "group_type": 3})

    def fresh_member(self, project, role=5):
        number = self.user("member")
        return self.admin.made(f"/projects/{project}/members", {"role_id": role, "member_user": {"user_id": number}})

    def robot_body(self, project=None, access=(("repository", "pull"),), **more):
        return {"name": self.name("robot"), "level": "project", "duration": 30, "disable": False, "permissions": [{
            "kind": "project", "namespace": project or self.project,
            "access": [{"resource": resource, "action": action} for resource, action in access]}], **more}

    def fresh_robot(self, **more):
        return self.admin.post("/robots", self.robot_body(**more)).json()

    def fresh_label(self):
        return self.admin.made("/labels", {"name": self.name("label"), "scope": "p", "project_id": self.project_id,
                                           "color": "#00FF00"})

    def hook_body(self, **more):
        """To where nobody listens, and that isn't refused: TEST-NET-1 (RFC 5737)."""
        return {"name": self.name("hook"), "description": "told", "enabled": False, "event_types": ["PUSH_ARTIFACT"],
                "targets": [{"type": "http", "address": "http://192.0.2.1/hook", "payload_format": "CloudEvents",
                             "auth_header": "Bearer x", "secret": "signs", "skip_cert_verify": False}], **more}

    def registry_body(self, **more):
        """A registry elsewhere that does not answer: TEST-NET-1 (RFC 5737)."""
        return {"name": self.name("registry"), "type": "docker-registry", "url": "http://192.0.2.1:1",
                "tenant_id": self.tenant_id, "insecure": False, "description": "elsewhere",
                "credential": {"type": "basic", "access_key": "robot", "access_secret": "secret"}, **more}

    def fresh_registry(self):
        return self.admin.made("/registries", self.registry_body())

    def replication_body(self, **more):
        return {"name": self.name("replication"), "dest_registry": {"id": self.endpoint}, "src_registry": None,
                "description": "all of it", "dest_namespace": "mirror", "enabled": True, "override": True,
                "trigger": {"type": "manual"}, "filters": [{"type": "name", "value": "shop/**"}], **more}

    elsewhere = "https://home.example"

    def synchronisation(self):
        return {"sites": [{"registry_id": self.endpoint}], "home": "https://here.example", "timeout": 5}

    def synchronous_project(self, caller=None):
        name = self.fresh_project(caller)
        self.admin.expect(200, "PUT", f"/projects/{name}/synchronisation", self.synchronisation())
        return {"project_name_or_id": name}

    def following_project(self, caller=None):
        name = self.fresh_project(caller)
        self.admin.expect(200, "PUT", f"/projects/{name}/synchronisation/home", {"epoch": 1, "home": self.elsewhere})
        return {"project_name_or_id": name}

    def fresh_replication(self):
        return self.admin.made("/replication/policies", self.replication_body())

    def replication_run(self):
        """One that waits, or has found the other registry away."""
        return self.admin.made("/replication/executions", {"policy_id": self.replication})

    def fresh_hook(self, project=""):
        scope = "/system" if project is None else f"/projects/{project or self.project}"
        return self.admin.made(f"{scope}/webhook/policies", self.hook_body())

    def delivered(self, system):
        """A policy, and a delivery of it: dropped, since the policy is disabled before it can be tried."""
        with self._lock:
            return self._delivered(system)

    def _delivered(self, system):
        key = "system" if system else "project"
        if key not in self._deliveries:
            scope = "/system" if system else f"/projects/{self.project}"
            body = self.hook_body(enabled=True, event_types=["LABEL_CREATED"])
            policy = self.admin.made(f"{scope}/webhook/policies", body)
            self.fresh_label()
            path = f"{scope}/webhook/policies/{policy}"
            wait_until(lambda: self.admin.get(f"{path}/executions"), 10, "a delivery")
            self.admin.request("PUT", path, {**body, "enabled": False})
            self._deliveries[key] = (policy, self.admin.get(f"{path}/executions")[0]["id"])
        return self._deliveries[key]

    def fresh_grant(self, kind="project"):
        if kind == "project":
            self_object = {"kind": "project", "id": self.project_id}
        else:
            self_object = {"kind": "tenant", "id": self.tenant_id}
        # A team of the tenant, so that a role on the tenant can be given too.
        return self.admin.made("/grants", {"subject": {"kind": "team", "id": self.fresh_team()}, "object": self_object,
                                           "role_id": 5})

    def job(self):
        """One that may run, or have run."""
        return self.admin.made("/system/purgeaudit/schedule", purge("Manual"))

    def collection(self):
        """A garbage collection that only says what it would remove."""
        return self.admin.made("/system/gc/schedule", collection("Manual"))

    def recounting(self):
        return self.admin.made("/system/quota-recount/schedule", {"schedule": {"type": "Manual"}})

    def scrubbing(self):
        """A scrub that reads no bytes."""
        return self.admin.made("/system/scrub/schedule", scrubbing("Manual"))

    def ended_job(self, job=None):
        job = job or self.job()
        # Also by another call of the matrix, which has stopped the one that was under way.
        wait_until(lambda: self.admin.get(f"/jobs/{job}")["state"] in ("succeeded", "failed", "stopped"), 120, f"job {job} ends")
        return job

    def stopped_job(self):
        """One that was stopped before it ran: nothing runs while its queue is paused."""
        queue = "/jobservice/queues/PURGE_AUDIT_LOG"
        with self._lock:
            self.admin.put(queue, {"action": "pause"})
            try:
                for _ in range(100):
                    job = self.job()
                    self.admin.put(f"/jobs/{job}/stop", None)
                    if self.admin.get(f"/jobs/{job}")["state"] == "stopped":
                        return job
                raise AssertionError("no job was stopped before it ran")
            finally:
                self.admin.put(queue, {"action": "resume"})

    def artifact(self, project=None, repository="app", reference="1.0", **more):
        return {"project_name": project or self.project, "repository_name": encoded_twice(repository),
                "reference": quoted(reference), **more}

    def repository(self, **more):
        return {"project_name": self.project, "repository_name": "app", **more}


def collection(type_, cron="", **more):
    return {"parameters": {"dry_run": True, **more}, "schedule": {"type": type_, "cron": cron}}


def scrubbing(type_, cron=""):
    return {"parameters": {"verify": False, "orphans": "report"}, "schedule": {"type": type_, "cron": cron}}


def purge(type_, cron="", dry_run=True):
    return {"parameters": {"audit_retention_hour": 24, "dry_run": dry_run}, "schedule": {"type": type_, "cron": cron}}


# The requests, by operationId. `caller` is who will send it: for the few that need something of the caller's own.

def in_project(world, **more):
    return {"project_name_or_id": world.project, **more}


def in_tenant(world, **more):
    return {"tenant_name_or_id": world.tenant, **more}


def immutable_rule(**more):
    return {"tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "v*"}],
            "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}, **more}


# Who is let through has a project of their own for it: a project has few rules, and one policy.
def own_project(world, caller):
    return world.fresh_project(caller) if caller is not None else world.project


def emptied(world, caller, kind):
    """A project without rules of that kind."""
    project = own_project(world, caller)
    for rule in world.admin.get(f"/projects/{project}/{kind}", query={"page_size": 100}):
        world.admin.delete(f"/projects/{project}/{kind}/{rule['id']}")
    return project


def with_immutable_rule(world, caller):
    project = emptied(world, caller, "immutabletagrules")
    rule = world.admin.made(f"/projects/{project}/immutabletagrules", immutable_rule())
    return {"project_name_or_id": project, "immutable_rule_id": rule}


def retention_policy(world, project):
    number = world.admin.get(f"/projects/{project}")["project_id"]
    return {"algorithm": "or", "scope": {"level": "project", "ref": number}, "trigger": {"kind": "Schedule", "settings": {"cron": ""}},
            "rules": [{"action": "retain", "template": "latestPushedK", "params": {"latestPushedK": 99}, **immutable_rule()}]}


def policy_of(world, project):
    return world.admin.get(f"/projects/{project}")["metadata"].get("retention_id")


def new_retention(world, caller):
    project = own_project(world, caller)
    if policy_of(world, project):
        world.admin.delete(f"/retentions/{policy_of(world, project)}")
    return Call(body=retention_policy(world, project))


def with_retention(world, caller):
    project = own_project(world, caller)
    return {"id": policy_of(world, project) or world.admin.made("/retentions", retention_policy(world, project))}


def changed_retention(world, caller):
    values = with_retention(world, caller)
    shown = world.admin.get(f"/retentions/{values['id']}")
    return Call(values, body=retention_policy(world, shown["scope"]["ref"]))


def with_retention_run(world, caller):
    values = with_retention(world, caller)
    return {**values, "eid": world.admin.made(f"/retentions/{values['id']}/executions", {"dry_run": True})}


def with_retention_task(world, _):
    values = with_retention_run(world, None)
    tasks = f"/retentions/{values['id']}/executions/{values['eid']}/tasks"
    wait_until(lambda: world.admin.get(tasks), 30, "the run has reported a repository")
    return {**values, "tid": world.admin.get(tasks)[0]["id"]}


def push_policy(**more):
    return {"name": "no latest", "tag_selectors": [{"decoration": "excludes", "pattern": "latest"}], **more}


def with_push_policy(world, caller):
    project = emptied(world, caller, "pushpolicies")
    return {"project_name_or_id": project,
            "push_policy_id": world.admin.made(f"/projects/{project}/pushpolicies", push_policy())}


# Both projects are those of the caller: the target has a say.
def promotion_policy(world, caller, **more):
    project = own_project(world, caller)
    target = world.fresh_project(caller) if caller is not None else world.public
    return project, {"name": world.name("step"), "target_project": target, "approvals": 1, "self_approval": True, **more}


def with_promotion_policy(world, caller):
    project, policy = promotion_policy(world, caller)
    number = world.admin.made(f"/projects/{project}/promotionpolicies", policy)
    return {"project_name_or_id": project, "promotion_policy_id": number}, policy


def new_promotion(world, caller):
    values, _ = with_promotion_policy(world, caller)
    name = world.name("promoted")
    world.push(values["project_name_or_id"], name, "1.0")
    return Call({"project_name_or_id": values["project_name_or_id"]}, body={
        "policy_id": values["promotion_policy_id"], "artifacts": [{"repository": name, "reference": "1.0"}]})


def with_promotion(world, caller):
    call = new_promotion(world, caller)
    project = call.values["project_name_or_id"]
    return {"project_name_or_id": project, "promotion_id": world.admin.made(f"/projects/{project}/promotions", call.body)}


# Carried out when it was approved; asking for it once more is answered as it is.
def approved_promotion(world, caller):
    values = with_promotion(world, caller)
    world.admin.post(f"/projects/{values['project_name_or_id']}/promotions/{values['promotion_id']}/approve", {}, 200)
    return values


def former_name(world, caller):
    project = own_project(world, caller)
    name = world.name("old")
    world.push(project, name, "1.0")
    world.admin.post(f"/projects/{project}/repositories/{name}/rename", {"name": world.name("new")}, 200)
    return {"project_name_or_id": project,
            "former_name_id": world.admin.get(f"/projects/{project}/formernames")[0]["id"]}


def repository_to_rename(world, _):
    name = world.name("old")
    world.push(world.project, name, "1.0")
    return Call({"project_name": world.project, "repository_name": name}, body={"name": world.name("team/new")})


def label_on(world, digest):
    label = world.fresh_label()
    world.admin.post(f"/projects/{world.project}/repositories/app/artifacts/{digest}/labels", {"id": label}, 200)
    return label


def labelled(world, _):
    digest = world.fresh_image()
    return Call(world.artifact(reference=digest, label_id=label_on(world, digest)))


def checked(world, _):
    digest = world.fresh_image()
    world.admin.expect(200, "PUT", f"/projects/{world.project}/repositories/app/artifacts/{digest}/checks/e2e", {"state": "passed"})
    return world.artifact(reference=digest, check_name="e2e")


def icon(world, _):
    layer = digest_of(PNG)
    world.registry.push_blob(f"{world.public}/iconic", PNG)
    config = json.dumps({"architecture": "amd64", "os": "linux"}).encode()
    world.registry.push_blob(f"{world.public}/iconic", config)
    world.registry.push_manifest(f"{world.public}/iconic", "1", {
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config),
        "layers": [descriptor("image/png", PNG, annotations={"io.goharbor.artifact.v1alpha1.icon": ""})]})
    return Call({"digest": quoted(layer)})


def tagged(world, _):
    digest = world.fresh_image()
    return Call(world.artifact(reference=digest, tag_name=f"{world.admin.get(f'/projects/{world.project}/repositories/app/artifacts/{digest}/tags')[0]['name']}"))


def repository_to_delete(world, _):
    name = world.name("gone")
    world.push(world.project, name, "1")
    return Call({"project_name": world.project, "repository_name": encoded_twice(name)})


def trashed(world, _):
    """An entry of the trash: an image of its own that was deleted."""
    digest = world.fresh_image("deleted")
    world.admin.delete(f"/projects/{world.project}/repositories/deleted/artifacts/{digest}")
    newest = world.admin.get(f"/projects/{world.project}/trash", query={"page_size": 1})[0]
    return {"project_name": world.project, "trash_id": newest["id"]}


def metadata_entry(world, _):
    world.admin.request("POST", f"/projects/{world.project}/metadatas", {"auto_scan": "true"})
    return Call(in_project(world, meta_name="auto_scan"), body={"auto_scan": "false"})


def metadata_gone(world, _):
    world.admin.request("DELETE", f"/projects/{world.project}/metadatas/prevent_vul")
    return Call(in_project(world), body={"prevent_vul": "false"})


def membership(world, _):
    number = world.user("newcomer")
    world.admin.post(f"/tenants/{world.tenant}/members", {"user_id": number})
    return Call(in_tenant(world, user_id=number))


def team_membership(world, _):
    call = membership(world, _)
    world.admin.post(f"/tenants/{world.tenant}/teams/{world.team}/members", {"user_id": call.values["user_id"]})
    return Call({**call.values, "team_id": world.team})


def to_join_team(world, _):
    return Call(in_tenant(world, team_id=world.team), body={"user_id": membership(world, _).values["user_id"]})


def robot_update(world, _):
    robot = world.fresh_robot()
    body = world.robot_body(description="changed")
    return Call({"robot_id": robot["id"]}, body={**body, "id": robot["id"], "name": robot["name"]})


def new_user(world, _=None):
    name = world.name("made")
    return {"username": name, "password": USER_PASSWORD, "email": f"{name}@example.com", "realname": name}


def profile(world, _):
    number = world.user("profile")
    return Call({"user_id": number}, body={"realname": "Another", "email": f"p{number}-{world.mark}@example.com",
                                           "comment": "changed"})


def own_token(world, caller):
    api = caller.api if caller else world.admin
    made = api.request("POST", "/users/current/tokens", {"name": world.name("token")})
    # Who can't make one asks for one that is nobody's.
    return Call({"user_id": "current", "token_id": made.json()["id"] if made.status == 201 else 1 << 40})


def node_token(world, _=None):
    return world.admin.post("/swarm/tokens", {"description": world.name("racks"), "zones": [], "nodes": 1, "duration_seconds": 3600}).json()


def admitted_node(world):
    """One that was admitted with a token of its own: its id and name."""
    request = subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                              "/dev/null", "-subj", "/CN=node"], check=True, capture_output=True, text=True).stdout
    form = {"token": node_token(world)["token"], "name": world.name("node"), "zone": "a", "request": request}
    answer = world.admin.request("POST", "/swarm/v1/nodes", form, base="")
    if answer.status != 200:
        raise AssertionError(f"a node was not admitted: {answer}")
    return answer.json()["id"], form["name"]


def node(world, _):
    return Call({"node_id": admitted_node(world)[0]})


def preheat_body(world):
    _, name = admitted_node(world)
    return {"repository": f"{world.project}/app", "reference": world.fresh_image(), "zones": ["a"], "nodes": [name],
            "percent": 100, "duration_seconds": 3600, "rate": 1_000_000}


def preheat(world, _=None):
    return Call({"preheat_id": world.admin.post("/swarm/preheats", preheat_body(world)).json()["id"]})


def delivery(world, system=False, task=False):
    policy, execution = world.delivered(system)
    values = {"webhook_policy_id": policy, "execution_id": execution, **({"task_id": execution} if task else {})}
    return Call(values if system else in_project(world, **values))


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def form(**fields):
    return urllib.parse.urlencode(fields).encode()


def configuration(world, _):
    value = world.admin.get("/configurations")["robot_token_duration"]["value"]
    return Call(body={"robot_token_duration": value})


REQUESTS = {
    "getPing": lambda w, c: Call(),
    "getHealth": lambda w, c: Call(),
    "getSystemInfo": lambda w, c: Call(),
    "getVolumes": lambda w, c: Call(),
    "getCert": lambda w, c: Call(),
    "getStatistic": lambda w, c: Call(),
    "search": lambda w, c: Call(query={"q": w.mark}),
    "getConfigurations": lambda w, c: Call(),
    "updateConfigurations": configuration,
    "getOpenapiYaml": lambda w, c: Call(),
    "getOpenapiJson": lambda w, c: Call(),

    "listProjects": lambda w, c: Call(query={"q": f"name=~{w.mark}", "sort": "-name", "page_size": 3}),
    "headProject": lambda w, c: Call(query={"project_name": w.project}),
    "createProject": lambda w, c: Call(body={"project_name": w.name("made"), "tenant": w.tenant}),
    "getProject": lambda w, c: Call(in_project(w)),
    "updateProject": lambda w, c: Call(in_project(w), body={"metadata": {"public": "false", "auto_scan": "false"}}),
    "deleteProject": lambda w, c: Call({"project_name_or_id": w.fresh_project(c)}),
    "getProjectDeletable": lambda w, c: Call(in_project(w)),
    "getProjectSummary": lambda w, c: Call(in_project(w)),
    "listProjectMetadatas": lambda w, c: Call(in_project(w)),
    "addProjectMetadatas": metadata_gone,
    "getProjectMetadata": lambda w, c: Call(in_project(w, meta_name="public")),
    "updateProjectMetadata": metadata_entry,
    "deleteProjectMetadata": metadata_entry,

    "listPromotionPolicies": lambda w, c: Call(in_project(w)),
    "createPromotionPolicy": lambda w, c: (lambda project, policy: Call({"project_name_or_id": project}, body=policy))(*promotion_policy(w, c)),
    "getPromotionPolicy": lambda w, c: Call(with_promotion_policy(w, c)[0]),
    "updatePromotionPolicy": lambda w, c: (lambda values, policy: Call(values, body={**policy, "disabled": True}))(*with_promotion_policy(w, c)),
    "deletePromotionPolicy": lambda w, c: Call(with_promotion_policy(w, c)[0]),
    "listPromotions": lambda w, c: Call(in_project(w)),
    "requestPromotion": new_promotion,
    "planPromotion": new_promotion,
    "getPromotion": lambda w, c: Call(with_promotion(w, c)),
    "approvePromotion": lambda w, c: Call(with_promotion(w, c), body={"comment": "fine"}),
    "rejectPromotion": lambda w, c: Call(with_promotion(w, c), body={"comment": "not yet"}),
    "cancelPromotion": lambda w, c: Call(with_promotion(w, c)),
    "executePromotion": lambda w, c: Call(approved_promotion(w, c)),

    "renameProject": lambda w, c: Call({"project_name_or_id": w.fresh_project(c)}, body={"name": w.name("renamed")}),
    "renameRepository": repository_to_rename,
    "listFormerNames": lambda w, c: Call(in_project(w)),
    "deleteFormerName": lambda w, c: Call(former_name(w, c)),

    "getSynchronisation": lambda w, c: Call(w.synchronous_project(c)),
    "setSynchronisation": lambda w, c: Call(w.synchronous_project(c), body=w.synchronisation()),
    "deleteSynchronisation": lambda w, c: Call(w.synchronous_project(c)),
    "takeOverSynchronisation": lambda w, c: Call(w.following_project(c), body=w.synchronisation()),
    "followHome": lambda w, c: Call({"project_name_or_id": w.fresh_project(c)}, body={"epoch": 1, "home": w.elsewhere}),
    "leaveHome": lambda w, c: Call(w.following_project(c), headers={"Entrepot-Home-Epoch": "1", "Entrepot-Home": w.elsewhere}),

    "listProjectMembers": lambda w, c: Call(in_project(w), query={"page_size": 100}),
    "createProjectMember": lambda w, c: Call(in_project(w), body={"role_id": 5, "member_user": {"user_id": w.user("new")}}),
    "getProjectMember": lambda w, c: Call(in_project(w, mid=w.member)),
    "updateProjectMember": lambda w, c: Call(in_project(w, mid=w.fresh_member(w.project)), body={"role_id": 3}),
    "deleteProjectMember": lambda w, c: Call(in_project(w, mid=w.fresh_member(w.project))),

    "listTagStates": lambda w, c: Call(query={"limit": "5"}),
    "listAllRepositories": lambda w, c: Call(query={"q": "name=~app"}),
    "listRepositories": lambda w, c: Call({"project_name": w.project}),
    "getRepository": lambda w, c: Call({"project_name": w.project, "repository_name": "app"}),
    "updateRepository": lambda w, c: Call({"project_name": w.project, "repository_name": "app"}, body={"description": "told"}),
    "deleteRepository": repository_to_delete,

    "listArtifactsOfProject": lambda w, c: Call({"project_name": w.project}, query={"with_tag": "true", "with_label": "true"}),
    "listArtifacts": lambda w, c: Call({"project_name": w.project, "repository_name": "app"}, query={
        "with_tag": "true", "with_label": "true", "with_accessory": "true", "with_immutable_status": "true",
        "with_scan_overview": "true", "with_sbom_overview": "true"}),
    "CopyArtifact": lambda w, c: Call({"project_name": w.project, "repository_name": encoded_twice(w.name("copy/of"))},
                                      query={"from": f"{w.project}/app:1.0"}),
    "getArtifact": lambda w, c: Call(w.artifact(), query={"with_tag": "true", "with_label": "true", "with_accessory": "true"}),
    "deleteArtifact": lambda w, c: Call(w.artifact(reference=w.fresh_image())),
    "listTags": lambda w, c: Call(w.artifact()),
    "createTag": lambda w, c: Call(w.artifact(), body={"name": w.name("tag")}),
    "deleteTag": tagged,
    "listAccessories": lambda w, c: Call(w.artifact()),
    "getAddition": lambda w, c: Call(w.artifact(addition="build_history")),
    "getVulnerabilitiesAddition": lambda w, c: Call(w.artifact()),
    "addLabel": lambda w, c: Call(w.artifact(reference=w.fresh_image()), body={"id": w.fresh_label()}),
    "removeLabel": labelled,
    "getPipeline": lambda w, c: Call({"project_name_or_id": with_promotion_policy(w, c)[0]["project_name_or_id"]}),
    "getJourney": lambda w, c: Call(w.artifact()),
    "listChecks": lambda w, c: Call(w.artifact()),
    "reportCheck": lambda w, c: Call(w.artifact(reference=w.fresh_image(), check_name="e2e"), body={"state": "failed", "url": "https://ci.example.org/1", "summary": "3 of 40"}),
    "removeCheck": lambda w, c: Call(checked(w, c)),
    "getIcon": icon,

    "ListLabels": lambda w, c: Call(query={"scope": "p", "project_id": w.project_id}),
    "ListImmuRules": lambda w, c: Call(in_project(w)),
    "CreateImmuRule": lambda w, c: Call({"project_name_or_id": emptied(w, c, "immutabletagrules")}, body=immutable_rule()),
    "getImmuRule": lambda w, c: Call(with_immutable_rule(w, c)),
    "UpdateImmuRule": lambda w, c: Call(with_immutable_rule(w, c), body=immutable_rule(disabled=True)),
    "DeleteImmuRule": lambda w, c: Call(with_immutable_rule(w, c)),
    "listTagsAt": lambda w, c: Call(w.repository()),
    "getTagHistory": lambda w, c: Call(w.repository(tag_name="1.0")),
    "restoreTag": lambda w, c: Call(w.repository(tag_name="1.0"), body={"digest": w.image[w.project]}),
    "listTrash": lambda w, c: Call({"project_name": w.project}, query={"q": "repository=~app"}),
    "emptyTrash": lambda w, c: Call({"project_name": w.project}),
    "getTrash": lambda w, c: Call(trashed(w, c)),
    "deleteTrash": lambda w, c: Call(trashed(w, c)),
    "restoreTrash": lambda w, c: Call(trashed(w, c), body={"force_tags": True}),
    "restoreRepository": lambda w, c: Call(w.repository(), body={"at": "2090-01-01T00:00:00Z", "dry_run": True}),
    "getRentenitionMetadata": lambda w, c: Call(),
    "createRetention": new_retention,
    "getRetention": lambda w, c: Call(with_retention(w, c)),
    "updateRetention": changed_retention,
    "deleteRetention": lambda w, c: Call(with_retention(w, c)),
    "triggerRetentionExecution": lambda w, c: Call(with_retention(w, c), body={"dry_run": True}),
    "listRetentionExecutions": lambda w, c: Call(with_retention(w, c)),
    "getRetentionExecution": lambda w, c: Call(with_retention_run(w, c)),
    "operateRetentionExecution": lambda w, c: Call(with_retention_run(w, c), body={"action": "stop"}),
    "listRetentionTasks": lambda w, c: Call(with_retention_run(w, c)),
    "getRetentionTaskLog": lambda w, c: Call(with_retention_task(w, c)),
    "getTagExpiry": lambda w, c: Call(w.repository(tag_name="1.0")),
    "setTagExpiry": lambda w, c: Call(w.repository(tag_name="1.0"), body={"expires_at": "2090-01-01T00:00:00Z"}),
    "listImagesInUse": lambda w, c: Call(in_project(w)),
    "reportImagesInUse": lambda w, c: Call(in_project(w, source=w.name("cluster")), body={"images": ["app:1.0"]}),
    "listPushPolicies": lambda w, c: Call(in_project(w)),
    "createPushPolicy": lambda w, c: Call({"project_name_or_id": emptied(w, c, "pushpolicies")}, body=push_policy()),
    "checkPushPolicies": lambda w, c: Call(in_project(w)),
    "getPushPolicy": lambda w, c: Call(with_push_policy(w, c)),
    "updatePushPolicy": lambda w, c: Call(with_push_policy(w, c), body=push_policy(disabled=True)),
    "deletePushPolicy": lambda w, c: Call(with_push_policy(w, c)),
    "CreateLabel": lambda w, c: Call(body={"name": w.name("label"), "scope": "p", "project_id": w.project_id, "color": "#FF0000"}),
    "GetLabelByID": lambda w, c: Call({"label_id": w.label}),
    "UpdateLabel": lambda w, c: Call({"label_id": w.fresh_label()}, body={"name": w.name("renamed"), "color": "#0000FF", "scope": "p", "project_id": w.project_id}),
    "DeleteLabel": lambda w, c: Call({"label_id": w.fresh_label()}),

    "listQuotas": lambda w, c: Call(query={"reference": "project", "page_size": 5}),
    "getQuota": lambda w, c: Call({"id": w.quota}),
    "updateQuota": lambda w, c: Call({"id": w.quota}, body={"hard": {"storage": 1 << 40}}),

    "listUsers": lambda w, c: Call(query={"q": f"username=~{w.mark}"}),
    "createUser": lambda w, c: Call(body=new_user(w)),
    "getCurrentUserInfo": lambda w, c: Call(),
    "getCurrentUserPermissions": lambda w, c: Call(query={"scope": f"/project/{w.project_id}", "relative": "true"}),
    "searchUsers": lambda w, c: Call(query={"username": "victim"}),
    "getUser": lambda w, c: Call({"user_id": w.victim}),
    "updateUserProfile": profile,
    "deleteUser": lambda w, c: Call({"user_id": w.user("gone")}),
    "setUserSysAdmin": lambda w, c: Call({"user_id": w.user("risen")}, body={"sysadmin_flag": False}),
    "updateUserPassword": lambda w, c: Call({"user_id": w.user("locked")}, body={"new_password": "Another1pass"}),
    "setCliSecret": lambda w, c: Call({"user_id": w.victim}, body={"secret": "Another1secret"}),

    "listUserGroups": lambda w, c: Call(query={"page_size": 5}),
    "createUserGroup": lambda w, c: Call(body={"group_name": w.name("group"), "group_type": 3}),
    "searchUserGroups": lambda w, c: Call(query={"groupname": w.mark}),
    "getUserGroup": lambda w, c: Call({"group_id": w.group}),
    "updateUserGroup": lambda w, c: Call({"group_id": w.fresh_group()}, body={"group_name": w.name("renamed"), "group_type": 3}),
    "deleteUserGroup": lambda w, c: Call({"group_id": w.fresh_group()}),

    "ListRobot": lambda w, c: Call(query={"q": f"Level=project,ProjectID={w.project_id}"}),
    "CreateRobot": lambda w, c: Call(body=w.robot_body()),
    "GetRobotByID": lambda w, c: Call({"robot_id": w.robot}),
    "UpdateRobot": robot_update,
    "RefreshSec": lambda w, c: Call({"robot_id": w.fresh_robot()["id"]}, body={"secret": "Another1secret"}),
    "DeleteRobot": lambda w, c: Call({"robot_id": w.fresh_robot()["id"]}),
    "getPermissions": lambda w, c: Call(),

    "listAuditLogs": lambda w, c: Call(query={"q": "operation=create", "page_size": 5}),
    "listAuditLogExts": lambda w, c: Call(query={"page_size": 5}),
    "listAuditLogEventTypes": lambda w, c: Call(),
    "getLogs": lambda w, c: Call({"project_name": w.project}),
    "getLogExts": lambda w, c: Call({"project_name": w.project}),

    "getWorkerPools": lambda w, c: Call(),
    "getWorkers": lambda w, c: Call({"pool_id": "all"}),
    "listJobQueues": lambda w, c: Call(),
    "actionPendingJobs": lambda w, c: Call({"job_type": "PURGE_AUDIT_LOG"}, body={"action": "resume"}),
    "stopRunningJob": lambda w, c: Call({"job_id": w.job()}),
    "actionGetJobLog": lambda w, c: Call({"job_id": w.ended_job()}),
    "listSchedules": lambda w, c: Call(query={"page_size": 5}),
    "getSchedulePaused": lambda w, c: Call({"job_type": "all"}),
    "listJobs": lambda w, c: Call(query={"q": "kind=purge_audit", "page_size": 5}),
    "getJob": lambda w, c: Call({"job_id": w.job()}),
    "getJobLog": lambda w, c: Call({"job_id": w.ended_job()}),
    "stopJob": lambda w, c: Call({"job_id": w.job()}),
    "retryJob": lambda w, c: Call({"job_id": w.stopped_job()}),
    "getGCHistory": lambda w, c: Call(query={"page_size": 5}),
    "getGCSchedule": lambda w, c: Call(),
    "createGCSchedule": lambda w, c: Call(body=collection("Manual")),
    "updateGCSchedule": lambda w, c: Call(body=collection("None")),
    "getGC": lambda w, c: Call({"gc_id": w.collection()}),
    "stopGC": lambda w, c: Call({"gc_id": w.collection()}),
    "getGCLog": lambda w, c: Call({"gc_id": w.ended_job(w.collection())}),
    "getScrubHistory": lambda w, c: Call(query={"page_size": 5}),
    "listScrubFindings": lambda w, c: Call(query={"q": "state=open", "page_size": 5}),
    "getScrubSchedule": lambda w, c: Call(),
    "createScrubSchedule": lambda w, c: Call(body=scrubbing("Manual")),
    "updateScrubSchedule": lambda w, c: Call(body=scrubbing("None")),
    "getScrub": lambda w, c: Call({"scrub_id": w.scrubbing()}),
    "stopScrub": lambda w, c: Call({"scrub_id": w.scrubbing()}),
    "getScrubLog": lambda w, c: Call({"scrub_id": w.ended_job(w.scrubbing())}),
    "listQuotaRecounts": lambda w, c: Call(query={"page_size": 5}),
    "getQuotaRecountSchedule": lambda w, c: Call(),
    "createQuotaRecountSchedule": lambda w, c: Call(body={"schedule": {"type": "Manual"}}),
    "updateQuotaRecountSchedule": lambda w, c: Call(body={"schedule": {"type": "None"}}),
    "getQuotaRecount": lambda w, c: Call({"recount_id": w.recounting()}),
    "stopQuotaRecount": lambda w, c: Call({"recount_id": w.recounting()}),
    "getQuotaRecountLog": lambda w, c: Call({"recount_id": w.ended_job(w.recounting())}),
    "listProjectUsage": lambda w, c: Call({"project_name_or_id": w.project}, query={"from": "2026-11-01"}),
    "getPurgeHistory": lambda w, c: Call(query={"page_size": 5}),
    "getPurgeSchedule": lambda w, c: Call(),
    "createPurgeSchedule": lambda w, c: Call(body=purge("Manual")),
    "updatePurgeSchedule": lambda w, c: Call(body=purge("None")),
    "getPurgeJob": lambda w, c: Call({"purge_id": w.job()}),
    "stopPurge": lambda w, c: Call({"purge_id": w.job()}),
    "getPurgeJobLog": lambda w, c: Call({"purge_id": w.ended_job()}),

    "listEvents": lambda w, c: Call(query={"limit": 5, "type": "artifact.*,project.created"}),
    "followEvents": lambda w, c: Call(query={"after": 0, "seconds": 1}),

    "ListWebhookPoliciesOfProject": lambda w, c: Call(in_project(w), query={"sort": "-name"}),
    "CreateWebhookPolicyOfProject": lambda w, c: Call(in_project(w), body=w.hook_body()),
    "GetWebhookPolicyOfProject": lambda w, c: Call(in_project(w, webhook_policy_id=w.hook)),
    "UpdateWebhookPolicyOfProject": lambda w, c: Call(in_project(w, webhook_policy_id=w.fresh_hook()), body=w.hook_body()),
    "DeleteWebhookPolicyOfProject": lambda w, c: Call(in_project(w, webhook_policy_id=w.fresh_hook())),
    "GetSupportedEventTypes": lambda w, c: Call(in_project(w)),
    "LastTrigger": lambda w, c: Call(in_project(w)),
    "ListWebhookJobs": lambda w, c: Call(in_project(w), query={"policy_id": w.hook}),
    "ListExecutionsOfWebhookPolicy": lambda w, c: Call(in_project(w, webhook_policy_id=w.hook)),
    "ListTasksOfWebhookExecution": lambda w, c: delivery(w),
    "GetLogsOfWebhookTask": lambda w, c: delivery(w, task=True),
    "redeliverWebhook": lambda w, c: delivery(w),
    "listSystemWebhookPolicies": lambda w, c: Call(),
    "createSystemWebhookPolicy": lambda w, c: Call(body=w.hook_body(event_types=["USER_CREATED"])),
    "getSystemWebhookPolicy": lambda w, c: Call({"webhook_policy_id": w.system_hook}),
    "updateSystemWebhookPolicy": lambda w, c: Call({"webhook_policy_id": w.fresh_hook(None)}, body=w.hook_body()),
    "deleteSystemWebhookPolicy": lambda w, c: Call({"webhook_policy_id": w.fresh_hook(None)}),
    "getSystemWebhookEvents": lambda w, c: Call(),
    "getSystemWebhookTriggers": lambda w, c: Call(),
    "listSystemWebhookJobs": lambda w, c: Call(query={"policy_id": w.system_hook}),
    "listSystemWebhookExecutions": lambda w, c: Call({"webhook_policy_id": w.system_hook}),
    "listSystemWebhookTasks": lambda w, c: delivery(w, system=True),
    "getSystemWebhookLog": lambda w, c: delivery(w, system=True, task=True),
    "redeliverSystemWebhook": lambda w, c: delivery(w, system=True),

    "listTenants": lambda w, c: Call(query={"q": f"name=~{w.mark}"}),
    "createTenant": lambda w, c: Call(body={"name": w.name("made"), "team_templates": True}),
    "getTenant": lambda w, c: Call(in_tenant(w)),
    "updateTenant": lambda w, c: Call(in_tenant(w), body={"description": "told"}),
    "deleteTenant": lambda w, c: Call({"tenant_name_or_id": w.fresh_tenant(c)}),
    "getTenantQuota": lambda w, c: Call(in_tenant(w)),
    "listTenantUsage": lambda w, c: Call(in_tenant(w)),
    "listTenantUsageByProject": lambda w, c: Call(in_tenant(w), query={"page_size": 5}),
    "updateTenantQuota": lambda w, c: Call(in_tenant(w), body={"hard": {"storage": -1, "artifacts": -1}}),
    "listTenantMembers": lambda w, c: Call(in_tenant(w), query={"page_size": 100}),
    "addTenantMember": lambda w, c: Call(in_tenant(w), body={"user": new_user(w)}),
    "getTenantMember": lambda w, c: Call(in_tenant(w, user_id=w.victim)),
    "removeTenantMember": membership,
    "listTenantLogs": lambda w, c: Call(in_tenant(w)),

    "listRegistries": lambda w, c: Call(query={"page_size": 5}),
    "createRegistry": lambda w, c: Call(body=w.registry_body()),
    "pingRegistry": lambda w, c: Call(body={"id": w.endpoint}),
    "getRegistry": lambda w, c: Call({"id": w.endpoint}),
    "updateRegistry": lambda w, c: Call({"id": w.fresh_registry()}, body={"description": "told"}),
    "deleteRegistry": lambda w, c: Call({"id": w.fresh_registry()}),
    "getRegistryInfo": lambda w, c: Call({"id": w.endpoint}),
    "listRegistryHealth": lambda w, c: Call({"id": w.endpoint}),
    "listRegistryProviderTypes": lambda w, c: Call(),
    "listRegistryProviderInfos": lambda w, c: Call(),
    "listReplicationPolicies": lambda w, c: Call(query={"page_size": 5}),
    "createReplicationPolicy": lambda w, c: Call(body=w.replication_body()),
    "getReplicationPolicy": lambda w, c: Call({"id": w.replication}),
    "updateReplicationPolicy": lambda w, c: Call({"id": w.fresh_replication()}, body=w.replication_body(enabled=False)),
    "deleteReplicationPolicy": lambda w, c: Call({"id": w.fresh_replication()}),
    "getReplicationLag": lambda w, c: Call({"id": w.replication}),
    "listReplicationPending": lambda w, c: Call({"id": w.replication}),
    "listReplicationLags": lambda w, c: Call(),
    "listReplicationExecutions": lambda w, c: Call(query={"policy_id": w.replication}),
    "startReplication": lambda w, c: Call(body={"policy_id": w.replication}),
    "getReplicationExecution": lambda w, c: Call({"id": w.replication_run()}),
    "stopReplication": lambda w, c: Call({"id": w.replication_run()}),
    "listReplicationTasks": lambda w, c: Call({"id": w.replication_run()}),
    "getReplicationLog": lambda w, c: Call({"id": w.replication_run(), "task_id": 1}),

    "listTeams": lambda w, c: Call(in_tenant(w)),
    "createTeam": lambda w, c: Call(in_tenant(w), body={"name": w.name("team"), "description": ""}),
    "getTeam": lambda w, c: Call(in_tenant(w, team_id=w.team)),
    "updateTeam": lambda w, c: Call(in_tenant(w, team_id=w.fresh_team()), body={"name": w.name("renamed"), "description": "told"}),
    "deleteTeam": lambda w, c: Call(in_tenant(w, team_id=w.fresh_team())),
    "listTeamMembers": lambda w, c: Call(in_tenant(w, team_id=w.team)),
    "addTeamMember": to_join_team,
    "removeTeamMember": team_membership,

    "listGrants": lambda w, c: Call(query={"page_size": 5}),
    "createGrant": lambda w, c: Call(body={"subject": {"kind": "team", "id": w.fresh_team()}, "role_id": 5,
                                           "object": {"kind": "project", "id": w.project_id}}),
    "getGrant": lambda w, c: Call({"grant_id": w.grant}),
    "deleteGrant": lambda w, c: Call({"grant_id": w.fresh_grant()}),
    "listRoles": lambda w, c: Call(),
    "createRole": lambda w, c: Call(body={"name": w.name("role"), "permissions": ["project:repository:pull"]}),
    "getRole": lambda w, c: Call({"role_id": w.role}),
    "updateRole": lambda w, c: Call({"role_id": w.fresh_role()}, body={"name": w.name("renamed"), "permissions": ["project:tag:list"]}),
    "deleteRole": lambda w, c: Call({"role_id": w.fresh_role()}),
    "listObjectKinds": lambda w, c: Call(),
    "listTokens": lambda w, c: Call({"user_id": c.user_id if c else "current"}),
    "createToken": lambda w, c: Call({"user_id": "current"}, body={"name": w.name("token"), "duration_days": 1, "scopes": [
        {"kind": "project", "namespace": "*", "access": [{"resource": "repository", "action": "pull"}]}]}),
    "deleteToken": own_token,
    "listNodeTokens": lambda w, c: Call(query={"page_size": 5}),
    "createNodeToken": lambda w, c: Call(body={"description": w.name("racks"), "zones": ["a"], "nodes": 10, "duration_seconds": 3600}),
    "deleteNodeToken": lambda w, c: Call({"token_id": node_token(w)["id"]}),
    "listNodes": lambda w, c: Call(query={"zone": "a", "page_size": 5}),
    "deleteNode": node,
    "getSwarmLimits": lambda w, c: Call(),
    "updateSwarmLimits": lambda w, c: Call(body={"default": {"up": None, "polite": False}, "zones": [
        {"zone": w.name("z"), "up": 1_000_000_000, "down": None, "across_zones": 20_000_000, "polite": True}]}),
    "listPreheats": lambda w, c: Call(query={"q": "stage=running", "sort": "-id", "page_size": 5}),
    "createPreheat": lambda w, c: Call(body=preheat_body(w)),
    "getPreheat": preheat,
    "listPreheatNodes": lambda w, c: Call(preheat(w).values, query={"state": "waiting", "page_size": 5}),
    "cancelPreheat": preheat,
    "listSwarmImages": lambda w, c: Call(query={"page_size": 5, "state": "complete"}),
    "getSwarmImage": lambda w, c: Call({"digest": w.shared_image()}),
    "listNodesOfSwarmImage": lambda w, c: Call({"digest": w.shared_image()}, query={"page_size": 5}),
    "followSwarm": lambda w, c: Call(query={"seconds": 1}),
    "logIn": lambda w, c: Call(body=form(principal="admin", password=PASSWORD), headers=FORM),
    "logOut": lambda w, c: Call(),
    "userExists": lambda w, c: Call(body=form(target="username", value="admin"), headers=FORM),
    "explainPermission": lambda w, c: Call(query={"kind": "project", "object": w.project, "resource": "repository", "action": "push"}),
}
