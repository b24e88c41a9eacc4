"""An operator restarts the server: content, log-ins and running uploads survive."""
from support import settings
from support.registry import digest_of
from support.scenario import Scenario

import unittest


@unittest.skipIf(settings.foreign, "needs a server of its own")
class Restart(Scenario):
    def test_content_and_tokens_survive(self):
        server = self.own_server()
        client = self.client(server)
        pushed = client.push_image("library/app", "1", b"layer one", b"layer two")
        client.pull_image("library/app", "1")
        again = {"clean stop": server.stop, "kill -9": server.kill}
        for how, end in again.items():
            with self.subTest(how=how):
                end()
                server.start()
                # The client keeps its tokens and asks for no new one.
                client.token = lambda challenge: self.fail("a token from before the restart is refused")
                self.assertEqual(client.pull_image("library/app", "1"), pushed)

    def test_a_clean_stop_ends_with_0(self):
        server = self.own_server()
        self.assertEqual(server.stop(), 0)

    def test_an_upload_goes_on_after_kill_9(self):
        server = self.own_server()
        client = self.client(server)
        first, second = self.random.randbytes(300_000), self.random.randbytes(200_000)
        location = client.expect(202, "POST", "/v2/library/app/blobs/uploads/").headers["Location"]
        location = client.expect(202, "PATCH", location, first, {"Content-Range": "0-299999"}).headers["Location"]
        server.kill()
        server.start()
        status = client.expect(204, "GET", location)
        self.assertEqual(status.headers["Range"], "0-299999")
        location = client.expect(202, "PATCH", status.headers["Location"], second,
                                 {"Content-Range": "300000-499999"}).headers["Location"]
        digest = digest_of(first + second)
        client.expect(201, "PUT", location + ("&" if "?" in location else "?") + "digest=" + digest)
        self.assertEqual(client.pull_blob("library/app", digest), first + second)

    def test_the_first_password_counts_only_at_the_first_start(self):
        server = self.own_server()
        server.stop()
        server.environment["ENTREPOT_ADMIN_PASSWORD"] = "Another1password"
        server.start()
        client = self.client(server)
        client.push_image("library/app", "1", b"layer")

    def test_a_second_process_on_the_same_data_is_refused(self):
        server = self.own_server()
        second = type(server)(data=server.data, database=server.database)
        second.start(ready=False)
        self.assertNotEqual(second.process.wait(timeout=30), 0)
        second.log_path.unlink()
        self.client(server).push_image("library/app", "1", b"layer")
