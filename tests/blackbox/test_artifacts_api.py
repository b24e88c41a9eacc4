"""Repositories, artifacts, tags and what lies in them, as the management API shows what real clients pushed."""
import base64
import gzip
import hashlib
import io
import json
import os
import tarfile
import unittest
import urllib.parse

from support import image, settings, tools
from support.registry import OCI_CONFIG, OCI_MANIFEST, descriptor
from support.scenario import Scenario, run
from support.server import PASSWORD

CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART_CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
MODEL_CONFIG = "application/vnd.cncf.model.config.v1+json"
NEVER = "0001-01-01T00:00:00Z"


def packed(files):
    """A .tar.gz of {path: bytes}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


@unittest.skipIf(settings.foreign, "the management API is our own")
class ArtifactsApi(Scenario):
    def setUp(self):
        super().setUp()
        self.admin = self.client()

    def api(self, method, path, body=None, client=None, expect=200, anonymous=False):
        client = client or self.admin
        headers = {} if anonymous else {"Authorization": client.basic()}
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = client.raw(method, "/api/v2.0" + path, json.dumps(body).encode() if body is not None else None, headers)
        self.assertEqual(answer.status, expect, answer)
        return answer

    def path(self, repository, *rest):
        """…/artifacts of a repository below the test's project, its name encoded twice as Harbor's clients do."""
        name = urllib.parse.quote(urllib.parse.quote(repository, safe=""), safe="")
        return "/".join([f"/projects/{self.project}/repositories/{name}/artifacts", *rest])

    def artifacts(self, repository, query=""):
        return self.api("GET", self.path(repository) + query).json()

    def push(self, repository, tag, config_type=OCI_CONFIG, config=b"{}", layers=(), **more):
        name = f"{self.project}/{repository}"
        for _, data, _ in layers:
            self.admin.push_blob(name, data)
        self.admin.push_blob(name, config)
        return self.admin.push_manifest(name, tag, {
            "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(config_type, config),
            "layers": [descriptor(kind, data, **extra) for kind, data, extra in layers], **more})

    def test_a_multi_architecture_image_is_one_artifact_with_references(self):
        run("skopeo", "copy", "--quiet", *self.auth_arguments(), "--dest-tls-verify=false", "--all", image.multi(),
            f"docker://{self.host}/{self.project}/team/app:1")
        listed = self.artifacts("team/app")
        self.assertEqual(len(listed), 1, listed)
        index = listed[0]
        self.assertEqual((index["type"], index["repository_name"]), ("IMAGE", f"{self.project}/team/app"))
        self.assertEqual([tag["name"] for tag in index["tags"]], ["1"])
        self.assertEqual({each["platform"]["architecture"] for each in index["references"]}, set(image.ARCHITECTURES))
        self.assertEqual(index["pull_time"], NEVER)
        sizes = 0
        for reference in index["references"]:
            child = self.api("GET", self.path("team/app", reference["child_digest"])).json()
            self.assertEqual(child["id"], reference["child_id"])
            self.assertEqual(child["extra_attrs"]["architecture"], reference["platform"]["architecture"])
            self.assertEqual(child["extra_attrs"]["config"]["Cmd"], ["/bin/cat", "/architecture"])
            self.assertIsNone(child["tags"])
            sizes += child["size"]
            link = child["addition_links"]["build_history"]["href"]
            history = self.admin.raw("GET", link, headers={"Authorization": self.admin.basic()})
            self.assertEqual(history.status, 200, history)
            self.assertIsInstance(history.json(), list)
        self.assertGreater(index["size"], sizes)
        self.api("DELETE", self.path("team/app", index["references"][0]["child_digest"]), expect=412)
        self.api("DELETE", self.path("team/app", "1"))
        self.assertEqual(self.artifacts("team/app"), [])

    def test_a_repository_is_listed_described_and_deleted_with_everything_in_it(self):
        self.push("team/app", "v1", config=b'{"os":"linux"}')
        path = self.path("team/app").removesuffix("/artifacts")
        shown = self.api("GET", path).json()
        self.assertEqual((shown["name"], shown["artifact_count"]), (f"{self.project}/team/app", 1))
        self.api("PUT", path, {"description": "what we sell"})
        listed = self.api("GET", f"/projects/{self.project}/repositories").json()
        self.assertEqual([each["description"] for each in listed], ["what we sell"])
        everything = self.api("GET", "/repositories?page_size=100&q=name%3D~" + self.project).json()
        self.assertEqual([each["name"] for each in everything], [f"{self.project}/team/app"])
        self.api("DELETE", path)
        self.api("GET", path, expect=404)
        self.assertEqual(self.admin.request("GET", f"/v2/{self.project}/team/app/manifests/v1").status, 404)

    def test_tags_are_added_moved_filtered_and_removed(self):
        digest = self.push("app", "v1", config=b'{"os":"linux"}')
        created = self.api("POST", self.path("app", "v1", "tags"), {"name": "stable"}, expect=201)
        self.assertTrue(created.headers["Location"].endswith("/tags/stable"), created.headers["Location"])
        self.api("POST", self.path("app", "v1", "tags"), {"name": "stable"}, expect=409)
        self.api("POST", self.path("app", "v1", "tags"), {"name": "not a tag"}, expect=400)
        self.assertEqual(self.admin.pull_image(f"{self.project}/app", "stable"), digest)
        tags = self.api("GET", self.path("app", digest, "tags")).json()
        self.assertEqual([tag["name"] for tag in tags], ["stable", "v1"])
        self.assertEqual(len(self.artifacts("app", "?q=tags%3Dstable")), 1)
        self.assertEqual(len(self.artifacts("app", "?q=tags%3Dnil")), 0)
        for tag in ("stable", "v1"):
            self.api("DELETE", self.path("app", digest, "tags", tag))
        self.api("DELETE", self.path("app", digest, "tags", "v1"), expect=404)
        self.assertEqual(self.artifacts("app", "?q=tags%3Dnil")[0]["tags"], None)
        self.assertEqual(len(self.artifacts("app", "?q=tags%3D*")), 0)

    def test_pages_say_how_many_there_are_and_where_the_next_one_is(self):
        digests = [self.push("app", f"v{number}", config=json.dumps({"author": str(number)}).encode())
                   for number in range(5)]
        first = self.api("GET", self.path("app") + "?page=1&page_size=2&with_tag=false")
        self.assertEqual(first.headers["X-Total-Count"], "5")
        self.assertIn('rel="next"', first.headers["Link"])
        self.assertEqual([each["digest"] for each in first.json()], digests[:-3:-1])
        self.assertIsNone(first.json()[0]["tags"])
        last = self.artifacts("app", "?page=3&page_size=2&sort=-push_time")
        self.assertEqual([each["digest"] for each in last], digests[:1])
        oldest = self.artifacts("app", "?page_size=1&sort=push_time")
        self.assertEqual(oldest[0]["digest"], digests[0])
        by_project = self.api("GET", f"/projects/{self.project}/artifacts?page_size=100").json()
        self.assertEqual([each["digest"] for each in by_project], digests[::-1])
        self.api("GET", self.path("app") + "?page_size=101", expect=400)
        self.api("GET", self.path("app") + "?sort=no_such_field", expect=400)

    def test_signatures_are_accessories_and_not_artifacts_of_the_list(self):
        digest = self.push("app", "v1", config=b'{"os":"linux"}')
        signed = self.push("app", "sha256-" + digest.removeprefix("sha256:") + ".sig", layers=[
            ("application/vnd.dev.cosign.simplesigning.v1+json", b"signed", {})])
        noted = self.push("app", "noted", config_type="application/vnd.cncf.notary.signature", config=b"{ }", subject={
            "mediaType": OCI_MANIFEST, "digest": digest, "size": 1})
        listed = self.artifacts("app", "?with_accessory=true")
        self.assertEqual([each["digest"] for each in listed], [digest])
        self.assertEqual({each["digest"]: each["type"] for each in listed[0]["accessories"]},
                         {signed: "signature.cosign", noted: "signature.notation"})
        self.assertEqual(len(self.api("GET", self.path("app", "v1", "accessories")).json()), 2)
        self.api("DELETE", self.path("app", "v1"))
        self.api("GET", self.path("app", signed), expect=404)

    def test_a_copy_moves_no_bytes_and_needs_the_right_to_pull(self):
        digest = self.push("one", "v1", config=b'{"os":"linux"}', layers=[("application/octet-stream", b"x" * 999, {})])
        source = urllib.parse.quote(f"{self.project}/one:v1", safe="")
        made = self.api("POST", self.path("two") + f"?from={source}", expect=201)
        self.assertIn(digest, made.headers["Location"])
        self.assertEqual(self.admin.pull_image(f"{self.project}/two", "v1"), digest)
        self.api("POST", self.path("two") + f"?from={source}", expect=409)
        missing = urllib.parse.quote(f"{self.project}/one:v9", safe="")
        self.api("POST", self.path("two") + f"?from={missing}", expect=404)
        self.api("POST", self.path("two") + "?from=nonsense", expect=400)
        self.api("POST", self.path("two") + f"?from={source}", expect=401, anonymous=True)

    def test_what_is_in_a_chart_can_be_read(self):
        config = {"name": "web", "version": "1.0.0", "apiVersion": "v2",
                  "dependencies": [{"name": "db", "version": "2", "repository": "oci://example.org/charts"}]}
        self.push("charts/web", "1.0.0", CHART_CONFIG, json.dumps(config).encode(), [(CHART_CONTENT, packed({
            "web/Chart.yaml": b"name: web", "web/charts/db/values.yaml": b"inner: 1", "web/values.yaml": b"replicas: 2",
            "web/README.md": b"# Web"}), {})])
        chart = self.artifacts("charts/web")[0]
        self.assertEqual((chart["type"], chart["extra_attrs"]["version"]), ("CHART", "1.0.0"))
        self.assertEqual(set(chart["addition_links"]), {"values.yaml", "readme.md", "dependencies"})
        read = lambda name: self.api("GET", self.path("charts/web", "1.0.0", "additions", name))
        self.assertEqual(read("values.yaml").body, b"replicas: 2")
        self.assertEqual(read("readme.md").body, b"# Web")
        self.assertEqual(read("dependencies").json(), config["dependencies"])
        self.assertEqual(read("vulnerabilities").json(), {})
        self.api("GET", self.path("charts/web", "1.0.0", "additions", "build_history"), expect=400)

    def test_a_chart_that_is_no_archive_or_a_bomb_is_refused(self):
        bomb = gzip.compress(b"\0" * (300 << 20), 9)
        for tag, content in (("text", b"no archive"), ("bomb", bomb), ("cut", packed({"a/values.yaml": b"x" * 4096})[:40])):
            self.push("charts/bad", tag, CHART_CONFIG, b'{"name":"%s"}' % tag.encode(), [(CHART_CONTENT, content, {})])
            answer = self.api("GET", self.path("charts/bad", tag, "additions", "values.yaml"),
                              expect=404 if tag == "bomb" else 422)
            self.assertNotIn(b"values", answer.body)

    @unittest.skipUnless(tools.have_go(), "needs Go 1.24 or later")
    def test_a_chart_that_helm_pushed_is_shown_like_one(self):

        environment = {**os.environ, "HOME": str(self.work), "DOCKER_CONFIG": str(self.work / "docker"),
                       "XDG_CONFIG_HOME": str(self.work / "config")}
        helm = lambda *arguments: run(tools.tool("helm"), *arguments, env=environment, cwd=self.work)
        helm("create", "harbour")
        helm("package", "harbour")
        helm("registry", "login", self.host, "-u", "admin", "-p", PASSWORD, "--plain-http")
        helm("push", "harbour-0.1.0.tgz", f"oci://{self.host}/{self.project}", "--plain-http")
        chart = self.artifacts("harbour")[0]
        self.assertEqual((chart["type"], chart["extra_attrs"]["name"]), ("CHART", "harbour"))
        values = self.api("GET", self.path("harbour", "0.1.0", "additions", "values.yaml")).body
        self.assertEqual(values, (self.work / "harbour/values.yaml").read_bytes())

    def test_the_documents_of_a_model_can_be_read(self):
        named = lambda path: {"annotations": {"org.cncf.model.filepath": path}}
        self.push("models/tiny", "1", MODEL_CONFIG, b'{"descriptor":{"name":"tiny"}}', [
            ("application/vnd.cncf.model.doc.v1.raw", b"# Tiny", named("README.md")),
            ("application/vnd.cncf.model.doc.v1.tar+gzip", packed({"LICENSE": b"free"}), named("LICENSE")),
            ("application/vnd.cncf.model.weight.v1.raw", b"0" * 500, named("weights/model.safetensors"))])
        model = self.artifacts("models/tiny")[0]
        self.assertEqual((model["type"], model["extra_attrs"]["descriptor"]["name"]), ("CNAI", "tiny"))
        read = lambda name: self.api("GET", self.path("models/tiny", "1", "additions", name))
        self.assertEqual(read("readme.md").body, b"# Tiny")
        self.assertEqual(read("license").body, b"free")
        tree = {each["name"]: each for each in read("files").json()}
        self.assertEqual(tree["weights"]["children"], [{"name": "model.safetensors", "type": "file", "size": 500}])

    def test_an_artifact_brings_its_own_fields_and_picture(self):
        picture = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
                                   "RU5ErkJggg==")
        config = b'{"thrust":7,"secret":"x"}'
        name = f"{self.project}/rocket"
        self.admin.push_blob(name, config)
        self.admin.push_blob(name, picture)
        self.admin.push_manifest(name, "1", {
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": descriptor("application/vnd.acme.rocket.config.v1+json", config,
                                 annotations={"io.goharbor.artifact.v1alpha1.skip-list": "secret"}),
            "layers": [descriptor("image/png", picture, annotations={"io.goharbor.artifact.v1alpha1.icon": ""})]})
        rocket = self.artifacts("rocket")[0]
        self.assertEqual((rocket["type"], rocket["extra_attrs"]), ("ROCKET", {"thrust": 7}))
        icon = self.api("GET", "/icons/" + rocket["icon"]).json()
        self.assertEqual((icon["content-type"], base64.b64decode(icon["content"])), ("image/png", picture))
        self.api("GET", "/icons/" + rocket["icon"], expect=404, anonymous=True)
        plain = self.push("app", "v1", config=b'{"os":"linux"}')
        drawn = self.api("GET", self.path("app", plain)).json()["icon"]
        self.assertEqual(self.api("GET", "/icons/" + drawn, anonymous=True).json()["content-type"], "image/svg+xml")

    def test_labels_stick_to_artifacts(self):
        digest = self.push("app", "v1", config=b'{"os":"linux"}')
        made = self.api("POST", "/labels", {"name": self.project, "scope": "g", "color": "#00ff00"}, expect=201)
        number = int(made.headers["Location"].rsplit("/", 1)[1])
        self.api("POST", self.path("app", "v1", "labels"), {"id": number})
        self.api("POST", self.path("app", "v1", "labels"), {"id": number}, expect=409)
        listed = self.artifacts("app", f"?with_label=true&q=labels%3D({number})")
        self.assertEqual([(each["digest"], each["labels"][0]["name"]) for each in listed], [(digest, self.project)])
        self.api("DELETE", self.path("app", "v1", "labels", str(number)))
        self.api("DELETE", self.path("app", "v1", "labels", str(number)), expect=404)
        self.assertIsNone(self.artifacts("app", "?with_label=true")[0]["labels"])
        self.api("DELETE", f"/labels/{number}")

    def test_two_installations_can_be_compared_by_digests(self):
        digests = {tag: self.push(name, tag, config=json.dumps({"os": tag}).encode())
                   for name, tag in (("app", "v1"), ("app", "v2"), ("tool", "v3"))}
        name = self.project
        inside = f"after_repository={name}/&until_repository={name}0"
        whole = self.api("GET", f"/tag-states?{inside}").json()
        self.assertEqual(whole["repositories"], [
            {"name": f"{name}/app", "tags": [{"name": tag, "digest": digests[tag]} for tag in ("v1", "v2")]},
            {"name": f"{name}/tool", "tags": [{"name": "v3", "digest": digests["v3"]}]}])
        lines = "".join(f"{name}/{repository}\t{tag}\t{digests[tag]}\n"
                        for repository, tag in (("app", "v1"), ("app", "v2"), ("tool", "v3")))
        self.assertEqual((whole["tags"], whole["more"]), (3, False))
        self.assertEqual(whole["digest"], "sha256:" + hashlib.sha256(lines.encode()).hexdigest())
        summary = self.api("GET", f"/tag-states?{inside}&summary=true").json()
        self.assertEqual(summary, {key: whole[key] for key in ("tags", "more", "digest", "last")})
        self.assertEqual(whole["last"], {"repository": f"{name}/tool", "tag": "v3"})
        bare = self.api("GET", f"/tag-states?{inside}&summary=true&prefix={name}/").json()
        self.assertEqual(bare["digest"], "sha256:" + hashlib.sha256(lines.replace(name + "/", "").encode()).hexdigest())
        page = self.api("GET", f"/tag-states?after_repository={name}/app&after_tag=v1&limit=1").json()
        self.assertEqual((page["repositories"][0]["tags"], page["more"]), ([{"name": "v2", "digest": digests["v2"]}], True))
        for query in ("limit=0", "limit=10001", "limit=x", "summary=perhaps", "referrers=some", "after_repository=b&until_repository=a"):
            self.api("GET", "/tag-states?" + query, expect=400)
        self.api("GET", "/tag-states", expect=401, anonymous=True)

    def test_an_outsider_learns_nothing(self):
        self.push("app", "v1", config=b'{"os":"linux"}')
        here = [f"/projects/{self.project}/repositories", self.path("app"), self.path("app", "v1"),
                self.path("app", "v1", "tags"), self.path("app", "v1", "additions", "build_history")]
        for path in here:
            real = self.api("GET", path, expect=401, anonymous=True)
            invented = self.api("GET", path.replace(self.project, "nowhere"), expect=401, anonymous=True)
            self.assertEqual(real.json()["errors"][0]["code"], invented.json()["errors"][0]["code"])
        self.assertNotIn(self.project, json.dumps(self.api("GET", "/repositories?page_size=100", anonymous=True).json()))
