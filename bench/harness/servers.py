"""The servers that are measured, each as fast as its configuration allows, on loopback ports of its own."""
import json
import os
import pathlib
import pwd
import shutil
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from . import content, processes

PASSWORD = "Bench12345"


def version_line(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().splitlines()[0]


class Server:
    """`pids` are the roots of the process trees whose CPU counts; the first one's memory is the server's memory."""
    name = "?"
    range_prefix = ""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / self.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = processes.free_port()
        self.tls_port = None
        self.process = None

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.port}"

    @property
    def tls_endpoint(self):
        return f"127.0.0.1:{self.tls_port}"

    @property
    def pids(self):
        return [self.process.pid]

    def run(self, command, env=None):
        self.process = processes.Process(command, self.folder / "log", env)
        self.process.wait_until(lambda: processes.answers(f"http://{self.endpoint}/v2/"))

    def start(self):
        raise NotImplementedError

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def authorization(self, repository, actions):
        """The fields to send for this; a registry without users needs none."""
        return {}

    def token(self, repository, actions):
        return self.authorization(repository, actions).get("Authorization", "").removeprefix("Bearer ")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


class Entrepot(Server):
    name = "entrepot"

    def __init__(self, folder, binary, certificate=None):
        super().__init__(folder)
        self.binary = str(binary)
        self.certificate = certificate
        if certificate:
            self.tls_port = processes.free_port()

    def start(self):
        command = [self.binary, "serve", "--listen", self.endpoint, "--data", str(self.folder / "data"),
                   *self.database()]
        if self.certificate:
            command += ["--tls-listen", self.tls_endpoint, "--tls-cert", self.certificate[0],
                        "--tls-key", self.certificate[1]]
        self.run(command, {"ENTREPOT_ADMIN_PASSWORD": PASSWORD})

    def database(self):
        return []

    def token_path(self, repository, actions):
        scope = urllib.parse.quote(f"repository:{repository}:{actions}", safe=":/,")
        return f"/service/token?service=entrepot&scope={scope}"

    def authorization(self, repository, actions):
        request = urllib.request.Request(f"http://{self.endpoint}{self.token_path(repository, actions)}",
                                         headers={"Authorization": content.basic("admin", PASSWORD)})
        with urllib.request.urlopen(request, timeout=30) as response:
            return {"Authorization": "Bearer " + json.load(response)["token"]}

    def refuses_strangers(self):
        """The rows of this server are worth nothing if it does not look at the token."""
        request = urllib.request.Request(f"http://{self.endpoint}/v2/{content.REPOSITORY}/tags/list",
                                         headers={"Authorization": "Bearer nonsense"})
        try:
            urllib.request.urlopen(request, timeout=30).close()
        except urllib.error.HTTPError as error:
            return error.code == 401
        return False

    def version(self):
        return version_line(self.binary, "version")


class EntrepotOnPostgres(Entrepot):
    """CPU is that of both processes, memory that of entrepot."""
    name = "entrepot-pg"

    def __init__(self, folder, binary, certificate=None):
        super().__init__(folder, binary, certificate)
        self.postgres = Postgres(self.folder / "postgres")

    @property
    def pids(self):
        return [self.process.pid, self.postgres.process.pid]

    def start(self):
        self.postgres.start()
        super().start()

    def stop(self):
        super().stop()
        self.postgres.stop()

    def database(self):
        return ["--database", f"postgresql://bench@127.0.0.1:{self.postgres.port}/postgres"]


