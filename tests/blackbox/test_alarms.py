"""The alarms in deploy/prometheus, in a real Prometheus: each fires when it should, none when all is well, each has a
page that says what to do, and rules and dashboard name only what an instance says of itself."""
import json
import pathlib
import re
import time
import unittest

import yaml

from support import settings
from support.api import Api
from support.prometheus import Patient, Prometheus, shortened
from support.scenario import Scenario, run
from support.server import PASSWORD, free_port, wait_until

HERE = pathlib.Path(__file__).resolve().parents[2]
RULES = HERE / "deploy/prometheus/entrepot.rules.yaml"
DASHBOARD = HERE / "deploy/grafana/entrepot.json"
PAGES = HERE / "docs/operations/alarms"
DAY = 86400


def growing(elapsed):
    return 100 + int(10 * elapsed)


# What an instance would say of itself, for each alarm that a test can't bring about at will.
SYMPTOMS = {
    "EntrepotNotReady": {'entrepot_ready{part="database"}': 0},
    "EntrepotErrors": {'entrepot_http_requests_total{class="5xx"}': growing},
    "EntrepotConnectionsRefused": {"entrepot_http_connections_refused_total": growing},
    "EntrepotFilesRunOut": {"process_open_fds": 900, "process_max_fds": 1000},
    "EntrepotDiskFillsUp": {'entrepot_disk_free_bytes{of="blobs"}': 10, 'entrepot_disk_total_bytes{of="blobs"}': 100},
    "EntrepotDiskFull": {'entrepot_disk_free_bytes{of="data"}': 4, 'entrepot_disk_total_bytes{of="data"}': 100},
    "EntrepotGarbageStays": {
        'entrepot_jobs_last_success_timestamp_seconds{kind="gc"}': lambda _: time.time() - 9 * DAY},
    "EntrepotBlobsDamaged": {'entrepot_scrub_open_findings{kind="rotten"}': 1},
    "EntrepotBackupOverdue": {
        "entrepot_backup_last_success_timestamp_seconds": lambda _: time.time() - 3 * DAY},
    "EntrepotIndexStands": {"entrepot_index_errors_total": growing},
    "EntrepotJobsLag": {'entrepot_jobs_oldest_waiting_seconds{kind="retention"}': 1000},
    "EntrepotJobsFail": {'entrepot_job_runs_total{kind="replication",end="failed"}': growing},
    "EntrepotEventsLag": {"entrepot_events_lag": 20_000},
    "EntrepotWebhookTargetAway": {"entrepot_webhook_open_circuits": 2},
    "EntrepotAuditStands": {"entrepot_audit_admits_changes": 0},
    "EntrepotAuditForwardFails": {'entrepot_audit_forward_failures_total{to="syslog"}': growing},
    "EntrepotRegistryEndpointAway": {'entrepot_registry_endpoint_healthy{name="berlin"}': 0},
    "EntrepotReplicationLags": {'entrepot_replication_lag_seconds{policy="releases"}': 8000},
    "EntrepotSynchronousDegraded": {"entrepot_synchronous_degraded_projects": 1},
    "EntrepotSynchronousFenced": {'entrepot_synchronous_projects{role="fenced"}': 1},
    "EntrepotQuotaDrift": {"entrepot_quota_drift_bytes_total": growing},
}
# Those that a real instance is brought to.
BROUGHT_ABOUT = {
    "EntrepotDown", "EntrepotCertificateEnds", "EntrepotCertificateEndsSoon", "EntrepotJobsPaused",
    "EntrepotDeliveriesFail", "EntrepotQuotaAlmostUsed", "EntrepotQuotaRefuses",
}


def alarms():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def names_in(expression):
    """The metrics that an expression reads."""
    return set(re.findall(r"\b(?:entrepot|process)_[a-z_]+|\bup\b|\bALERTS\b", expression))


@unittest.skipIf(settings.foreign, "about our own alarms")
class Rules(Scenario):
    def metrics(self, host):
        return Api(host).request("GET", "/metrics", base="").body.decode()

    def test_promtool_takes_them_and_each_has_a_page_that_names_it(self):
        run("promtool", "check", "rules", RULES)
        for rule in alarms():
            page = HERE / rule["annotations"]["runbook_url"]
            self.assertTrue(page.is_file(), page)
            self.assertIn("What to do", page.read_text())
            self.assertIn(rule["labels"]["severity"], ("warning", "critical"))
        told = {pathlib.Path(rule["annotations"]["runbook_url"]).name for rule in alarms()}
        self.assertEqual({page.name for page in PAGES.iterdir()}, told)
        self.assertEqual({rule["alert"] for rule in alarms()}, set(SYMPTOMS) | BROUGHT_ABOUT, "each is tested below")

    def test_rules_and_dashboard_read_what_there_is(self):
        metrics = (HERE / "docs/operations/metrics.md").read_text() + (HERE / "docs/operations/jobs.md").read_text()
        expressions = [rule["expr"] for rule in alarms()]
        expressions += [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"]
                        for target in panel["targets"]]
        for expression in expressions:
            for name in names_in(expression) - {"up", "ALERTS"}:
                self.assertIn(name, metrics, f"{name} of {expression} is documented")
        said = self.metrics(self.host)
        # These come with what they are of: TLS, forwarding, an ended job, a registry elsewhere, a policy.
        later = ("entrepot_tls_certificate", "entrepot_audit_forward", "entrepot_jobs_last_success",
                 "entrepot_registry_endpoint", "entrepot_replication_lag")
        for name in set().union(*map(names_in, expressions)) - {"up", "ALERTS"}:
            if not name.startswith(later):
                wait_until(lambda name=name: f"\n{name}" in self.metrics(self.host), 30, f"{name} is there\n{said}")


