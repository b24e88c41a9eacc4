"""One run: which servers stand, which row is asked of which, round after round."""
import shutil
import time

from . import content, figures, journaled, peers, rows, servers
from .load import LoadFailed

# The state of the caches and of the allocator after a start.
REST_SECONDS = 5
SLOW_ROUNDS = 3
MEMORY_ROWS = ("slow", "rest")


def in_turn(names, turn):
    """Another one begins each round, and every other round goes backwards: nobody always follows the same one."""
    first = turn % len(names) if names else 0
    turned = [*names[first:], *names[:first]]
    return turned[::-1] if turn % 2 else turned


class Bench:
    def __init__(self, options, folder, generator):
        self.options = options
        self.folder = folder
        self.generator = generator
        self.seconds = 0.4 if options.quick else options.seconds
        self.warm_seconds = 0.1 if options.quick else 0.3
        self.image_seconds = 1 if options.quick else 5
        self.push_mebibytes = 50 if options.quick else 500
        self.slow_connections = 500 if options.quick else 5000
        self.disk = None
        self.absent = {}  # server: why it is not in the table
        self.versions = {}
        self.content = content.make()
        self.seen = {}  # row's key: {server: [one dictionary of figures a round]}

    def run(self, chosen):
        """Everything lies on the journaled disk where there can be one: forgetting it is quick as well."""
        try:
            with journaled.JournaledDisk(self.folder) as self.disk:
                self._run(chosen, self.disk.mount)
        except journaled.NotPossible as error:
            self.absent["durable rows"] = str(error)
            print(f"left out: durable rows: {error}", flush=True)
            self._run([row for row in chosen if row.stage != "durable"], self.folder)

    def _run(self, chosen, folder):
        with_tags = any(row.key in ("tags", "rest") for row in chosen)
        served = [row for row in chosen if row.stage != "durable"]
        durable = [row for row in chosen if row.stage == "durable"]
        if served:
            self._serve(served, folder / "serving", with_tags)
        if durable:
            self._durable(durable)

    def _make(self, name, folder, certificate=None):
        """The server, or None with the reason in self.absent."""
        if self.options.servers and name not in self.options.servers:
            return None
        if name in peers.MODULES:
            binary, why = peers.install(name, self.folder) if self.options.peers else (None, "left out by --no-peers")
            if not binary:
                self.absent[name] = why
                return None
            make = servers.Zot if name == "zot" else servers.DistributionV3
            return make(folder, binary)
        if name == "entrepot":
            return servers.Entrepot(folder, self.options.binary, certificate)
        if name == "entrepot-pg":
            return servers.EntrepotOnPostgres(folder, self.options.binary, certificate)
        if name == "nginx":
            return servers.Nginx(folder, certificate)
        return servers.DockerRegistry(folder)

    def _start(self, name, folder, certificate=None):
        try:
            server = self._make(name, folder, certificate)
            if server is None:
                return None
            server.start()
        except (OSError, RuntimeError, TypeError) as error:
            self.absent[name] = f"did not start: {error}"
            print(f"left out: {name}: {error}", flush=True)
            return None
        self.versions[name] = server.version()
        return server

    def _serve(self, chosen, folder, with_tags):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        certificate = servers.make_certificate(folder)
        wanted = [name for name in rows.ALL if any(name in row.servers for row in chosen)]
        standing = {}
        try:
            for name in wanted:
                server = self._start(name, folder, certificate)
                if server:
                    standing[name] = server
                    print(f"seeding {name} …", flush=True)
                    self._seed(server, with_tags)
            for row in chosen:
                # A row on memory or at rest wants the others asleep, not gone.
                rounds = min(self.options.rounds, SLOW_ROUNDS) if row.key in MEMORY_ROWS else self.options.rounds
                names = [name for name in row.servers if name in standing]
                for turn in range(rounds):
                    for name in in_turn(names, turn):
                        self._cell(row, standing[name])
                self._show(row)
        finally:
            for server in standing.values():
                server.stop()
            shutil.rmtree(folder, ignore_errors=True)

    def _seed(self, server, with_tags):
        if isinstance(server, servers.Nginx):
            content.lay_out(self.content, server.root)
            content.check(self.content, server)
            return
        content.seed(self.content, server)
        if with_tags:
            content.seed_tags(self.content, server, self.generator)
        if isinstance(server, servers.Entrepot):
            if not server.refuses_strangers():
                raise RuntimeError("entrepot answers a false token: nothing to measure")
            if with_tags:
                content.check_pages(server)

    def _durable(self, chosen):
        """Each server has the disk to itself, from empty, once a round."""
        wanted = [name for name in rows.REGISTRIES if any(name in row.servers for row in chosen)]
        for turn in range(self.options.rounds):
            for name in in_turn(wanted, turn):
                if name in self.absent:
                    continue
                folder = self.disk.mount / f"{name}-{turn}"
                server = self._start(name, folder)
                if server is None:
                    continue
                try:
                    for row in chosen:
                        self.disk.settle()
                        self._cell(row, server)
                finally:
                    server.stop()
                    shutil.rmtree(folder, ignore_errors=True)
                    self.disk.settle()
        for row in chosen:
            self._show(row)

    def _cell(self, row, server):
        try:
            seen = row.cell(self, server)
        except (LoadFailed, OSError, RuntimeError) as error:
            print(f"  {row.key}, {server.name}: {error}", flush=True)
            seen = None
        if seen and seen["complaints"]:
            print(f"  {row.key}, {server.name}: {seen['complaints']}", flush=True)
        cell = figures.of_cell(row, seen)
        self.seen.setdefault(row.key, {}).setdefault(server.name, []).append(cell)

    def _show(self, row):
        if row.key in self.seen:
            print(figures.as_text(row, self.seen[row.key]), flush=True)

    def measure_at_rest(self, server):
        server.stop()
        server.start()
        time.sleep(1 if self.options.quick else REST_SECONDS)
        return figures.at_rest(server)
