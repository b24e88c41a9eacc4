"""The rows of the table: what is asked of which server, and what has to come out."""
import dataclasses

from . import content, targets
from .servers import PASSWORD

ALL = ("entrepot", "entrepot-pg", "nginx", "docker-registry", "distribution-v3", "zot")
REGISTRIES = tuple(name for name in ALL if name != "nginx")
OWN = ("entrepot", "entrepot-pg")
BESIDE_NGINX = (*OWN, "nginx")


@dataclasses.dataclass
class Row:
    key: str
    title: str
    cell: object  # (bench, server) -> what load.Generator.run gives
    servers: tuple
    per: str = "10k requests"  # what CPU-seconds are told for: this, "GB in", "GB out" or "image"
    targets: tuple = ()
    stage: str = "serving"  # serving, resting or durable
    note: str = ""


def blob_path(blob):
    return f"/v2/{content.REPOSITORY}/blobs/{content.digest_of(blob)}"


def fetch(bench, server, paths, *, connections, tls=False, repository=content.REPOSITORY, arguments=()):
    """A short run that warms all caches, then the one that counts."""
    command = ["fetch", "--paths", bench.generator.file_of(paths), *arguments]
    for name, value in server.authorization(repository, "pull").items():
        command += ["--header", f"{name}: {value}"]
    bench.generator.run(server, command, connections, bench.warm_seconds, tls)
    return bench.generator.run(server, command, connections, bench.seconds, tls)


def small_blobs(bench, server):
    paths = [blob_path(blob) for blob in bench.content.small]
    return fetch(bench, server, paths, connections=50, arguments=["--length", str(content.SMALL_BYTES)])


def manifests(method, by_tag):
    def cell(bench, server):
        names = [bench.content.tag(i) if by_tag else content.digest_of(manifest)
                 for i, manifest in enumerate(bench.content.manifests)]
        paths = [f"/v2/{content.REPOSITORY}/manifests/{name}" for name in names]
        return fetch(bench, server, paths, connections=50,
                     arguments=["--method", method, "--header", f"Accept: {content.MANIFEST}"])
    return cell


def big_blob(connections, tls=False):
    def cell(bench, server):
        return fetch(bench, server, [blob_path(bench.content.big)], connections=connections, tls=tls,
                     arguments=["--length", str(content.BIG_BYTES)])
    return cell


def ranges(tls=False):
    def cell(bench, server):
        path = server.range_prefix + blob_path(bench.content.big)
        return fetch(bench, server, [path], connections=50, tls=tls,
                     arguments=["--range-of", str(content.BIG_BYTES), "--range-length", "65536", "--status", "206",
                                "--length", "65536"])
    return cell


def tokens(bench, server):
    paths = [server.token_path(content.REPOSITORY, "pull")]
    command = ["fetch", "--paths", bench.generator.file_of(paths),
               "--header", "Authorization: " + content.basic("admin", PASSWORD)]
    bench.generator.run(server, command, 50, bench.warm_seconds)
    return bench.generator.run(server, command, 50, bench.seconds)


def tag_pages(bench, server):
    base = f"/v2/{content.TAGGED}/tags/list?n=100"
    paths = [base] + [f"{base}&last={bench.content.tag(i)}" for i in range(99, content.TAGS - 1, 100)]
    return fetch(bench, server, paths, connections=8, repository=content.TAGGED)


def push(style, connections=1):
    def cell(bench, server):
        command = ["push", "--repository", "bench/big", "--style", style, "--mebibytes", str(bench.push_mebibytes)]
        token = server.token("bench/big", "pull,push")
        return bench.generator.run(server, command + (["--token", token] if token else []), connections)
    return cell


def small_images(connections):
    def cell(bench, server):
        lines = []
        for i in range(50):
            name = f"bench/image{i:02}"
            lines.append(f"{name} {server.token(name, 'pull,push')}".strip())
        bench.disk.settle()
        before = bench.disk.flushes()
        command = ["images", "--repositories", bench.generator.file_of(lines)]
        seen = bench.generator.run(server, command, connections, bench.image_seconds)
        seen["flushes"] = bench.disk.flushes() - before
        return seen
    return cell