class Postgres:
    """A cluster as initdb makes it: durable, with the default memory."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = processes.free_port()
        self.process = None
        self.user = "postgres" if os.geteuid() == 0 else None

    @staticmethod
    def tool(name):
        packaged = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        return str(packaged[-1]) if packaged else shutil.which(name)

    def start(self):
        data = self.folder / "data"
        if not data.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.user:
                account = pwd.getpwnam(self.user)
                os.chown(self.folder, account.pw_uid, account.pw_gid)
            subprocess.run([self.tool("initdb"), "-D", str(data), "-U", "bench", "-A", "trust", "-E", "UTF8",
                            "--locale=C"],
                           check=True, stdout=subprocess.DEVNULL, cwd="/", user=self.user, group=self.user)
        self.process = processes.Process(
            [self.tool("postgres"), "-D", str(data), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
             "-c", "unix_socket_directories=", "-c", "max_connections=200"],
            self.folder.parent / "postgres-log", cwd="/", user=self.user)
        ready = [self.tool("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        self.process.wait_until(lambda: subprocess.run(ready).returncode == 0)

    def stop(self):
        if self.process:
            # SIGINT is PostgreSQL's fast shutdown.
            self.process.stop(how=2)
            self.process = None


class Nginx(Server):
    """The same bytes as static files: what serving them costs at the least, with no rights checked. Ranges have a path
    without tcp_nopush: with it an answer one small segment longer than the loopback's 64 KB waits 40 ms for an
    acknowledgement, because nginx then leaves Nagle's algorithm on."""
    name = "nginx"
    range_prefix = "/without-nopush"

    def __init__(self, folder, certificate=None):
        super().__init__(folder)
        self.certificate = certificate
        self.root = self.folder / "root"
        if certificate:
            self.tls_port = processes.free_port()

    def start(self):
        tls = ""
        if self.certificate:
            tls = (f"listen {self.tls_endpoint} ssl reuseport backlog=8192; ssl_protocols TLSv1.2 TLSv1.3;"
                   f" ssl_certificate {self.certificate[0]}; ssl_certificate_key {self.certificate[1]};")
        configuration = self.folder / "nginx.conf"
        configuration.write_text(f"""
daemon off; worker_processes 2; worker_rlimit_nofile 16384; pid {self.folder}/pid; error_log {self.folder}/log error;
{"user root;" if os.geteuid() == 0 else ""}
events {{ worker_connections 8192; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 600;
  open_file_cache max=20000 inactive=600s; open_file_cache_valid 600s; open_file_cache_min_uses 1; server_tokens off;
  client_body_temp_path {self.folder}/t1; proxy_temp_path {self.folder}/t2; fastcgi_temp_path {self.folder}/t3;
  uwsgi_temp_path {self.folder}/t4; scgi_temp_path {self.folder}/t5;
  server {{
    listen {self.endpoint} reuseport backlog=8192; {tls}
    root {self.root}; default_type application/octet-stream;
    location ~ /manifests/ {{ default_type {content.MANIFEST}; }}
    location {self.range_prefix}/ {{ alias {self.root}/; tcp_nopush off; }}
  }}
}}
""")
        self.root.mkdir(exist_ok=True)
        self.run([self.binary(), "-c", str(configuration), "-p", str(self.folder)])

    @staticmethod
    def binary():
        return shutil.which("nginx") or "/usr/sbin/nginx"

    def version(self):
        return version_line(self.binary(), "-v")


class DockerRegistry(Server):
    """docker-registry of Debian; also distribution v3, which is its successor with the same configuration."""
    name = "docker-registry"

    def __init__(self, folder, binary=None):
        super().__init__(folder)
        self.binary = str(binary or shutil.which("docker-registry"))

    def start(self):
        configuration = self.folder / "registry.yml"
        configuration.write_text(json.dumps({
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "data"), "maxthreads": 1000},
                        "cache": {"blobdescriptor": "inmemory"}, "delete": {"enabled": True}},
            "http": {"addr": self.endpoint, "secret": "bench"},
        }))
        self.run([self.binary, "serve", str(configuration)], {"OTEL_TRACES_EXPORTER": "none"})

    def version(self):
        # Without the path that it begins with.
        return version_line(self.binary, "--version").partition(" ")[2]


class DistributionV3(DockerRegistry):
    name = "distribution-v3"


class Zot(Server):
    name = "zot"

    def __init__(self, folder, binary):
        super().__init__(folder)
        self.binary = str(binary)

    def start(self):
        configuration = self.folder / "zot.json"
        configuration.write_text(json.dumps({
            "distSpecVersion": "1.1.0",
            "storage": {"rootDirectory": str(self.folder / "data"), "gc": False, "dedupe": False, "commit": True},
            "http": {"address": "127.0.0.1", "port": str(self.port)},
            "log": {"level": "error"},
        }))
        self.run([self.binary, "serve", str(configuration)])

    def version(self):
        return version_line(self.binary, "--version")


def make_certificate(folder):
    """A self-signed EC P-256 certificate for 127.0.0.1, as (certificate, key)."""
    certificate, key = pathlib.Path(folder) / "tls.crt", pathlib.Path(folder) / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "30", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    ssl.create_default_context().load_verify_locations(certificate)
    return str(certificate), str(key)
