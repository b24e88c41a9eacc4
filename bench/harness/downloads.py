"""Many downloads at once whose bodies are thrown away. A program of its own, to run in another network namespace: its one
argument is the JSON of download()'s arguments."""
import json
import re
import selectors
import socket
import sys
import time

ROOM = 4 << 20


class Download:
    """One GET on a connection of its own, whose body is thrown away in the kernel."""

    def __init__(self, address, path, headers):
        self.began, self.first, self.ended, self.length, self.got = time.monotonic(), None, None, None, 0
        self.socket = socket.create_connection(tuple(address))
        lines = [f"GET {path} HTTP/1.1", f"Host: {address[0]}", "Connection: close", *(f"{k}: {v}" for k, v in headers.items())]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.head = b""
        self.socket.setblocking(False)

    def read(self, room):
        """False: it has ended."""
        try:
            if self.length is None:
                self.head += (more := self.socket.recv(65536))
                count = len(more)
                head, found, rest = self.head.partition(b"\r\n\r\n")
                if found:
                    if b" 200 " not in head.split(b"\r\n")[0]:
                        raise RuntimeError(f"a download was refused: {head[:200]!r}")
                    self.length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
                    self.got = len(rest)
            else:
                # Linux takes the bytes off the connection without a copy.
                count = self.socket.recv_into(room, len(room), socket.MSG_TRUNC)
                self.got += count
        except BlockingIOError:
            return True
        if self.got and self.first is None:
            self.first = time.monotonic() - self.began
        if count and (self.length is None or self.got < self.length):
            return True
        if self.got != self.length:
            raise RuntimeError(f"a download broke off after {self.got} of {self.length} bytes")
        self.ended = time.monotonic() - self.began
        self.socket.close()
        return False


def download(address, path, headers, count):
    """First bytes' and ends' seconds of so many at once."""
    room, waiting = bytearray(ROOM), selectors.DefaultSelector()
    all_of_them = [Download(address, path, headers) for _ in range(count)]
    for each in all_of_them:
        waiting.register(each.socket, selectors.EVENT_READ, each)
    while waiting.get_map():
        for key, _ in waiting.select():
            sock = key.fileobj
            if not key.data.read(room):
                waiting.unregister(sock)
    return [each.first for each in all_of_them], [each.ended for each in all_of_them]


if __name__ == "__main__":
    print(json.dumps(download(*json.loads(sys.argv[1]))))
