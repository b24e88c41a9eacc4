"""A developer pushes, lists, copies and deletes images with skopeo."""
import json
import unittest

from support import image, settings
from support.scenario import Scenario, run


class Skopeo(Scenario):
    def copy(self, source, target, *more):
        return run("skopeo", "copy", "--quiet", *self.auth_arguments(), "--src-tls-verify=false",
                   "--dest-tls-verify=false", *more, source, target)

    def inspect(self, name):
        return run("skopeo", "inspect", *self.auth_arguments(), "--tls-verify=false", "--raw", name).stdout

    def test_a_multi_architecture_image_comes_back_byte_for_byte(self):
        name = f"docker://{self.host}/{self.project}/busybox:1"
        self.copy(image.multi(), name, "--all", "--preserve-digests")
        self.copy(name, f"oci:{self.work}/back:1", "--all", "--preserve-digests")
        pushed = run("skopeo", "inspect", "--raw", image.multi()).stdout
        self.assertEqual(self.inspect(name), pushed)
        index = json.loads(pushed)
        self.assertEqual([entry["platform"]["architecture"] for entry in index["manifests"]],
                         list(image.ARCHITECTURES))
        back = {path.name for path in (self.work / "back/blobs/sha256").iterdir()}
        for entry in index["manifests"]:
            self.assertIn(entry["digest"].removeprefix("sha256:"), back)

    def test_a_docker_image_keeps_its_form(self):
        name = f"docker://{self.host}/{self.project}/docker:1"
        self.copy(image.multi(), name, "--all", "--format", "v2s2")
        manifest = json.loads(self.inspect(name))
        self.assertEqual(manifest["mediaType"], "application/vnd.docker.distribution.manifest.list.v2+json")
        child = json.loads(self.inspect(name.removesuffix(":1") + "@" + manifest["manifests"][0]["digest"]))
        self.assertEqual(child["mediaType"], "application/vnd.docker.distribution.manifest.v2+json")

    def test_tags_are_listed_and_a_deleted_one_is_gone(self):
        name = f"docker://{self.host}/{self.project}/tags"
        for tag in ("b", "a", "c"):
            self.copy(image.multi(), f"{name}:{tag}", "--all")
        listed = json.loads(run("skopeo", "list-tags", *self.auth_arguments(), "--tls-verify=false", name).stdout)
        self.assertEqual(listed["Tags"], ["a", "b", "c"])
        run("skopeo", "delete", *self.auth_arguments(), "--tls-verify=false", f"{name}:b")
        gone = run("skopeo", "inspect", *self.auth_arguments(), "--tls-verify=false", f"{name}:b", check=False)
        self.assertNotEqual(gone.returncode, 0)

    def test_a_copy_between_repositories_mounts_blobs(self):
        source = f"docker://{self.host}/{self.project}/one:1"
        target = f"docker://{self.host}/{self.project}/two:1"
        self.copy(image.multi(), source, "--all")
        self.copy(source, target, "--all")
        self.assertEqual(self.inspect(source), self.inspect(target))

    @unittest.skipIf(settings.foreign, "the foreign registry wants no log-in")
    def test_a_wrong_password_is_refused_at_login(self):
        done = run("skopeo", "login", "--tls-verify=false", "--authfile", self.work / "wrong.json", "-u", "admin",
                   "-p", "Wrong1password", self.host, check=False)
        self.assertNotEqual(done.returncode, 0)

    @unittest.skipIf(settings.foreign, "the foreign registry wants no log-in")
    def test_without_login_a_private_image_can_not_be_read(self):
        name = f"docker://{self.host}/{self.project}/private:1"
        self.copy(image.multi(), name, "--all")
        done = run("skopeo", "inspect", "--tls-verify=false", "--no-creds", name, check=False)
        self.assertNotEqual(done.returncode, 0)