def slow_pulls(bench, server):
    command = ["slow-pull", "--path", blob_path(bench.content.medium), "--length", str(content.MEDIUM_BYTES)]
    token = server.token(content.REPOSITORY, "pull")
    return bench.generator.run(server, command + (["--token", token] if token else []), bench.slow_connections)


def at_rest(bench, server):
    return bench.measure_at_rest(server)


SPEED = targets.beside_nginx
ROWS = (
    Row("blob-4k", "4 KB blob GET, c=50, token checked", small_blobs, ALL,
        targets=(SPEED(0.85, 1.2), targets.cpu_below("docker-registry", 150))),
    Row("manifest-tag", "manifest GET by tag, c=50, token verified", manifests("GET", True), ALL,
        targets=(SPEED(1.1, 0.9), targets.cpu_below("docker-registry", 100))),
    Row("manifest-digest", "manifest GET by digest, c=50", manifests("GET", False), ALL,
        targets=(SPEED(1.1, 0.9), targets.cpu_below("docker-registry", 100))),
    Row("manifest-head", "manifest HEAD by tag, c=50", manifests("HEAD", True), ALL,
        targets=(SPEED(1.1, 0.9), targets.cpu_below("docker-registry", 100))),
    *(Row(f"blob-100m-c{c}", f"100 MB blob GET, c={c}", big_blob(c), ALL, per="GB out",
          targets=(SPEED(1.05, 0.95), targets.peak_at_most(40))) for c in (1, 8, 50)),
    Row("range-64k", "64 KB ranges of a 100 MB blob, c=50", ranges(), ALL,
        targets=(SPEED(1.05, 0.95), targets.peak_at_most(40))),
    *(Row(f"tls-100m-c{c}", f"100 MB blob GET over TLS, c={c}", big_blob(c, tls=True), BESIDE_NGINX, per="GB out",
          targets=(targets.rate_times("nginx", 1.0),)) for c in (1, 8, 50)),
    Row("tls-range-64k", "64 KB ranges over TLS, c=50", ranges(tls=True), BESIDE_NGINX,
        targets=(targets.rate_times("nginx", 1.0),)),
    Row("token", "token endpoint, c=50, warm", tokens, OWN, targets=(targets.rate_at_least(10_000),)),
    Row("tags", "tags/list in pages of 100 out of 10,000 tags, c=8", tag_pages, REGISTRIES,
        targets=(targets.rate_times("docker-registry", 100),),
        note="docker-registry 2.8 does not know `n` here and answers with all 10,000 tags."),
    Row("slow", "5,000 connections, each pulling 1 MB, all open at once", slow_pulls, BESIDE_NGINX, stage="resting",
        targets=(targets.peak_at_most(150), targets.all_open())),
    Row("rest", "resident at rest, after a restart with 100 images and 10,000 tags", at_rest, ALL, stage="resting",
        targets=(targets.peak_at_most(30),)),
    Row("push-put", "500 MB push, durable, POST + PUT", push("put"), REGISTRIES, per="GB in", stage="durable",
        targets=(targets.rate_times("docker-registry", 2.7), targets.cpu_at_most(1.8))),
    Row("push-patch", "500 MB push, durable, POST + PATCH + PUT", push("patch"), REGISTRIES, per="GB in",
        stage="durable", targets=(targets.rate_times("docker-registry", 2.7), targets.cpu_at_most(1.8))),
    Row("push-chunked", "500 MB push, durable, PATCH in 32 KiB chunks", push("chunked"), REGISTRIES, per="GB in",
        stage="durable", targets=(targets.rate_times("docker-registry", 2.7), targets.cpu_at_most(2.1))),
    Row("push-four", "four 500 MB pushes at once, durable", push("put", 4), REGISTRIES, per="GB in", stage="durable",
        targets=(targets.rate_times("docker-registry", 2.7), targets.cpu_at_most(2.1))),
    Row("images", "small images, durable, c=50", small_images(50), REGISTRIES, per="image", stage="durable",
        targets=(targets.rate_times("docker-registry", 8), targets.flush_every(50))),
    Row("images-c1", "small images, durable, c=1", small_images(1), REGISTRIES, per="image", stage="durable"),
)
