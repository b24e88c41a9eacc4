"""A node pulls, runs and pushes with containerd, in plain HTTP and over TLS with an own certificate authority."""
import subprocess
import unittest

from support import image, settings
from support.api import Api
from support.registry import ANY_MANIFEST
from support.scenario import Scenario, root_only, run
from support.server import PASSWORD, free_port, wait_until


def certificates(folder):
    """An own authority and a certificate for 127.0.0.1 and localhost signed by it."""
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run("openssl", "req", "-x509", *key, "-keyout", folder / "ca.key", "-out", folder / "ca.crt", "-days", "2",
        "-subj", "/CN=Entrepot test authority", "-addext", "basicConstraints=critical,CA:TRUE")
    run("openssl", "req", *key, "-keyout", folder / "server.key", "-out", folder / "server.csr", "-subj", "/CN=localhost")
    run("openssl", "x509", "-req", "-in", folder / "server.csr", "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key",
        "-CAcreateserial", "-days", "2", "-extfile", folder / "names", "-out", folder / "server.crt")


@root_only
class Containerd(Scenario):
    def setUp(self):
        super().setUp()
        home = self.work / "containerd"
        home.mkdir()
        (home / "config.toml").write_text(
            f'version = 2\nroot = "{home}/root"\nstate = "{home}/state"\n'
            'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
            f'[grpc]\naddress = "{home}/socket"\n')
        with open(home / "log", "wb") as log:
            daemon = subprocess.Popen(["containerd", "-c", home / "config.toml"], stdout=log, stderr=log)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        self.socket = home / "socket"
        wait_until(lambda: self.socket.exists() and self.ctr("version", check=False).returncode == 0, 20,
                   "containerd answers")

    def ctr(self, *arguments, **more):
        return run("ctr", "-a", self.socket, "-n", "test", *arguments, **more)

    def user(self):
        return [] if settings.foreign else ["--user", f"admin:{PASSWORD}"]

    def push_with_skopeo(self, name, *more):
        run("skopeo", "copy", "--quiet", *self.auth_arguments(), "--all", *more, image.multi(), "docker://" + name)

    def test_pull_run_and_push_in_plain_http(self):
        name = f"{self.host}/{self.project}/busybox:1"
        self.push_with_skopeo(name, "--dest-tls-verify=false")
        self.ctr("images", "pull", "--plain-http", *self.user(), name)
        said = self.ctr("run", "--rm", "--net-host", name, self.project).stdout
        self.assertEqual(said, "amd64\n")
        self.ctr("images", "tag", name, name + "again")
        self.ctr("images", "push", "--plain-http", "--platform", "linux/amd64", *self.user(), name + "again")
        self.client().pull_image(f"{self.project}/busybox", "1again")

    def test_pull_through_a_hosts_file(self):
        """containerd asks a mirror with ?ns=: the registry must not be led astray by it."""
        name = f"{self.project}/busybox:1"
        self.push_with_skopeo(f"{self.host}/{name}", "--dest-tls-verify=false")
        hosts = self.work / "certs.d/registry.example.test"
        hosts.mkdir(parents=True)
        (hosts / "hosts.toml").write_text(
            f'server = "http://{self.host}"\n[host."http://{self.host}"]\ncapabilities = ["pull", "resolve"]\n')
        self.ctr("images", "pull", "--hosts-dir", self.work / "certs.d", *self.user(), f"registry.example.test/{name}")

    @unittest.skipIf(settings.foreign, "needs a server of its own")
    def test_a_mirror_answers_by_the_names_that_the_other_registry_has(self):
        """containerd knows this registry as the mirror of a host: `ns` leads to the proxy cache of that registry."""
        name = f"{self.project}/busybox:1"
        self.push_with_skopeo(f"{self.host}/{name}", "--dest-tls-verify=false")
        mirror = self.own_server(environment={"ENTREPOT_OUTBOUND_ALLOW": "127.0.0.0/8",
                                              "ENTREPOT_OCI_MIRRORS": "Registry.example.test=cache"})
        api = Api(mirror.host)
        self.addCleanup(api.close)
        number = api.made("/registries", {
            "name": "origin", "type": "entrepot", "url": "http://" + self.host,
            "credential": {"type": "basic", "access_key": "admin", "access_secret": PASSWORD}})
        api.post("/projects", {"project_name": "cache", "registry_id": number})
        hosts = self.work / "certs.d/registry.example.test"
        hosts.mkdir(parents=True)
        # Nobody answers as the origin: what comes, comes from the mirror.
        (hosts / "hosts.toml").write_text(
            f'server = "http://127.0.0.1:{free_port()}"\n[host."http://{mirror.host}"]\ncapabilities = ["pull", "resolve"]\n')
        self.ctr("images", "pull", "--hosts-dir", self.work / "certs.d", *self.user(), f"registry.example.test/{name}")
        client = self.client(mirror)
        digest = client.pull_image(f"cache/{self.project}/busybox", "1")

        path = f"/v2/{self.project}/busybox/manifests/"
        for reference in ("1", digest):
            found = client.expect(200, "GET", path + reference + "?ns=registry.example.test", headers={"Accept": ANY_MANIFEST})
            self.assertEqual(found.headers["OCI-Namespace"], "registry.example.test")
            self.assertEqual(found.headers["Docker-Content-Digest"], digest)
        # Its log-in is for the name that it has here, and names of others mean what they say.
        asked = client.raw("GET", path + "1?ns=registry.example.test")
        self.assertEqual(asked.status, 401)
        self.assertIn(f'scope="repository:cache/{self.project}/busybox:pull"', asked.headers["WWW-Authenticate"])
        self.assertEqual(client.request("GET", path + "1?ns=other.example.test").status, 404)
        # What is cached takes no pushes under any name.
        pushed = client.request("POST", f"/v2/{self.project}/busybox/blobs/uploads/?ns=registry.example.test")
        self.assertEqual(pushed.status, 405)

    @unittest.skipIf(settings.foreign, "needs a server of its own")
    def test_pull_over_tls_with_an_own_authority(self):
        certificates(self.work)
        secure = f"127.0.0.1:{free_port()}"
        server = self.own_server(arguments=["--tls-listen", secure, "--tls-cert", str(self.work / "server.crt"),
                                            "--tls-key", str(self.work / "server.key")])
        name = f"{self.project}/busybox:1"
        run("skopeo", "copy", "--quiet", "--dest-creds", f"admin:{PASSWORD}", "--dest-tls-verify=false", "--all",
            image.multi(), f"docker://{server.host}/{name}")
        # Without the authority's certificate containerd must not trust this server.
        for folder, trust in (("strangers.d", ""), ("certs.d", f'ca = "{self.work}/ca.crt"\n')):
            hosts = self.work / folder / secure
            hosts.mkdir(parents=True)
            (hosts / "hosts.toml").write_text(
                f'server = "https://{secure}"\n[host."https://{secure}"]\n'
                f'capabilities = ["pull", "resolve", "push"]\n{trust}')
        refused = self.ctr("images", "pull", "--hosts-dir", self.work / "strangers.d", *self.user(), f"{secure}/{name}",
                           check=False)
        self.assertIn("certificate", refused.stderr)
        self.ctr("images", "pull", "--hosts-dir", self.work / "certs.d", *self.user(), f"{secure}/{name}")
        said = self.ctr("run", "--rm", "--net-host", f"{secure}/{name}", self.project).stdout
        self.assertEqual(said, "amd64\n")
