"""A journaled ext4 in a file, and the device flushes that it has seen: without a journal, durable figures mean
nothing."""
import os
import pathlib
import shutil
import subprocess

SIZE = 16 << 30  # sparse


class NotPossible(Exception):
    pass


class JournaledDisk:
    def __init__(self, folder):
        self.image = pathlib.Path(folder) / "journaled.img"
        self.mount = pathlib.Path(folder) / "journaled"
        self.device = None

    def __enter__(self):
        if os.geteuid() != 0:
            raise NotPossible("mounting a journaled ext4 from a file needs root")
        mkfs = shutil.which("mkfs.ext4") or "/sbin/mkfs.ext4"
        try:
            self.mount.mkdir(parents=True, exist_ok=True)
            with open(self.image, "wb") as image:
                image.truncate(SIZE)
            self._run(mkfs, "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self.image))
            # Around the page cache below: a disk has no second cache that costs the machine a copy of every byte.
            self.device = self._run("losetup", "--find", "--show", "--direct-io=on", str(self.image)).strip()
            self._run("mount", "-o", "noatime", self.device, str(self.mount))
        except (OSError, NotPossible) as error:
            self.__exit__()
            raise NotPossible(f"no journaled ext4 here: {error}") from error
        return self

    def __exit__(self, *_):
        if self.device:
            subprocess.run(["umount", str(self.mount)], stderr=subprocess.DEVNULL)
            subprocess.run(["losetup", "-d", self.device], stderr=subprocess.DEVNULL)
        self.device = None
        self.image.unlink(missing_ok=True)

    def _run(self, *command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise NotPossible(f"{command[0]}: {done.stderr.strip()}")
        return done.stdout

    def flushes(self):
        """Completed flush requests of the device (Documentation/block/stat, field 16)."""
        name = pathlib.Path(self.device).name
        return int(pathlib.Path(f"/sys/block/{name}/stat").read_text().split()[15])

    def settle(self):
        """Nothing of one server's writes is left for the next one's time."""
        os.sync()
        subprocess.run(["fstrim", str(self.mount)], stderr=subprocess.DEVNULL)
