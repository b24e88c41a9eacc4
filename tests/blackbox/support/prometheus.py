"""A real Prometheus over rules whose waiting times are shortened, and instances that only look ill."""
import http.server
import json
import re
import subprocess
import tempfile
import threading
import time
import urllib.request

from .server import free_port, wait_until

RANGE = "6s"


def shortened(rules):
    """The same rules, waiting a second where they wait minutes and looking back over seconds."""
    rules = re.sub(r"^( +for:) \S+$", r"\1 1s", rules, flags=re.M)
    return re.sub(r"\[\d+[mhd]\]", f"[{RANGE}]", rules)


class Prometheus:
    def __init__(self, rules, targets):
        """`targets`: host:port of what it scrapes, all in the job "entrepot"."""
        self.folder = tempfile.TemporaryDirectory(prefix="entrepot-prometheus-")
        rules_file = f"{self.folder.name}/rules.yaml"
        with open(rules_file, "w", encoding="utf-8") as file:
            file.write(rules)
        with open(f"{self.folder.name}/prometheus.yaml", "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                       "rule_files": [rules_file],
                       "scrape_configs": [{"job_name": "entrepot", "static_configs": [{"targets": targets}]}]}, file)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = open(f"{self.folder.name}/log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder.name}/prometheus.yaml",
             f"--storage.tsdb.path={self.folder.name}/data", f"--web.listen-address={self.url[7:]}"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_until(self.is_ready, 30, "Prometheus is ready")

    def is_ready(self):
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError(f"Prometheus ended: {self.log.read()[-3000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    def firing(self):
        return {alert["labels"]["alertname"] for alert in self.get("alerts")["alerts"] if alert["state"] == "firing"}

    def evaluations(self):
        """How often every group of rules has been evaluated since its first time, at least."""
        groups = self.get("rules")["groups"]
        return bool(groups) and all(group["lastEvaluation"][:4] != "0001" for group in groups)

    def ill_rules(self):
        return [rule["name"] for group in self.get("rules")["groups"] for rule in group["rules"]
                if rule["health"] == "err"]

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()
        self.folder.cleanup()


class Patient:
    """Serves /metrics of its own: the samples of a healthy instance, with others in place of some. A value is a
    number, or a function of the seconds since the start; None: the sample is left out."""

    def __init__(self, healthy, symptoms):
        self.start = time.monotonic()
        self.lines = dict(line.rsplit(" ", 1) for line in healthy.splitlines() if line and line[0] != "#")
        self.symptoms = symptoms
        patient = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                body = patient.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def text(self):
        elapsed = time.monotonic() - self.start
        lines = {**self.lines, **{name: value(elapsed) if callable(value) else value
                                  for name, value in self.symptoms.items()}}
        return "".join(f"{name} {value}\n" for name, value in lines.items() if value is not None)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
