"""The admin that no outage locks out: who is at the machine gets in."""
import os
import unittest

from support import settings
from support.api import Api
from support.scenario import Scenario, run


@unittest.skipIf(settings.foreign, "about our own program")
class BreakGlass(Scenario):
    def reset(self, server):
        database = ["--database", server.database] if server.database else []
        own = {name: value for name, value in os.environ.items() if not name.startswith("ENTREPOT_")}
        return run(settings.binary, "reset-admin-password", "--data", server.data, *database, check=False, env=own)

    def test_the_admin_gets_a_new_password_without_a_running_server(self):
        server = self.own_server()
        api = Api(server.host)
        other = api.made("/users", {"username": "other", "password": "Somebody1"})
        api.put(f"/users/{other}/sysadmin", {"sysadmin_flag": True})
        second = Api(server.host, "other", "Somebody1")
        second.put("/users/1", {"disabled": True})
        second.put("/users/1/sysadmin", {"sysadmin_flag": False})
        api.expect(401, "GET", "/users/current")
        if not server.database:
            refused = self.reset(server)
            self.assertEqual(refused.returncode, 1, "the data directory is in use")
        server.stop()
        done = self.reset(server)
        self.assertEqual(done.returncode, 0, done.stderr)
        password = done.stdout.split("password: ")[1].split()[0]
        server.start()
        fresh = Api(server.host, "admin", password)
        self.assertTrue(fresh.get("/users/current")["sysadmin_flag"])
        Api(server.host).expect(401, "GET", "/users/current")
