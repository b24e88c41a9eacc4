"""`entrepot ctl` as scripts use it."""
import json
import os
import subprocess

from . import settings
from .scenario import Scenario
from .server import PASSWORD


class Ctl(Scenario):
    def setUp(self):
        super().setUp()
        self.variables = {
            "HOME": str(self.work), "PATH": os.environ["PATH"], "ENTREPOT_URL": f"http://{self.host}",
            "ENTREPOT_USER": "admin", "ENTREPOT_PASSWORD": PASSWORD,
        }

    def ctl(self, *words, code=0, given=None, **variables):
        """Standard output of one run, which must end with `code`."""
        environment = {name: value for name, value in {**self.variables, **variables}.items() if value is not None}
        done = subprocess.run([str(settings.binary), "ctl", *map(str, words)], capture_output=True, text=True,
                              input=given if given is not None else "", env=environment, timeout=120, check=False)
        self.assertEqual(done.returncode, code, f"ctl {words}\n{done.stdout}{done.stderr}")
        self.complaint = done.stderr
        return done.stdout

    def object(self, *words, **more):
        return json.loads(self.ctl(*words, "-o", "json", **more))

    def user(self, prefix="u"):
        name = prefix + self.project[1:]
        self.ctl("user", "create", name, "--email", f"{name}@example.org", "--password-stdin", given=PASSWORD)
        return name
