"""`entrepot ctl` against a real server: what people and scripts do with it."""
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import unittest

from support import settings
from support.ctl import Ctl
from support.server import PASSWORD, free_port

DOCS = settings.ROOT / "docs"


@unittest.skipIf(settings.foreign, "about our own program")
class Table(Ctl):
    def test_help_is_there_for_every_command_and_needs_no_server(self):
        overview = self.ctl("--help", ENTREPOT_URL=None)
        commands = re.findall(r"^  ([a-z]+(?: [a-z]+)*)  ", overview.split("COMMANDS\n")[1].split("\n\n")[0], re.M)
        self.assertGreater(len(commands), 80)
        for command in commands:
            text = self.ctl(*command.split(), "--help", ENTREPOT_URL=None)
            self.assertTrue(text.startswith(f"NAME\n  entrepot ctl {command} - "), text)
            self.assertIn("SYNOPSIS", text)

    def test_the_reference_is_current(self):
        self.assertEqual(self.ctl("docs"), (DOCS / "cli.md").read_text(), "run: entrepot ctl docs > docs/cli.md")
        self.assertIn(self.ctl("docs", "--kinds"), (DOCS / "apply.md").read_text(),
                      "docs/apply.md holds what `entrepot ctl docs --kinds` prints")

    def test_wrong_lines_are_refused_with_a_hint(self):
        for words in ([], ["nonsense"], ["tenant"], ["tenant", "show"], ["tenant", "list", "--nonsense"],
                      ["whoami", "-o", "xml"], ["grant", "add", "x", "y", "z"]):
            self.ctl(*words, code=2)
            self.assertIn("entrepot:", self.complaint)

    def shell(self, *command, given=None):
        directory = pathlib.Path(self.work, "bin")
        directory.mkdir(exist_ok=True)
        if not (directory / "entrepot").exists():
            (directory / "entrepot").symlink_to(settings.binary)
        environment = {**self.variables, "PATH": f"{directory}:{os.environ['PATH']}"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, input=given, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def script(self, shell):
        path = pathlib.Path(self.work, f"completion.{shell}")
        path.write_text(self.ctl("completion", shell))
        return path

    def test_bash_completes(self):
        script = self.script("bash")
        self.shell("bash", "-n", script)
        for line, wanted in ((["entrepot", "ct"], ["ctl"]), (["entrepot", "ctl", "tenant", "un"], ["unfreeze"]),
                             (["entrepot", "ctl", "whoami", "-o", ""], ["json", "table", "yaml"]),
                             (["entrepot", "ctl", "member", "add", "x", "--role", "m"], ["maintainer"])):
            words = " ".join(f"'{word}'" for word in line)
            said = self.shell("bash", "-c", f"source {script}; COMP_WORDS=({words}); COMP_CWORD={len(line) - 1}; "
                                            "_entrepot; printf '%s\\n' \"${COMPREPLY[@]}\"")
            self.assertEqual(said.split(), wanted)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_completes(self):
        script = self.script("zsh")
        self.shell("zsh", "-n", script)
        said = self.shell("zsh", "-f", "-c", f"compdef() {{ }}; source {script}; compadd() {{ shift; print -l -- $@; }}; "
                                             "words=(entrepot ctl tenant un); CURRENT=4; _entrepot")
        self.assertEqual(said.split(), ["unfreeze"])

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completes(self):
        script = self.script("fish")
        self.shell("fish", "-n", script)
        said = self.shell("fish", "-c", f"source {script}; complete -C 'entrepot ctl tenant un'")
        self.assertEqual(said.split(), ["unfreeze"])


@unittest.skipIf(settings.foreign, "about our own program")
class Session(Ctl):
    def test_login_keeps_a_token_in_a_file_of_its_own(self):
        name = self.user()
        nobody = {"ENTREPOT_URL": None, "ENTREPOT_USER": None, "ENTREPOT_PASSWORD": None}
        self.ctl("whoami", code=5, **nobody)
        self.ctl("login", self.host, "--user", name, "--password-stdin", given="Wrong1password", code=5, **nobody)
        self.ctl("login", self.host, "--user", name, "--password-stdin", given=PASSWORD + "\n", **nobody)
        path = self.work / ".config/entrepot/config.json"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertNotIn(PASSWORD, path.read_text())
        self.assertEqual(self.object("whoami", **nobody)["username"], name)
        self.assertEqual(len(self.object("token", "list", **nobody)), 1)
        self.ctl("login", self.host, "--user", name, "--password-stdin", given=PASSWORD + "\n", **nobody)
        self.assertEqual(len(self.object("token", "list", **nobody)), 2)
        self.ctl("token", "create", "laptop", code=5, **nobody)
        self.assertIn("set ENTREPOT_USER and ENTREPOT_PASSWORD", self.complaint)
        self.ctl("logout", **nobody)
        self.assertIn("the token was not revoked", self.complaint)
        self.ctl("whoami", code=5, **nobody)
        self.assertEqual(json.loads(path.read_text())["contexts"], {})

    def test_logout_revokes_with_the_password(self):
        name = self.user()
        nobody = {"ENTREPOT_URL": None, "ENTREPOT_USER": None, "ENTREPOT_PASSWORD": None}
        self.ctl("login", self.host, "--user", name, "--password-stdin", given=PASSWORD, **nobody)
        self.assertIn("its token is revoked", self.ctl("logout", **{**nobody, "ENTREPOT_PASSWORD": PASSWORD}))
        self.assertEqual(self.object("token", "list", ENTREPOT_USER=name), [])

    def test_a_password_of_ones_own_takes_the_old_one(self):
        name = self.user()
        nobody = {"ENTREPOT_URL": None, "ENTREPOT_USER": None, "ENTREPOT_PASSWORD": None}
        self.ctl("login", self.host, "--user", name, "--password-stdin", given=PASSWORD, **nobody)
        self.ctl("user", "password", name, code=5, ENTREPOT_NEW_PASSWORD="Another1pass", **nobody)
        self.ctl("user", "password", name, ENTREPOT_USER=name, ENTREPOT_NEW_PASSWORD="Another1pass")
        self.ctl("user", "password", name, "--old-password-stdin", given="Another1pass",
                 **{**nobody, "ENTREPOT_NEW_PASSWORD": "Third1password"})
        self.ctl("whoami", ENTREPOT_USER=name, ENTREPOT_PASSWORD="Third1password")

    def test_a_revoked_token_lets_nobody_in(self):
        name = self.user()
        token = self.ctl("token", "create", "laptop", "--expires", "1h", "--quiet", ENTREPOT_USER=name).strip()
        as_token = {"ENTREPOT_USER": None, "ENTREPOT_PASSWORD": None, "ENTREPOT_TOKEN": token}
        self.assertEqual(self.object("whoami", **as_token)["username"], name)
        self.ctl("token", "revoke", "laptop", "--yes", ENTREPOT_USER=name)
        self.ctl("whoami", code=5, **as_token)

    def test_nobody_is_there(self):
        self.ctl("whoami", code=7, ENTREPOT_URL=f"http://127.0.0.1:{free_port()}")

    def test_status_says_whether_all_is_well(self):
        self.assertIn("healthy", self.ctl("status"))
        self.assertEqual(self.object("status")["status"], "healthy")


@unittest.skipIf(settings.foreign, "about our own program")
class Work(Ctl):
    def test_projects_and_their_members(self):
        name = self.user()
        self.ctl("project", "create", self.project, "--public", "no", "--quota", "1GiB")
        self.ctl("project", "create", self.project, code=6)
        self.assertEqual(self.object("project", "show", self.project)["metadata"]["public"], "false")
        self.ctl("project", "show", self.project, code=3, ENTREPOT_USER=name)
        self.ctl("member", "add", name, "--project", self.project, "--role", "guest")
        self.ctl("member", "set", name, "--project", self.project, "--role", "developer")
        members = {member["entity_name"]: member["role_id"] for member in
                   self.object("member", "list", "--project", self.project)}
        self.assertEqual(members[name], 2)
        self.ctl("project", "show", self.project, ENTREPOT_USER=name)
        self.ctl("project", "delete", self.project, "--yes", code=4, ENTREPOT_USER=name)
        self.ctl("project", "delete", self.project, code=2)
        self.ctl("project", "update", self.project, "--public", "yes")
        self.assertEqual(self.object("quota", "show", "--project", self.project)["hard"]["storage"], 1 << 30)
        self.ctl("quota", "set", "--project", self.project, "--storage", "2GiB")
        self.assertEqual(self.object("quota", "show", "--project", self.project)["hard"]["storage"], 2 << 30)
        self.ctl("member", "remove", name, "--project", self.project, "--yes")
        self.ctl("project", "delete", self.project, "--yes")
        self.ctl("project", "show", self.project, code=3)

    def test_tenants_teams_and_grants(self):
        name, tenant = self.user(), "t" + self.project[1:]
        self.ctl("tenant", "create", tenant, "--display-name", "A tenant")
        self.ctl("tenant", "member", "add", tenant, name)
        self.ctl("team", "create", "backend", "--tenant", tenant)
        self.ctl("team", "member", "add", "backend", name, "--tenant", tenant)
        self.assertEqual([each["username"] for each in self.object("team", "member", "list", "backend", "--tenant", tenant)],
                         [name])
        self.ctl("project", "create", self.project, "--tenant", tenant)
        self.assertEqual(self.ctl("project", "list", "--tenant", tenant, "-q").split(), [self.project])
        asked = ("explain", "repository:push", f"project:{self.project}", "--user", name)
        self.assertFalse(self.object(*asked)["allowed"])
        self.ctl("grant", "add", f"team:{tenant}/backend", "developer", f"project:{self.project}", "--expires", "30d")
        answer = self.object(*asked)
        self.assertTrue(answer["allowed"])
        grants = self.object("grant", "list", "--object", f"project:{self.project}", "--subject", f"team:{tenant}/backend")
        self.assertEqual([answer["grant"]["id"]], [grant["id"] for grant in grants])
        self.assertIn(f"{tenant}/backend", self.ctl("grant", "list", "--object", f"project:{self.project}"))
        self.ctl("tenant", "freeze", tenant)
        self.assertFalse(self.object(*asked)["allowed"])
        self.ctl("tenant", "unfreeze", tenant)
        self.assertTrue(self.object(*asked)["allowed"])
        self.ctl("grant", "remove", grants[0]["id"], "--yes")
        self.assertFalse(self.object(*asked)["allowed"])
        self.ctl("team", "delete", "backend", "--tenant", tenant, "--yes")
        self.ctl("tenant", "delete", tenant, "--yes", code=6)

    def test_roles(self):
        name = "r" + self.project[1:]
        self.ctl("role", "create", name, "--permission", "project:repository:pull", "--permission", "project:tag:list")
        self.assertEqual(self.object("role", "show", name)["permissions"],
                         sorted(self.object("role", "show", name)["permissions"], key=lambda text: text))
        self.ctl("role", "create", name, "--permission", "project:repository:pull", code=6)
        self.ctl("role", "create", name + "x", "--permission", "nonsense", code=1)
        self.ctl("role", "delete", name, "--yes")
        self.ctl("role", "show", name, code=3)
        self.ctl("role", "delete", "developer", "--yes", code=6)

    def test_artifacts_tags_and_labels(self):
        repository = f"{self.project}/team/app"
        digest = self.client().push_image(repository, "1", b"layer")
        self.assertEqual(self.ctl("repository", "list", "--project", self.project, "-q").split(), [repository])
        self.assertEqual(self.object("artifact", "show", f"{repository}:1")["digest"], digest)
        self.ctl("tag", "add", f"{repository}@{digest}", "2")
        self.assertEqual(sorted(self.ctl("tag", "list", f"{repository}:1", "-q").split()), ["1", "2"])
        self.ctl("label", "create", "ready", "--project", self.project, "--color", "#00FF00")
        self.ctl("label", "add", "ready", f"{repository}:2", "--project", self.project)
        shown = self.object("artifact", "list", repository)
        self.assertEqual([label["name"] for label in shown[0]["labels"]], ["ready"])
        self.ctl("label", "remove", "ready", f"{repository}:2", "--project", self.project, "--yes")
        self.ctl("artifact", "copy", f"{repository}:2", f"{self.project}/other")
        self.assertEqual(self.object("artifact", "show", f"{self.project}/other@{digest}")["digest"], digest)
        self.ctl("tag", "remove", f"{repository}:1", "--yes")
        self.ctl("artifact", "show", f"{repository}:1", code=3)
        self.ctl("artifact", "delete", f"{repository}:2", "--yes")
        self.ctl("repository", "delete", repository, "--yes")
        self.ctl("repository", "show", repository, code=3)

    def test_robots(self):
        self.ctl("project", "create", self.project)
        at = ("--project", self.project)
        secret = self.ctl("robot", "create", "ci", *at, "--permission", "repository:pull", "--expires", "30", "-q").strip()
        robot = self.object("robot", "show", "ci", *at)
        login = {"ENTREPOT_USER": robot["name"], "ENTREPOT_PASSWORD": secret}
        self.assertEqual(self.object("robot", "show", robot["name"])["id"], robot["id"])
        self.assertEqual(self.object("whoami", **login), {"username": robot["name"], "level": "project",
                                                          "project": self.project})
        self.ctl("robot", "create", "cf", *at, "--permission", "project/library:repository:pull", code=2)
        self.assertEqual(len(self.object("robot", "list", *at)), 1)
        self.ctl("project", "list", "--limit", "1", **login)
        newer = self.ctl("robot", "rotate", "ci", *at, "-q").strip()
        self.assertNotEqual(secret, newer)
        login["ENTREPOT_PASSWORD"] = newer
        self.ctl("project", "list", "--limit", "1", **login)
        self.ctl("robot", "disable", "ci", *at)
        self.ctl("project", "list", "--limit", "1", code=5, **login)
        self.ctl("robot", "enable", "ci", *at)
        self.ctl("project", "list", "--limit", "1", **login)
        self.ctl("robot", "delete", "ci", *at, "--yes")
        self.ctl("project", "list", "--limit", "1", code=5, **login)

    def test_people_and_settings(self):
        name = self.user()
        self.ctl("user", "create", name, "--email", "other@example.org", "--password-stdin", given=PASSWORD, code=6)
        self.ctl("user", "admin", name, "on")
        self.assertTrue(self.object("user", "show", name)["sysadmin_flag"])
        self.ctl("user", "admin", name, "off")
        self.ctl("user", "password", name, "--password-stdin", given="Another1pass")
        self.ctl("whoami", code=5, ENTREPOT_USER=name)
        self.ctl("whoami", ENTREPOT_USER=name, ENTREPOT_PASSWORD="Another1pass")
        self.ctl("user", "disable", name)
        self.ctl("whoami", code=5, ENTREPOT_USER=name, ENTREPOT_PASSWORD="Another1pass")
        self.ctl("user", "delete", name, "--yes")
        self.assertIn(self.ctl("config", "get", "self_registration", "-q").strip(), ("yes", "no"))
        self.ctl("config", "set", "self_registration", "no")
        self.ctl("config", "get", "nonsense", code=3)
        self.ctl("config", "set", "nonsense", "1", code=3)

    def test_the_audit_trail_tells_what_ctl_did(self):
        self.ctl("project", "create", self.project)
        entries = self.object("audit", "list", "--query", f"resource={self.project}", "--limit", "5")
        self.assertIn(("admin", "create"), {(entry["username"], entry["operation"]) for entry in entries})


if __name__ == "__main__":
    unittest.main()


@unittest.skipIf(settings.foreign, "about our own program")
class WhatHappens(Ctl):
    def test_events_are_listed_and_followed(self):
        self.ctl("project", "create", self.project)
        self.client().push_image(f"{self.project}/app", "1.0", b"layer")
        listed = self.object("event", "list", "--project", self.project)
        self.assertEqual([one["type"] for one in listed], ["project.created", "artifact.pushed"])
        self.assertIn("artifact.pushed", self.ctl("event", "list", "--project", self.project, "--type", "artifact.*"))
        self.assertEqual(len(self.object("event", "list", "--project", self.project, "--limit", 1)), 1)
        followed = self.ctl("event", "follow", "--project", self.project, "--after", 0, "--count", 2, "-o", "json")
        self.assertEqual([json.loads(line)["id"] for line in followed.splitlines()], [one["id"] for one in listed])
        self.ctl("event", "list", "--type", "nonsense", code=1)

    def test_webhooks_come_rest_and_go(self):
        self.ctl("project", "create", self.project)
        here = ("--project", self.project)
        self.ctl("webhook", "create", "ci", "http://192.0.2.1/hook", *here, "--event", "PUSH_ARTIFACT", "--event",
                 "TAG_DELETED", "--tags", "v*", "--cloud-events", "--sign", "--secret-stdin", given="a secret")
        shown = self.object("webhook", "show", "ci", *here)
        self.assertEqual((shown["event_types"], shown["tags"], shown["enabled"]),
                         (["PUSH_ARTIFACT", "TAG_DELETED"], "v*", True))
        self.assertTrue(shown["targets"][0]["has_secret"])
        self.ctl("webhook", "disable", "ci", *here)
        self.assertIn("ci", self.ctl("webhook", "list", *here))
        shown = self.object("webhook", "show", "ci", *here)
        self.assertEqual((shown["enabled"], shown["targets"][0]["has_secret"]), (False, True))
        self.assertEqual(self.object("webhook", "deliveries", "ci", *here), [])
        self.ctl("webhook", "redeliver", "ci", 1, *here, code=3)
        self.ctl("webhook", "create", "loop", "http://127.0.0.1/", *here, "--event", "PUSH_ARTIFACT", code=1)
        self.assertIn("outbound.allow", self.complaint)
        self.ctl("webhook", "delete", "ci", *here, "--yes")
        self.ctl("webhook", "show", "ci", *here, code=3)
