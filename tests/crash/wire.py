"""One worker's connection: every request is noted as sent, answered or cut off, and a killer may strike in between."""
import http.client
import threading
import time

PIECE = 256 * 1024


class Lost(Exception):
    """No answer came: the request may or may not have been carried out."""


class Killer:
    """Kills the server at a moment drawn by lot, or while a request of a chosen kind is on its way."""

    def __init__(self, kill, kind, after, delay, in_body):
        self._kill = kill
        self._kind = kind        # None: at a random moment
        self._armed = time.monotonic() + after
        self._delay = delay
        self._in_body = in_body  # strike before the whole body is sent
        self._lock = threading.Lock()
        self.struck = None       # when
        self.done = threading.Event()

    def wanted(self):
        """The kind that workers should do next, if they can."""
        return self._kind if self.struck is None and time.monotonic() >= self._armed else None

    def strike(self):
        with self._lock:
            if self.struck is None:
                self.struck = time.monotonic()
                self._kill()
                self.done.set()

    def passes(self, kind, whole):
        """Called by a worker when a part of a request, or all of it, has been sent."""
        if self.wanted() == kind and (whole or self._in_body):
            time.sleep(self._delay)
            self.strike()


class Wire:
    def __init__(self, host, killer, counts):
        self._host = host
        self._killer = killer
        self._counts = counts
        self._connection = None

    def close(self):
        if self._connection:
            self._connection.close()

    def send(self, kind, method, path, body=b"", headers=None):
        """(status, headers, body); raises Lost when the server was killed before it answered."""
        started = time.monotonic()
        try:
            return self._exchange(kind, method, path, body, headers or {})
        except (OSError, http.client.HTTPException) as error:
            self._killer.done.wait(2)
            struck = self._killer.struck
            if struck is None:
                raise AssertionError(f"{kind} {method} {path}: {error!r} though nobody killed the server") from error
            if started < struck:
                self._counts[kind] += 1
            raise Lost from error

    def _exchange(self, kind, method, path, body, headers):
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._host, timeout=60)
        connection = self._connection
        connection.putrequest(method, path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        for start in range(0, len(body), PIECE):
            connection.send(body[start:start + PIECE])
            self._killer.passes(kind, start + PIECE >= len(body))
        if not body:
            self._killer.passes(kind, True)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
