"""A developer builds with buildah, pushes, and runs the image with podman."""
import os

from support import image
from support.scenario import Scenario, root_only, run

# Some machines (containers, continuous integration) allow neither the default limits nor cgroup v2: plain defaults here.
CONTAINERS_CONF = """[containers]
default_ulimits=["nofile=10000:10000","nproc=10000:10000"]
[engine]
cgroup_manager="cgroupfs"
events_logger="file"
runtime="runc"
"""


@root_only
class Podman(Scenario):
    def podman(self, *arguments, **more):
        conf = self.work / "containers.conf"
        conf.write_text(CONTAINERS_CONF)
        storage = ["--root", self.work / "root", "--runroot", self.work / "run", "--storage-driver", "vfs"]
        return run("podman", *storage, *arguments, env={**os.environ, "CONTAINERS_CONF": str(conf)}, **more)

    def test_login_pull_and_run(self):
        name = f"{self.host}/{self.project}/busybox:1"
        run("skopeo", "copy", "--quiet", *self.auth_arguments(), "--dest-tls-verify=false", "--all", image.multi(),
            "docker://" + name)
        self.podman("pull", "-q", *self.auth_arguments(), "--tls-verify=false", name)
        said = self.podman("run", "--rm", "--network=none", name).stdout
        self.assertEqual(said, "amd64\n")
        self.podman("rmi", "--all", "--force")

    def test_the_other_architecture_is_found_by_its_label(self):
        name = f"{self.host}/{self.project}/busybox:1"
        run("skopeo", "copy", "--quiet", *self.auth_arguments(), "--dest-tls-verify=false", "--all", image.multi(),
            "docker://" + name)
        self.podman("pull", "-q", *self.auth_arguments(), "--tls-verify=false", "--arch", "arm64", name)
        shown = self.podman("image", "inspect", "--format", "{{.Architecture}}", name).stdout
        self.assertEqual(shown, "arm64\n")
        self.podman("rmi", "--all", "--force")

    def test_buildah_pushes_both_formats(self):
        for form in ("oci", "docker"):
            with self.subTest(form=form):
                name = f"docker://{self.host}/{self.project}/{form}:1"
                image.buildah("push", "-q", *self.auth_arguments(), "--tls-verify=false", image.single(form=form), name)
                self.podman("pull", "-q", *self.auth_arguments(), "--tls-verify=false", name)
        self.podman("rmi", "--all", "--force")

    def test_podman_pushes_what_it_pulled(self):
        name = f"{self.host}/{self.project}/busybox"
        image.buildah("push", "-q", *self.auth_arguments(), "--tls-verify=false", image.single(), f"docker://{name}:1")
        self.podman("pull", "-q", *self.auth_arguments(), "--tls-verify=false", f"{name}:1")
        self.podman("push", "-q", *self.auth_arguments(), "--tls-verify=false", f"{name}:1", f"{name}:2")
        self.client().pull_image(f"{self.project}/busybox", "2")
        self.podman("rmi", "--all", "--force")
