"""Reads a trace of `strace -f -yy` and says what was not yet synced when an answer left.

Written files have to be synced after their last write, a directory after a name was put into it, the database's log
after its last write. A write or an answer counts from its start, a sync only from its end. A small blob may be in the store's
journal instead: then its own file and name may wait. The audit trail is written for others at any time, so that of its
writes only the one with the operation's own record counts."""
import os
import re

TRACED = ("openat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,fsync,fdatasync,syncfs,rename,renameat,renameat2,link,"
          "linkat,sendto,sendmsg")
COMMAND = ("strace", "-f", "-yy", "-s", "4000", "-e", "trace=" + TRACED)
WRITES = {"write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate"}
SYNCS = {"fsync", "fdatasync"}
NAMINGS = {"rename", "renameat", "renameat2", "link", "linkat"}

LINE = re.compile(r"^(\d+)\s+(.*)$")
CALL = re.compile(r"^(\w+)\((.*)$")
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
RESULT = re.compile(r"\)\s+= (-?\d+)[^()\"]*(\([^()]*\))?$")
FIRST_PATH = re.compile(r"^\d+<(/[^>]*?)(?: \(deleted\))?>")
TARGET = re.compile(r"(?:(?:\d+|AT_FDCWD)<(/[^>]*)>, )?\"([^\"]*)\"")


class Call:
    def __init__(self, name, arguments, begun):
        self.name = name
        self.arguments = arguments
        self.begun = begun   # line numbers
        self.ended = None    # None: never
        self.failed = False
        self.result = 0

    def end(self, text, line):
        result = RESULT.search(text)
        self.ended = line
        self.result = int(result[1]) if result else -1
        self.failed = self.result < 0

    def path(self):
        found = FIRST_PATH.match(self.arguments)
        return found[1] if found else None

    def new_name(self):
        """The path a rename or link made."""
        directory, name = TARGET.findall(self.arguments)[1]
        return os.path.join(directory, name)


def read(text):
    """The calls of a trace, in the order they began."""
    calls, open_calls = [], {}
    for number, line in enumerate(text.splitlines()):
        found = LINE.match(line)
        if not found:
            continue
        thread, said = found.groups()
        resumed, begun = RESUMED.match(said), CALL.match(said)
        if resumed and thread in open_calls:
            call = open_calls.pop(thread)
            call.arguments += resumed[2]
            call.end(resumed[2], number)
        elif begun:
            call = Call(begun[1], begun[2].removesuffix(" <unfinished ...>"), number)
            calls.append(call)
            if said.endswith("<unfinished ...>"):
                open_calls[thread] = call
            else:
                call.end(begun[2], number)
    return calls


def answer_of(calls, port, statuses):
    """Where the last answer of one of these statuses leaves for the client at this port."""
    heads = tuple(f'"HTTP/1.1 {status}' for status in statuses)
    to_client = re.compile(rf"^\d+<TCP[^>]*->[^>]*:{port}\]>")
    found = [call for call in calls if to_client.match(call.arguments) and any(head in call.arguments for head in heads)]
    return found[-1] if found else None


def is_log(path):
    return path.endswith("-wal")


def is_journal(path):
    return os.path.basename(path).startswith("journal-")


def is_audit(path):
    return os.path.basename(os.path.dirname(os.path.dirname(path))) == "audit"


def faults(calls, since, answer, data, blob=None, recorded=None):
    """Sentences about what was missing when `answer` left; `since` is the line where the operation began.

    `data` is the directory that matters; `blob` = (hex of the digest, size) of what must have been stored; `recorded` =
    the id of the request that must be in the audit trail."""
    before = [call for call in calls if since <= call.begun < answer.begun and not call.failed
              and not (is_audit(call.path() or "") and call.name in WRITES and not (recorded and recorded in call.arguments))]
    found = []
    if not any(call.name in WRITES and is_log(call.path() or "") for call in before):
        found.append("nothing was written to the database's log")
    if recorded and not any(call.name in WRITES and is_audit(call.path() or "") for call in before):
        found.append("nothing was written to the audit trail")
    name, size = blob or ("no blob", 0)
    if blob and not any(call.name in NAMINGS and call.new_name().endswith(name) for call in before):
        found.append("the blob's file was not given its name")
    journaled = any(call.name in WRITES and is_journal(call.path() or "") and call.result > size for call in before)
    for path in sorted({call.path() for call in before if call.name in WRITES and call.path()}):
        beside_the_journal = any(part in path.removeprefix(data) for part in ("/tmp/", "/uploads/"))
        may_wait = is_database(path) or (journaled and beside_the_journal)
        if path.startswith(data) and not may_wait and not synced(before, answer, path):
            found.append(f"{path} was written and not synced")
    for call in before:
        if call.name not in NAMINGS or not call.new_name().startswith(data):
            continue
        directory = os.path.dirname(call.new_name())
        if not (journaled and call.new_name().endswith(name)) and not synced_after(before, answer, directory, call.ended):
            found.append(f"{directory} was given a name and not synced")
    return found


def is_database(path):
    """The database's main file is written from the log whenever it suits; its log is what makes a commit durable."""
    return path.endswith((".db", "-shm"))


def synced(before, answer, path):
    last = max(call.begun for call in before if call.name in WRITES and call.path() == path)
    return synced_after(before, answer, path, last)


def synced_after(before, answer, path, line):
    return any(call.name in SYNCS and call.path() == path and call.begun > line and call.ended is not None
               and call.ended < answer.begun for call in before)
