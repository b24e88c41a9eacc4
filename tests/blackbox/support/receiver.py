"""A webhook's receiver, which checks signatures as docs/webhooks.md says, and a client of server-sent events."""
import hashlib
import hmac
import http.client
import http.server
import json
import socket
import threading
import time


def is_genuine(secret, header, body, tolerance=300):
    """As printed in docs/webhooks.md."""
    fields = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(secret.encode(), fields["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, fields["v1"]) and abs(time.time() - int(fields["t"])) <= tolerance


class Delivery:
    def __init__(self, headers, body):
        self.at = time.time()
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def event_id(self):
        return int(self.headers["Entrepot-Event-Id"])


class Receiver:
    """Keeps what arrives and answers `status`; `answer` may be a function of the handler that does it all."""

    def __init__(self, port=0, status=200, answer=None):
        self.deliveries = []
        self.status = status
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.deliveries.append(Delivery(self.headers, body))
                if answer:
                    return answer(self)
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Stream:
    """One stream of server-sent events, read on a thread of its own."""

    def __init__(self, api, query="", last=None):
        headers = {**api.authorization(), **({"Last-Event-ID": str(last)} if last is not None else {})}
        self.connection = http.client.HTTPConnection(api.host, timeout=60)
        self.connection.request("GET", f"/api/v2.0/events/stream{query}", headers=headers)
        self.socket = self.connection.sock  # the response keeps it open beyond close()
        self.response = self.connection.getresponse()
        self.events = []
        self.gaps = []
        self.last = None
        self.comments = 0
        self.ended = threading.Event()
        if self.response.status == 200:
            threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            name, data = None, []
            for line in self.response:
                text = line.decode().rstrip("\n")
                if text.startswith(":"):
                    self.comments += 1
                elif text.startswith("id: "):
                    self.last = int(text[4:])
                elif text.startswith("event: "):
                    name = text[7:]
                elif text.startswith("data: "):
                    data.append(text[6:])
                elif not text and data:
                    (self.gaps if name == "gap" else self.events).append(json.loads("\n".join(data)))
                    name, data = None, []
        except (OSError, http.client.HTTPException, ValueError):
            pass
        self.ended.set()

    def types(self):
        return [event["type"] for event in list(self.events)]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.connection.close()
