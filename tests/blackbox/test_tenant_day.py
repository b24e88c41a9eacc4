"""A tenant's day, through the public API and the command line: a platform admin makes a tenant, its admin builds teams and
grants, a developer pushes, an outsider sees nothing and can't tell that it exists, a robot's key expires, and applying
what was exported changes nothing."""
import functools
import json
import pathlib
import unittest

from support import image, settings
from support.ctl import Ctl
from support.scenario import run
from support.server import PASSWORD, wait_until


FAKETIME = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


@unittest.skipIf(settings.foreign, "about our own program")
@unittest.skipUnless(FAKETIME, "faketime is not installed")
class TenantDay(Ctl):
    @functools.cached_property
    def host(self):
        """A server of its own, whose clock a file tells how far it is ahead."""
        self.clock.write_text("+0\n")
        return self.own_server(environment={
            "LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self.clock), "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }).host

    @property
    def clock(self):
        return self.work / "clock"

    def setUp(self):
        super().setUp()
        self.tenant = "acme-" + self.project[1:]
        self.lead, self.dev, self.outsider = (self.user(name) for name in ("lead", "dev", "out"))

    def skopeo(self, *arguments, who, password=PASSWORD, check=True):
        credentials = ["--dest-creds", f"{who}:{password}"] if arguments[0] == "copy" else ["--creds", f"{who}:{password}"]
        tls = ["--dest-tls-verify=false"] if arguments[0] == "copy" else ["--tls-verify=false"]
        return run("skopeo", arguments[0], *tls, *credentials, *arguments[1:], check=check)

    def test_from_morning_to_evening(self):
        self.platform_admin_makes_a_tenant()
        self.its_admin_builds_a_team_and_grants()
        self.a_developer_pushes()
        self.an_outsider_can_not_tell_that_it_exists()
        self.a_robots_key_expires()
        self.what_was_exported_changes_nothing()

    def platform_admin_makes_a_tenant(self):
        self.ctl("tenant", "create", self.tenant, "--display-name", "Acme", "--admin", self.lead)
        self.ctl("quota", "set", "--tenant", self.tenant, "--storage", "10GiB")
        self.ctl("tenant", "create", self.tenant + "x", code=4, ENTREPOT_USER=self.lead)

    def its_admin_builds_a_team_and_grants(self):
        lead = {"ENTREPOT_USER": self.lead}
        self.ctl("tenant", "member", "add", self.tenant, self.dev, **lead)
        self.ctl("team", "create", "backend", "--tenant", self.tenant, **lead)
        self.ctl("team", "member", "add", "backend", self.dev, "--tenant", self.tenant, **lead)
        self.ctl("project", "create", self.project, "--tenant", self.tenant, "--public", "no", **lead)
        self.ctl("grant", "add", f"team:{self.tenant}/backend", "developer", f"project:{self.project}", **lead)
        # Nobody grants what they don't hold, or where they are nobody.
        self.ctl("grant", "add", f"user:{self.dev}", "platform-admin", "platform", code=4, **lead)
        self.ctl("grant", "add", f"user:{self.dev}", "project-admin", f"project:{self.project}", code=4, ENTREPOT_USER=self.dev)

    def a_developer_pushes(self):
        target = f"docker://{self.host}/{self.project}/app:1"
        self.skopeo("copy", image.multi(), target, who=self.dev)
        shown = self.object("artifact", "list", f"{self.project}/app", ENTREPOT_USER=self.dev)
        self.assertEqual([tag["name"] for tag in shown[0]["tags"]], ["1"])
        self.ctl("project", "delete", self.project, "--yes", code=4, ENTREPOT_USER=self.dev)

    def an_outsider_can_not_tell_that_it_exists(self):
        hidden, missing = self.project, "q" + self.project[1:]
        tenant, no_tenant = self.tenant, self.tenant[:-1] + ("0" if self.tenant[-1] != "0" else "1")
        client = self.client(user=self.outsider)
        basic = {"Authorization": client.basic()}

        def told(method, path, body=None):
            """All of an answer but what differs between any two."""
            answer = client.raw(method, path, body, {**basic, "Content-Type": "application/json", "X-Is-Resource-Name": "true"})
            text = answer.body.decode()
            for name in (hidden, missing, tenant, no_tenant):
                text = text.replace(name, "NAME")
            headers = sorted((name, value) for name, value in answer.headers.items()
                             if name.lower() not in ("x-request-id", "date", "x-harbor-csrf-token"))
            for at, (name, value) in enumerate(headers):
                for each in (hidden, missing, tenant, no_tenant):
                    value = value.replace(each, "NAME")
                headers[at] = (name, value)
            return answer.status, headers, text

        api = "/api/v2.0"
        for method, path, body in (
                ("GET", "/projects/{p}", None), ("PUT", "/projects/{p}", b"{}"), ("DELETE", "/projects/{p}", None),
                ("GET", "/projects/{p}/members", None), ("POST", "/projects/{p}/members", b'{"role_id":1}'),
                ("GET", "/projects/{p}/metadatas/", None), ("GET", "/projects/{p}/summary", None),
                ("GET", "/projects/{p}/repositories", None), ("GET", "/projects/{p}/repositories/app", None),
                ("GET", "/projects/{p}/repositories/app/artifacts", None),
                ("GET", "/projects/{p}/repositories/app/artifacts/1", None),
                ("DELETE", "/projects/{p}/repositories/app/artifacts/1", None),
                ("GET", "/projects/{p}/logs", None), ("GET", "/projects?name={p}", None),
                ("GET", "/search?q={p}", None), ("GET", "/tenants/{t}", None), ("PUT", "/tenants/{t}", b"{}"),
                ("GET", "/tenants/{t}/members", None), ("GET", "/tenants/{t}/teams", None),
                ("GET", "/tenants/{t}/logs", None), ("GET", "/projects?tenant={t}", None),
                ("GET", "/grants?q=object%3D{p}", None)):
            with self.subTest(f"{method} {path}"):
                there = told(method, api + path.format(p=hidden, t=tenant), body)
                self.assertEqual(there, told(method, api + path.format(p=missing, t=no_tenant), body))
                self.assertIn(there[0], (200, 404))
        for path in ("manifests/1", "tags/list", "blobs/sha256:" + "0" * 64):
            with self.subTest(f"/v2/…/{path}"):
                self.assertEqual(told("GET", f"/v2/{hidden}/app/{path}"), told("GET", f"/v2/{missing}/app/{path}"))
        for word in (hidden, tenant):
            listed = [client.raw("GET", f"{api}/{name}?page_size=100", None, basic).body.decode()
                      for name in ("projects", "tenants", "repositories", "audit-logs", "grants", "quotas", "labels")]
            self.assertFalse([each for each in listed if word in each])
        said = [self.skopeo("inspect", f"docker://{self.host}/{name}/app:1", who=self.outsider, check=False)
                for name in (hidden, missing)]
        self.assertTrue(all(each.returncode for each in said))
        self.assertEqual(*(each.stderr.split("level=")[-1].replace(name, "NAME") for each, name in zip(said, (hidden, missing))))
        for name in (hidden, missing):
            self.ctl("project", "show", name, code=3, ENTREPOT_USER=self.outsider)

    def a_robots_key_expires(self):
        lead = {"ENTREPOT_USER": self.lead}
        made = self.object("robot", "create", "ci", "--project", self.project, "--permission", "repository:pull",
                           "--expires", "1", **lead)
        robot = {"who": made["name"], "password": made["secret"]}
        target = f"docker://{self.host}/{self.project}/app:1"
        self.skopeo("inspect", target, **robot)
        # Narrow: it may pull here, and nothing else.
        self.assertTrue(self.skopeo("delete", target, check=False, **robot).returncode)
        self.clock.write_text("+2d\n")
        wait_until(lambda: self.skopeo("inspect", target, check=False, **robot).returncode, 30, "the robot's key expires")
        self.ctl("project", "list", "--limit", "1", code=5, ENTREPOT_USER=robot["who"], ENTREPOT_PASSWORD=robot["password"])
        self.skopeo("inspect", target, who=self.dev)

    def what_was_exported_changes_nothing(self):
        exported = pathlib.Path(self.work, "acme.yaml")
        exported.write_text(self.ctl("export", "--tenant", self.tenant))
        said = self.ctl("apply", "-f", exported, "--dry-run", "--prune")
        self.assertIn("0 to create, 0 to change, 0 to delete, ", said)

        def newest():
            # The record of a pull may lag.
            listed = json.loads(self.ctl("audit", "list", "--tenant", self.tenant, "--limit", "50", "-o", "json"))
            return next(record for record in listed if record["operation"] != "pull")
        before = newest()
        self.ctl("apply", "-f", exported, "--yes")
        self.assertEqual(newest(), before)
        self.assertEqual(self.ctl("export", "--tenant", self.tenant), exported.read_text())
        # All of that is the tenant's own business.
        self.assertEqual(self.ctl("export", "--tenant", self.tenant, ENTREPOT_USER=self.lead), exported.read_text())
        self.ctl("apply", "-f", exported, "--dry-run", "--prune", ENTREPOT_USER=self.lead)


if __name__ == "__main__":
    unittest.main()
