"""What may be true of the registry: written down before a request is sent, and narrowed when its answer arrives.

Each repository is changed by one worker only, so its record is exact but for the request in flight. A cell holds the
set of values that would be right; the request in flight adds its own, the acknowledgement leaves that one alone."""
import hashlib
import json
import random

from support.registry import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST

GONE = None
MEGABYTE = 1 << 20


def sha(data, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


class Contents:
    """The blobs of one data directory: many small ones, some of 1 to 20 MB, shared by all workers."""

    def __init__(self, seed, large=10, small=60):
        source = random.Random(seed)
        self.bytes = {}
        self.small = [self._add(source.randbytes(source.choice((0, 1, 2, 300, 4096, 65536, 65537, 200_000))) + b"%d" % i,
                                "sha512" if i % 7 == 0 else "sha256") for i in range(small)]
        sizes = [MEGABYTE, 20 * MEGABYTE] + [source.randint(MEGABYTE, 8 * MEGABYTE) for _ in range(large - 2)]
        self.large = [self._add(source.randbytes(size)) for size in sizes]

    def _add(self, data, algorithm="sha256"):
        digest = sha(data, algorithm)
        self.bytes[digest] = data
        return digest


class Manifest:
    def __init__(self, repository, contents, blobs, subject=None, children=None, mark=0):
        def descriptor(media_type, digest, size):
            return {"mediaType": media_type, "digest": digest, "size": size}
        # White space and order are the sender's: they have to come back as they are.
        form = {"schemaVersion": 2, "annotations": {"org.example.mark": f"{repository.name} {mark}"}}
        if children is None:
            self.media_type = OCI_MANIFEST
            config, *layers = blobs
            form["config"] = descriptor(OCI_CONFIG, config, len(contents.bytes[config]))
            form["layers"] = [descriptor(OCI_LAYER, layer, len(contents.bytes[layer])) for layer in layers]
        else:
            self.media_type = OCI_INDEX
            form["manifests"] = [descriptor(child.media_type, child.digest, len(child.bytes)) for child in children]
        if subject:
            form["subject"] = descriptor(subject.media_type, subject.digest, len(subject.bytes))
        form["mediaType"] = self.media_type
        self.bytes = json.dumps(form, indent=1 + mark % 3).encode()
        self.digest = sha(self.bytes)
        self.blobs = set(blobs)
        self.subject = subject.digest if subject else None


class Upload:
    """An upload session: `acknowledged` bytes are promised, up to `attempted` may have arrived."""

    def __init__(self, location, digest, data):
        self.location = location
        self.digest = digest
        self.data = data
        self.acknowledged = 0
        self.attempted = 0
        self.finishing = False   # a PUT is in flight
        self.cancelling = False  # a DELETE is in flight


class Repository:
    def __init__(self, name):
        self.name = name
        self.blobs = {}      # digest → {True, False}: linked or not
        self.manifests = {}  # digest → {True, False}
        self.tags = {}       # tag → {digest, GONE}
        self.known = {}      # digest → Manifest, all that were ever attempted
        self.uploads = []
        self.ended = []      # locations of finished and cancelled uploads: 404 for ever

    @staticmethod
    def attempt(effects):
        for table, key, value in effects:
            table[key] = table.get(key, {absent_of(value)}) | {value}

    @staticmethod
    def acknowledge(effects):
        for table, key, value in effects:
            table[key] = {value}

    def linked(self):
        return [digest for digest, cell in self.blobs.items() if cell == {True}]

    def present(self):
        return [self.known[digest] for digest, cell in self.manifests.items() if cell == {True}]

    def tagged(self):
        return [tag for tag, cell in self.tags.items() if GONE not in cell]

    def needed(self):
        return set().union(*(manifest.blobs for manifest in self.present()))


def absent_of(value):
    return False if isinstance(value, bool) else GONE
