"""A push of one layer as docker does it. A program of its own, to run in another network namespace: its one argument is the
JSON of push()'s arguments."""
import http.client
import json
import sys
import time
import urllib.parse

BYTES = {"Content-Type": "application/octet-stream"}


def push(address, repository, headers, config, layer, manifest, media_type):
    """Seconds until the manifest is taken. `config`: its digest and text; `layer`: its digest and file."""
    connection = http.client.HTTPConnection(*address, blocksize=1 << 20, timeout=600)

    def ask(method, path, body, more=None):
        connection.request(method, path, body, headers | (more or BYTES))
        answer = connection.getresponse()
        data = answer.read()
        if answer.status not in (201, 202):
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
        return answer.headers.get("Location", "")

    def place_of(location, **fields):
        place = urllib.parse.urlsplit(location)
        return place.path + "?" + "&".join(filter(None, [place.query, urllib.parse.urlencode(fields)]))
    began = time.monotonic()
    with open(layer[1], "rb") as file:
        for digest, body in ((config[0], config[1].encode()), (layer[0], file)):
            place = ask("POST", f"/v2/{repository}/blobs/uploads/", b"")
            place = ask("PATCH", place_of(place), body)
            ask("PUT", place_of(place, digest=digest), b"")
    ask("PUT", f"/v2/{repository}/manifests/1", manifest, {"Content-Type": media_type})
    return time.monotonic() - began


if __name__ == "__main__":
    print(json.dumps(push(*json.loads(sys.argv[1]))))
