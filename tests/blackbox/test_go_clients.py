"""crane, oras, regctl and helm, each through its everyday round."""
import json
import os
import unittest

from support import image, settings, tools
from support.scenario import Scenario, run
from support.server import PASSWORD


@unittest.skipUnless(tools.have_go(), "needs Go 1.24 or later")
class GoClients(Scenario):
    def setUp(self):
        super().setUp()
        self.environment = {**os.environ, "HOME": str(self.work), "DOCKER_CONFIG": str(self.work / "docker"),
                            "XDG_CONFIG_HOME": str(self.work / "config"), "REGCTL_CONFIG": str(self.work / "regctl")}

    def call(self, name, *arguments, **more):
        return run(tools.tool(name), *arguments, env=self.environment, cwd=self.work, **more)

    def push_image(self, name):
        run("skopeo", "copy", "--quiet", *self.auth_arguments(), "--dest-tls-verify=false", "--all", image.multi(),
            "docker://" + name)

    def test_crane(self):
        one, two = (f"{self.host}/{self.project}/{name}:1" for name in ("one", "two"))
        if not settings.foreign:
            self.call("crane", "auth", "login", self.host, "-u", "admin", "-p", PASSWORD)
        self.push_image(one)
        self.call("crane", "--insecure", "copy", one, two)
        self.assertEqual(self.call("crane", "--insecure", "digest", one).stdout,
                         self.call("crane", "--insecure", "digest", two).stdout)
        self.call("crane", "--insecure", "validate", "--remote", two)
        self.assertEqual(self.call("crane", "--insecure", "ls", f"{self.host}/{self.project}/two").stdout, "1\n")
        self.assertIn(f"{self.project}/two", self.call("crane", "--insecure", "catalog", self.host).stdout.split())
        self.call("crane", "--insecure", "tag", two, "other")
        self.call("crane", "--insecure", "delete", f"{self.host}/{self.project}/two:other")

    @unittest.skipIf(settings.foreign, "docker-registry has no referrers")
    def test_oras_attaches_and_discovers(self):
        name = f"{self.host}/{self.project}/artifact:1"
        self.call("oras", "login", "--plain-http", "-u", "admin", "-p", PASSWORD, self.host)
        (self.work / "file.txt").write_text("some bytes\n")
        (self.work / "note.txt").write_text("a note on them\n")
        self.call("oras", "push", "--plain-http", name, "--artifact-type", "application/vnd.example.thing",
                  "file.txt:text/plain")
        self.call("oras", "attach", "--plain-http", name, "--artifact-type", "application/vnd.example.note",
                  "note.txt:text/plain")
        found = json.loads(self.call("oras", "discover", "--plain-http", "--distribution-spec", "v1.1-referrers-api",
                                     "--format", "json", name).stdout)
        (note,) = found.get("referrers") or found.get("manifests")
        self.assertEqual(note["artifactType"], "application/vnd.example.note")
        back = self.work / "back"
        back.mkdir()
        self.call("oras", "pull", "--plain-http", "-o", back, name)
        self.assertEqual((back / "file.txt").read_text(), "some bytes\n")
        self.call("oras", "copy", "--from-plain-http", "--to-plain-http", "--recursive", name,
                  f"{self.host}/{self.project}/copied:1")

    def test_regctl(self):
        one, two = (f"{self.host}/{self.project}/{name}:1" for name in ("one", "two"))
        self.call("regctl", "registry", "set", "--tls", "disabled", self.host)
        if not settings.foreign:
            self.call("regctl", "registry", "login", "-u", "admin", "-p", PASSWORD, self.host)
        self.push_image(one)
        self.call("regctl", "image", "copy", "--digest-tags", "--referrers", one, two)
        self.assertEqual(self.call("regctl", "image", "digest", one).stdout,
                         self.call("regctl", "image", "digest", two).stdout)
        self.assertEqual(self.call("regctl", "tag", "ls", f"{self.host}/{self.project}/two").stdout, "1\n")
        self.call("regctl", "tag", "delete", two)
        self.assertNotEqual(self.call("regctl", "image", "digest", two, check=False).returncode, 0)

    def test_helm(self):
        self.call("helm", "create", "harbour")
        self.call("helm", "package", "harbour")
        if not settings.foreign:
            self.call("helm", "registry", "login", self.host, "-u", "admin", "-p", PASSWORD, "--plain-http")
        self.call("helm", "push", "harbour-0.1.0.tgz", f"oci://{self.host}/{self.project}", "--plain-http")
        back = self.work / "back"
        back.mkdir()
        self.call("helm", "pull", f"oci://{self.host}/{self.project}/harbour", "--version", "0.1.0", "--plain-http",
                  "-d", back)
        self.assertEqual((back / "harbour-0.1.0.tgz").read_bytes(), (self.work / "harbour-0.1.0.tgz").read_bytes())
        shown = self.call("helm", "show", "chart", f"oci://{self.host}/{self.project}/harbour", "--plain-http").stdout
        self.assertIn("name: harbour", shown)
