"""The contract (docs/api/openapi.yaml) and the server, held against each other: every operation is asked for and its
answer validated, every route of the server is in the file, and schemathesis tries what nobody thought of."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from support import settings
from support.api import Api
from support.scenario import Scenario
from support.server import PASSWORD, Server
from support.swarm import SWARM

try:
    import yaml

    from support.contract import Contract
    from support.world import REQUESTS, World
except ImportError:
    yaml = None

FILE = settings.ROOT / "docs/api/openapi.yaml"
HARBOR = settings.ROOT / "tests/blackbox/harbor_operations.txt"
# Whose success can't be had here; what they must answer then, and why.
NO_SUCCESS = {
    "getCert": (404, "we sign no certificates"),
    "pingRegistry": (400, "the world's registry elsewhere does not answer"),
    "getReplicationLog": (404, "and so there are no tasks"),
}


@unittest.skipIf(settings.foreign, "about our own management API")
@unittest.skipUnless(yaml, "needs the packages of tests/requirements.txt (tools/install-test-deps.sh)")
class TheContract(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(environment={"ENTREPOT_LOG_LEVEL": "debug", **SWARM}).start()
        cls.addClassCleanup(cls.server.close)
        cls.api = Api(cls.server.host)
        cls.addClassCleanup(cls.api.close)
        cls.contract = Contract(cls.api.get("/openapi.json"))

    def test_what_is_served_is_the_file(self):
        answer = self.api.request("GET", "/openapi.yaml")
        self.assertEqual(answer.body, FILE.read_bytes())
        self.assertEqual(json.loads(json.dumps(yaml.safe_load(answer.body))), self.contract.document)
        again = self.api.request("GET", "/openapi.yaml", headers={"If-None-Match": answer.headers["ETag"]})
        self.assertEqual((again.status, again.body), (304, b""))

    def test_every_route_is_in_the_file_and_the_file_has_no_others(self):
        lines = [json.loads(line) if line.startswith("{") else line
                 for line in self.server.log_path.read_text().splitlines() if "management routes" in line]
        self.assertEqual(len(lines), 1)
        text = lines[0]["routes"] if isinstance(lines[0], dict) else re.search(r'routes="?([^"]*)"?', lines[0])[1]
        served = set(text.split(", "))
        described = {one.route() for one in self.contract.operations.values() if one.server == "/api/v2.0"}
        self.assertEqual(served - described, set(), "served and not described")
        self.assertEqual(described - served, set(), "described and not served")

    def test_every_operation_answers_as_described(self):
        world = World(self.server.host)
        self.addCleanup(world.close)
        self.assertEqual(set(REQUESTS), set(self.contract.operations))
        for name, operation in self.contract.operations.items():
            with self.subTest(name):
                answer = REQUESTS[name](world, None).send(world.admin, operation)
                wanted, _ = NO_SUCCESS.get(name, (operation.success, ""))
                self.assertEqual(answer.status, wanted, answer)
                self.assertEqual(self.contract.problems(operation, answer), [])

    def test_whoever_made_it_finds_it_where_location_says(self):
        world = World(self.server.host)
        self.addCleanup(world.close)
        for name, operation in self.contract.operations.items():
            if operation.method != "POST" or operation.success != 201 or name == "createToken":
                continue
            with self.subTest(name):
                answer = REQUESTS[name](world, None).send(world.admin, operation)
                location = answer.headers["Location"]
                if name in ("createTag", "addTeamMember", "createNodeToken"):  # these have no GET of their own
                    location = location.rsplit("/", 1)[0]
                self.assertTrue(location.startswith("/api/v2.0/"), location)
                self.assertEqual(world.admin.request("GET", location, base="").status, 200, location)

    def test_errors_have_the_one_shape(self):
        world = World(self.server.host)
        self.addCleanup(world.close)
        nobody = Api(self.server.host, None)
        self.addCleanup(nobody.close)
        for name, operation in self.contract.operations.items():
            call = REQUESTS[name](world, None)
            wrong = {"anonymous": lambda: call.send(nobody, operation)}
            if operation.method in ("POST", "PUT", "PATCH") and "requestBody" in operation.definition:
                for label, body in (("no JSON", b"{"), ("a list", b"[]"), ("a text", b'"x"'), ("nothing", b""),
                                    ("deep", b'{"a":' * 500 + b"1" + b"}" * 500)):
                    wrong[label] = lambda body=body: world.admin.request(
                        operation.method, operation.url(**call.values), body, call.headers or {"Content-Type": "application/json"},
                        call.query, base="")
            for label, send in wrong.items():
                with self.subTest(name, wrong=label):
                    answer = send()
                    if answer.status < 400:
                        continue
                    self.assertLess(answer.status, 500, answer)
                    self.assertEqual(self.contract.problems(operation, answer), [])

    def test_lists_refuse_pages_that_are_none(self):
        for name, operation in self.contract.operations.items():
            parameters = [self.contract.resolve(one)["name"] for one in operation.definition.get("parameters", [])]
            if "page_size" not in parameters or "{" in operation.path:
                continue
            for query in ("page=0", "page=-1", "page_size=0", "page_size=101", "page=x", "page_size=99999999999999999999",
                          "page=9223372036854775807&page_size=100"):
                with self.subTest(name, query=query):
                    self.assertEqual(self.api.request("GET", f"{operation.path}?{query}").status, 400)

    def test_the_page_for_people_loads_nothing_from_elsewhere(self):
        answer = self.api.request("GET", "/api/docs", base="")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        policy = answer.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertNotRegex(policy, r"https?:|\*")
        self.assertNotRegex(answer.body.decode(), r"""(src|href)=["']?(https?:)?//""")

    def test_what_of_harbors_api_is_here_is_counted_honestly(self):
        """docs/api.md says how many of Harbor's operations are in the file; tools/count_operations.py counts."""
        counted = subprocess.run([sys.executable, settings.ROOT / "tools/count_operations.py"], capture_output=True,
                                 text=True, check=True).stdout
        first = counted.splitlines()[0]
        self.assertIn(first, (settings.ROOT / "docs/api.md").read_text())

    def test_schemathesis_finds_nothing_as_somebody_without_rights(self):
        name = f"schema-{self.project}"
        self.api.post("/users", {"username": name, "password": "Somebody1pass", "email": f"{name}@example.com",
                                 "realname": name})
        self.schemathesis(self.server.host, name, "Somebody1pass", examples=4)

    def test_schemathesis_finds_nothing_as_the_admin(self):
        """On a server of its own, where paths name things that are there, so that requests get past 404. Settings are
        left alone: one of them closes the registry for changes."""
        with Server(environment=SWARM) as server:
            world = World(server.host)
            self.addCleanup(world.close)
            known = {"project_name_or_id": world.project, "project_name": world.project, "repository_name": "app",
                     "reference": "1.0", "addition": "build_history", "tenant_name_or_id": world.tenant,
                     "user_id": world.victim, "team_id": world.team, "role_id": world.role, "group_id": world.group,
                     "robot_id": world.robot, "label_id": world.label, "grant_id": world.grant, "mid": world.member,
                     "id": world.quota, "webhook_policy_id": world.hook}
            lines = [f'"path.{name}" = {json.dumps(value)}' for name, value in known.items()]
            settings_file = "\n".join(["[parameters]", *lines, ""])
            self.schemathesis(server.host, "admin", PASSWORD, "--exclude-operation-id", "updateConfigurations",
                              examples=10, settings_file=settings_file)

    def schemathesis(self, host, user, password, *more, examples, settings_file=""):
        """Bounded: so many examples of each operation from a fixed seed, a few minutes at most. Its generator now and
        then trips over itself on a loaded machine ("Inconsistent results" of its own strategies, before any request is
        sent): then it runs again, once. What it finds in our answers fails at once."""
        done = self.run_schemathesis(host, user, password, *more, examples=examples, settings_file=settings_file)
        report = self.findings(done.stdout)
        if done.returncode and "Inconsistent results" in report and not re.search("^=+ FAILURES =+$", done.stdout, re.M):
            print(f"schemathesis stumbled and runs again:\n{report[-3000:]}", flush=True)
            done = self.run_schemathesis(host, user, password, *more, examples=examples, settings_file=settings_file)
        self.assertEqual(done.returncode, 0, self.findings(done.stdout)[:8000] + done.stderr[-2000:])
        self.assertRegex(done.stdout, r"\d+ generated, \d+ passed")

    @staticmethod
    def run_schemathesis(host, user, password, *more, examples, settings_file):
        with tempfile.TemporaryDirectory() as home:
            pathlib.Path(home, "schemathesis.toml").write_text(settings_file)
            program = pathlib.Path(sys.executable).with_name("schemathesis")
            return subprocess.run(
                [program, "run", FILE, "--url", f"http://{host}/api/v2.0", "--auth", f"{user}:{password}",
                 "--exclude-path-regex", "^/c/|^/events/stream$|^/swarm/stream$", "--max-examples", str(examples), "--seed", "1",
                 "--generation-database", "none", "--phases", "examples,coverage,fuzzing", "--workers", "1",
                 "--request-timeout", "20", "--checks",
                 "not_a_server_error,status_code_conformance,content_type_conformance,"
                 "response_headers_conformance,response_schema_conformance", *more],
                cwd=home, capture_output=True, text=True, timeout=900, check=False,
                env={**os.environ, "NO_COLOR": "1", "COLUMNS": "160"})

    @staticmethod
    def findings(report):
        """Without the hints that follow them; all of a report of another shape."""
        begin = re.search(r"^=+ (ERRORS|FAILURES) =+$", report, re.MULTILINE)
        if not begin:
            return report[-8000:]
        end = re.compile(r"^=+ (WARNINGS|SUMMARY) =+$", re.MULTILINE).search(report, begin.end())
        return report[begin.start():end.start() if end else None]
