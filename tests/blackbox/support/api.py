"""A small client of the management API, and of what stands beside it (/c/login)."""
import base64
import http.client
import json
import threading
import urllib.parse

from .registry import Answer
from .server import PASSWORD

BASE = "/api/v2.0"


def encoded_twice(repository):
    """A repository's name below its project, as paths have it."""
    return urllib.parse.quote(urllib.parse.quote(repository, safe=""), safe="")


class Api:
    """One caller: user and password (a robot's name and secret), a bearer token, or nobody (user=None)."""

    def __init__(self, host, user="admin", password=PASSWORD, bearer=None, timeout=60):
        self.host = host
        self.user = user
        self.password = password
        self.bearer = bearer
        self.timeout = timeout
        self._local = threading.local()

    def authorization(self):
        if self.bearer:
            return {"Authorization": "Bearer " + self.bearer}
        if self.user is None:
            return {}
        text = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": "Basic " + text}

    def request(self, method, path, body=None, headers=None, query=None, base=BASE):
        """`body`: bytes as they are, anything else as JSON."""
        headers = {**self.authorization(), **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        if query:
            path += "?" + urllib.parse.urlencode(query)
        return self._exchange(method, base + path, body, headers)

    def _exchange(self, method, path, body, headers):
        for attempt in (0, 1):
            connection = getattr(self._local, "connection", None)
            fresh = connection is None
            if fresh:
                connection = self._local.connection = http.client.HTTPConnection(self.host, timeout=self.timeout)
            try:
                connection.request(method, path, body=body, headers=headers)
                response = connection.getresponse()
                answer = Answer(response, response.read())
            except (ConnectionError, http.client.HTTPException):
                self.close()
                if fresh or attempt:
                    raise
                continue
            if response.will_close:
                self.close()
            return answer
        raise AssertionError("not reached")

    def close(self):
        connection = getattr(self._local, "connection", None)
        if connection:
            connection.close()
            self._local.connection = None

    def expect(self, status, method, path, body=None, headers=None, query=None):
        answer = self.request(method, path, body, headers, query)
        wanted = (status,) if isinstance(status, int) else status
        if answer.status not in wanted:
            raise AssertionError(f"{method} {path} as {self.user or 'somebody'}: wanted {status}, got {answer}")
        return answer

    def get(self, path, status=200, query=None):
        return self.expect(status, "GET", path, query=query).json()

    def post(self, path, body, status=201):
        return self.expect(status, "POST", path, body)

    def put(self, path, body, status=200):
        return self.expect(status, "PUT", path, body)

    def delete(self, path, status=200):
        return self.expect(status, "DELETE", path)

    def made(self, path, body):
        """Makes something; its id, from the answer or from Location."""
        answer = self.post(path, body)
        location = answer.headers["Location"]
        if not location:
            raise AssertionError(f"POST {path}: no Location in {answer}")
        last = location.rstrip("/").rsplit("/", 1)[-1]
        return int(last) if last.isdigit() else self.get(location.removeprefix(BASE))["id"]