# Of what an installation need not have: forwarding, ended jobs, endpoints, policies.
NOT_EVERYWHERE = ("entrepot_audit_forward", "entrepot_jobs_l", "entrepot_registry_endpoint", "entrepot_replication_lag")


@unittest.skipIf(settings.foreign, "about our own alarms")
class Firing(Scenario):
    def prometheus(self, *targets):
        prometheus = Prometheus(shortened(RULES.read_text()), list(targets))
        self.addCleanup(prometheus.close)
        return prometheus

    def healthy_metrics(self):
        def text():
            return Api(self.host).request("GET", "/metrics", base="").body.decode()
        wait_until(lambda: "entrepot_ready" in text() and "entrepot_jobs_paused" in text(), 30, "all has been counted")
        return text()

    def test_none_fires_while_all_is_well(self):
        self.healthy_metrics()
        prometheus = self.prometheus(self.host)
        wait_until(prometheus.evaluations, 30, "the rules are evaluated")
        client = self.client()
        end = time.monotonic() + 8
        while time.monotonic() < end:
            client.push_image(f"{self.project}/app", "1", b"layer")
            time.sleep(0.5)
        # The shared server has other stories' past, but nothing of it lasts.
        firing = prometheus.firing() - {"EntrepotDiskFillsUp", "EntrepotDiskFull"}
        self.assertEqual(firing, set())
        self.assertEqual(prometheus.ill_rules(), [])

    def test_each_fires_for_an_instance_with_its_symptoms(self):
        healthy = self.healthy_metrics()
        for name, symptoms in SYMPTOMS.items():
            with self.subTest(name):
                for sample in symptoms:
                    family = sample.split("{")[0]
                    known = f"\n{family}" in healthy or family.startswith(NOT_EVERYWHERE)
                    self.assertTrue(known, f"{family} is one of ours")
        patients = [Patient(healthy, symptoms) for symptoms in SYMPTOMS.values()]
        for patient in patients:
            self.addCleanup(patient.close)
        prometheus = self.prometheus(*(patient.host for patient in patients))
        end = time.monotonic() + 60
        while time.monotonic() < end and not set(SYMPTOMS) <= prometheus.firing():
            time.sleep(0.5)
        self.assertEqual(set(SYMPTOMS) - prometheus.firing(), set(), "these don't fire")
        self.assertEqual(prometheus.ill_rules(), [])

    def certificate(self, days):
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", "/CN=registry",
            "-keyout", self.work / "key.pem", "-out", self.work / "cert.pem")
        return ["--tls-listen", f"127.0.0.1:{free_port()}", "--tls-cert", str(self.work / "cert.pem"),
                "--tls-key", str(self.work / "key.pem")]

    def test_what_happens_to_a_real_instance_fires(self):
        ill = self.own_server(arguments=self.certificate(1), environment={"ENTREPOT_OUTBOUND_ALLOW": "127.0.0.0/8"})
        api = Api(ill.host)
        self.addCleanup(api.close)
        dead = self.own_server()
        dead.stop()
        prometheus = self.prometheus(ill.host, dead.host)

        full = api.made("/projects", {"project_name": "full"})
        api.put(f"/quotas/{full}", {"hard": {"storage": 100_000}})
        api.put("/jobservice/queues/RETENTION", {"action": "pause"})
        api.made("/projects/library/webhook/policies", {
            "name": "hook", "event_types": ["PUSH_ARTIFACT"],
            "targets": [{"type": "http", "address": f"http://127.0.0.1:{free_port()}/", "payload_format": "Default"}]})
        client = self.client(server=ill, password=PASSWORD)
        client.push_blob("full/app", self.random.randbytes(99_000))
        seen = set()

        def goes_on():
            client.push_image("library/app", str(time.monotonic_ns()), b"layer")
            location = client.expect(202, "POST", "/v2/full/app/blobs/uploads/").headers["Location"]
            client.expect(403, "PATCH", location, self.random.randbytes(50_000))
            time.sleep(0.3)
            seen.update(prometheus.firing())  # a receiver that fails is soon left alone
            return seen >= BROUGHT_ABOUT
        end = time.monotonic() + 90
        while time.monotonic() < end and not goes_on():
            pass
        self.assertEqual(BROUGHT_ABOUT - seen, set(), "these don't fire")
        self.assertEqual(prometheus.ill_rules(), [])
