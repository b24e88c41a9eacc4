"""Declarative files: what is applied is so, what was exported changes nothing, and what drifts is seen."""
import json
import pathlib
import stat
import unittest

from support import settings
from support.ctl import Ctl
from support.server import PASSWORD


@unittest.skipIf(settings.foreign, "about our own program")
class Apply(Ctl):
    def setUp(self):
        super().setUp()
        self.tenant = "t" + self.project[1:]
        self.ada, self.grace = "ada" + self.project[1:], "grace" + self.project[1:]
        self.path = pathlib.Path(self.work, "acme.yaml")
        self.password = pathlib.Path(self.work, "password")
        self.password.write_text(PASSWORD + "\n")

    def documents(self, **changes):
        """A tenant with one of everything."""
        values = {"tenant": self.tenant, "project": self.project, "ada": self.ada, "grace": self.grace,
                  "role": "r" + self.project[1:], "team_members": f"[{self.grace}]", "public": "false",
                  "password": self.password, "color": "'#112233'", **changes}
        return """
kind: Grant
metadata: {{subject: 'team:{tenant}/backend', role: {role}, object: 'project:{project}'}}
spec: {{expires_at: '2199-12-31T00:00:00Z'}}
---
kind: Grant
metadata: {{subject: 'user:{ada}', role: tenant-admin, object: 'tenant:{tenant}'}}
---
kind: Role
metadata: {{name: {role}}}
spec: {{description: pulls and lists, permissions: ['project:repository:pull', 'project:repository:list']}}
---
kind: User
metadata: {{name: {ada}}}
spec: {{email: {ada}@example.org, realname: Ada, password_from: {{file: {password}}}}}
---
kind: User
metadata: {{name: {grace}}}
spec: {{email: {grace}@example.org, password_from: {{variable: FIRST_PASSWORD}}}}
---
kind: Tenant
metadata: {{name: {tenant}}}
spec: {{display_name: A tenant, description: 'yes: it is', members: [{grace}, {ada}]}}
---
kind: Team
metadata: {{name: backend, tenant: {tenant}}}
spec: {{description: writes code, members: {team_members}}}
---
kind: Project
metadata: {{name: {project}}}
spec: {{tenant: {tenant}, public: {public}, metadata: {{auto_scan: 'true'}}}}
---
kind: Quota
metadata: {{project: {project}}}
spec: {{storage: 1GiB}}
---
kind: Quota
metadata: {{tenant: {tenant}}}
spec: {{storage: 10GiB, artifacts: 1000}}
---
kind: Label
metadata: {{name: ready, project: {project}}}
spec: {{color: {color}, description: can go out}}
---
kind: Member
metadata: {{project: {project}, user: {grace}}}
spec: {{role: maintainer}}
---
kind: Robot
metadata: {{name: ci, project: {project}}}
spec: {{duration: 30, permissions: ['project/{project}:repository:pull', 'project/{project}:repository:push']}}
""".format(**values)

    def apply(self, *words, text=None, code=0):
        self.path.write_text(text if text is not None else self.documents())
        return self.ctl("apply", "-f", self.path, *words, code=code, FIRST_PASSWORD=PASSWORD)

    def test_what_is_applied_is_so_and_stays_so(self):
        secrets = pathlib.Path(self.work, "secrets.json")
        said = self.apply("--dry-run", code=10)
        self.assertIn("13 to create, 0 to change, 0 to delete, 0 unchanged\n", said)
        self.ctl("tenant", "show", self.tenant, code=3)
        said = self.apply("--yes", "--secrets", secrets)
        self.assertIn(f"Team {self.tenant}/backend: created\n", said)
        self.assertEqual(stat.S_IMODE(secrets.stat().st_mode), 0o600)
        (robot, secret), = json.loads(secrets.read_text()).items()
        self.ctl("project", "list", "--limit", "1", ENTREPOT_USER=robot, ENTREPOT_PASSWORD=secret)
        self.assertNotIn(secret, said)
        self.ctl("whoami", ENTREPOT_USER=self.grace)
        self.assertIn("0 to create, 0 to change, 0 to delete, 13 unchanged\n", self.apply("--dry-run"))
        self.apply("--yes")

    def test_a_change_is_shown_field_by_field_before_it_is_made(self):
        self.apply("--yes")
        said = self.apply("--dry-run", code=10, text=self.documents(
            public="true", color="'#445566'", team_members=f"[{self.ada}]"))
        self.assertIn(f"~ Team {self.tenant}/backend\n    members: +{self.ada} -{self.grace}\n", said)
        self.assertIn(f"~ Project {self.project}\n    public: false -> true\n", said)
        self.assertIn("    color: \"#112233\" -> \"#445566\"\n", said)
        self.assertIn("0 to create, 3 to change, 0 to delete, 10 unchanged\n", said)
        self.apply("--yes", text=self.path.read_text())
        self.assertEqual(self.object("project", "show", self.project)["metadata"]["public"], "true")
        self.apply("--dry-run", text=self.path.read_text())

    def test_drift_is_seen(self):
        self.apply("--yes")
        self.ctl("member", "set", self.grace, "--project", self.project, "--role", "guest")
        self.ctl("team", "delete", "backend", "--tenant", self.tenant, "--yes")
        said = self.apply("--dry-run", code=10)
        self.assertIn("    role: guest -> maintainer\n", said)
        self.assertIn(f"+ Team {self.tenant}/backend\n", said)
        self.apply("--yes")
        self.apply("--dry-run")

    def test_export_and_apply_change_nothing(self):
        self.apply("--yes")
        self.ctl("tenant", "create", "o" + self.project[1:])  # of which the files say nothing
        exported = self.ctl("export", "--tenant", self.tenant)
        for kind in ("Tenant", "Team", "Project", "Quota", "Label", "Member", "Robot", "Grant"):
            self.assertIn(f"kind: {kind}\n", exported)
        said = self.apply("--dry-run", "--prune", text=exported)
        self.assertIn("0 to create, 0 to change, 0 to delete, ", said)
        directory = pathlib.Path(self.work, "all")
        self.ctl("export", "--directory", directory)
        self.assertTrue((directory / "platform.yaml").exists())
        self.assertTrue((directory / f"tenant-{self.tenant}.yaml").exists())
        self.assertIn("0 to create, 0 to change, 0 to delete, ", self.ctl("apply", "-f", directory, "--dry-run"))
        self.assertNotIn(PASSWORD, "".join(path.read_text() for path in directory.iterdir()))

    def test_registries_elsewhere_caches_sources_and_replications(self):
        name = self.project
        text = f"""
kind: Replication
metadata: {{name: {name}-out}}
spec: {{to: {name}-hub, repositories: '{name}/**', tags: 'not:dev-*', trigger: scheduled, cron: '0 0 3 * * *', resources: image,
        platforms: [linux/arm64, linux/amd64], window: '22:00-06:00', bytes_per_second: 10MiB, labels: [b, a]}}
---
kind: Project
metadata: {{name: {name}-base}}
spec: {{sources: ['{name}-web', '?{name}-hub=library/**,!library/own-*', '{name}-base']}}
---
kind: Project
metadata: {{name: {name}-hub}}
spec: {{caches: {name}-hub, proxy_settings: {{ttl: 60, freshness: ttl, repositories: 'library/**,team/*'}}}}
---
kind: Project
metadata: {{name: {name}-web}}
---
kind: Registry
metadata: {{name: {name}-hub}}
spec: {{type: docker-registry, url: 'https://hub.example.org', user: robot, password_from: {{file: {self.password}}}, rate: 1MiB}}
"""
        self.apply("--yes", text=text)
        self.assertIn("0 to create, 0 to change, 0 to delete, 5 unchanged\n", self.apply("--dry-run", text=text))
        base = self.object("project", "show", f"{name}-base")["sources"]
        self.assertEqual([(one["project"], one["optional"], one["except"]) for one in base],
                         [(f"{name}-web", False, []), (f"{name}-hub", True, ["library/own-*"]), (f"{name}-base", False, [])])
        settings = self.object("project", "show", f"{name}-hub")["proxy_settings"]
        self.assertEqual(settings, {"ttl": 60, "freshness": "ttl", "repositories": ["library/**", "team/*"]})
        exported = self.ctl("export")
        self.assertIn(f"name: {name}-out\n", exported)
        self.assertNotIn(PASSWORD, exported)
        self.assertIn("0 to create, 0 to change, 0 to delete, ", self.apply("--dry-run", text=exported))

        other = text.replace("ttl: 60", "ttl: 90").replace("tags: 'not:dev-*'", "tags: ''").replace("rate: 1MiB", "rate: 0")
        other = other.replace(f"['{name}-web', '?", f"['?").replace(f", '{name}-base']", f", '{name}-web']")
        said = self.apply("--dry-run", code=10, text=other)
        self.assertIn("0 to create, 4 to change, 0 to delete, 1 unchanged\n", said)
        self.apply("--yes", text=other)
        self.apply("--dry-run", text=other)
        self.assertEqual(self.object("replication", "show", f"{name}-out")["window"], {"from": "22:00", "until": "06:00"})
        self.apply("--yes", code=6, text=other.replace(f"caches: {name}-hub", "caches: other"))
        self.assertIn("settled at its creation", self.complaint)

    def test_prune_deletes_only_what_the_files_kinds_and_tenants_have(self):
        self.apply("--yes")
        self.ctl("team", "create", "stray", "--tenant", self.tenant)
        self.ctl("label", "create", "stray", "--project", self.project)
        others = "o" + self.project[1:]
        self.ctl("tenant", "create", others)
        self.ctl("team", "create", "theirs", "--tenant", others)
        team = f"kind: Team\nmetadata: {{name: backend, tenant: {self.tenant}}}\n"
        self.assertIn(", 0 to delete,", self.apply("--dry-run", text=team))
        said = self.apply("--dry-run", "--prune", code=10, text=team)
        self.assertIn(f"- Team {self.tenant}/stray\n0 to create, 0 to change, 1 to delete, 1 unchanged\n", said)
        self.apply("--prune", code=2, text=team)
        self.apply("--prune", "--yes", text=team)
        self.assertEqual(sorted(self.ctl("team", "list", "--tenant", self.tenant, "-q").split()), ["backend", "everyone"])
        self.assertIn("theirs", self.ctl("team", "list", "--tenant", others, "-q"))
        self.assertIn("stray", self.ctl("label", "list", "--project", self.project, "-q"))
        # People and tenants are no files' to delete.
        whole = f"kind: Tenant\nmetadata: {{name: {self.tenant}}}\n---\nkind: User\nmetadata: {{name: {self.ada}}}\n"
        self.assertIn(", 0 to delete, 2 unchanged\n", self.apply("--dry-run", "--prune", text=whole))

    def test_a_failure_stops_it_and_it_goes_on_from_there(self):
        broken = self.documents().replace("project:repository:list", "project:nonsense:list")
        self.apply("--yes", code=1, text=broken)
        self.assertIn("Role r", self.complaint)
        self.password.write_text("weak\n")
        self.apply("--yes", code=1)
        self.assertIn(f"User {self.ada}", self.complaint)
        self.ctl("role", "show", "r" + self.project[1:])
        self.password.write_text(PASSWORD)
        self.assertIn("12 to create, 0 to change, 0 to delete, 1 unchanged", self.apply("--dry-run", code=10))
        self.apply("--yes")
        self.apply("--dry-run")

    def test_frozen_things_are_filled_first(self):
        frozen = self.documents().replace("display_name: A tenant", "display_name: A tenant, frozen: true")
        self.apply("--yes", text=frozen)
        self.assertTrue(self.object("tenant", "show", self.tenant)["frozen"])
        self.apply("--dry-run", text=frozen)

    def test_what_is_wrong_in_a_file_is_told_with_its_line_and_changes_nothing(self):
        wrong = self.documents() + "---\nkind: Team\nmetadata: {name: a, tenat: b}\nspec: {colour: red}\n"
        line = wrong.split("tenat")[0].count("\n") + 1
        self.apply("--yes", code=2, text=wrong)
        self.assertIn(f"{self.path}:{line}: there is no field metadata.tenat\n", self.complaint)
        self.assertIn(f"{self.path}:{line + 1}: there is no field spec.colour", self.complaint)
        self.ctl("tenant", "show", self.tenant, code=3)
        self.apply("--yes", code=2, text=self.documents() + "---" + self.documents())
        self.assertIn("is also in", self.complaint)
        self.ctl("apply", "-f", "/nonexistent.yaml", code=2)

    def test_nobody_there_to_agree_means_no(self):
        self.apply(code=2)
        self.ctl("tenant", "show", self.tenant, code=3)


if __name__ == "__main__":
    unittest.main()
