"""Configuration is checked before anything starts, and the first start makes the first user."""
import re
import subprocess
import unittest

from support import settings
from support.scenario import Scenario
from support.server import PASSWORD


@unittest.skipIf(settings.foreign, "needs a server of its own")
class StartUp(Scenario):
    def call(self, *arguments, **environment):
        return subprocess.run([settings.binary, *arguments], capture_output=True, text=True, timeout=30, check=False,
                              env={"PATH": "/usr/bin:/bin", **environment})

    def test_an_unknown_key_is_an_error_with_its_line(self):
        file = self.work / "entrepot.yaml"
        file.write_text("# a comment\nno_such_key: 1\n")
        done = self.call("check-config", "--config", str(file))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no_such_key", done.stdout + done.stderr)
        self.assertRegex(done.stdout + done.stderr, r"\b2\b")

    def test_unknown_flags_and_missing_files_are_errors(self):
        self.assertNotEqual(self.call("serve", "--no-such-flag").returncode, 0)
        self.assertNotEqual(self.call("serve", "--config", str(self.work / "none.yaml")).returncode, 0)
        self.assertNotEqual(self.call("serve", "--listen", "nonsense", "--data", str(self.work / "d")).returncode, 0)

    def test_version_and_help(self):
        self.assertRegex(self.call("version").stdout, r"\d+\.\d+\.\d+")
        said = self.call("serve", "--help").stdout
        for flag in ("--config", "--listen", "--tls-listen", "--tls-cert", "--tls-key", "--data", "--database"):
            self.assertIn(flag, said)

    def test_a_weak_first_password_is_refused(self):
        done = self.call("serve", "--listen", "127.0.0.1:0", "--data", str(self.work / "d"),
                         ENTREPOT_ADMIN_PASSWORD="weak")
        self.assertNotEqual(done.returncode, 0)

    def test_without_a_password_one_is_generated_and_printed_once(self):
        server = self.own_server(environment={"ENTREPOT_ADMIN_PASSWORD": None})
        first = server.log_path.read_text()
        (password,) = re.findall(r"admin, password: (\S+)", first)
        client = self.client(server, password=password)
        self.assertEqual(client.raw("GET", "/v2/", headers={"Authorization": client.basic()}).status, 200)
        server.stop()
        server.start()
        self.assertEqual(server.log_path.read_text().count(password), 1)
        self.assertNotIn(PASSWORD, first)
