"""A real multi-architecture image, made once a run by buildah from a static busybox: no network, no Dockerfile.
The arm64 half holds the same amd64 program: only its platform label differs, which is what registries see."""
import atexit
import functools
import os
import pathlib
import shutil
import tarfile
import tempfile

from .scenario import run

ARCHITECTURES = ("amd64", "arm64")
APPLETS = ("sh", "ls", "cat", "echo", "sleep", "wget", "id", "sha256sum")


@functools.cache
def storage():
    """A containers/storage of this run, for buildah and podman."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="entrepot-storage-"))

    def remove():
        run("buildah", *arguments_of(home), "rm", "--all", check=False)
        run("buildah", *arguments_of(home), "rmi", "--all", "--force", check=False)
        shutil.rmtree(home, ignore_errors=True)
    atexit.register(remove)
    return home


def arguments_of(home):
    return ["--root", str(home / "root"), "--runroot", str(home / "run"), "--storage-driver", "vfs"]


def buildah(*arguments, **more):
    environment = {**os.environ, "BUILDAH_ISOLATION": "chroot"}
    return run("buildah", *arguments_of(storage()), *arguments, env=environment, **more).stdout.strip()


def busybox():
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if os.path.exists(path):
            return path
    raise AssertionError("busybox-static is not installed")


def root_file_system(path, marker):
    with tarfile.open(path, "w") as archive:
        archive.add(busybox(), "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        note = pathlib.Path(str(path) + ".marker")
        note.write_text(marker + "\n")
        archive.add(note, "architecture")


@functools.cache
def single(architecture="amd64", form="oci"):
    """Name of a local one-platform image in storage()."""
    name = f"localhost/busybox-{architecture}:{form}"
    layer = storage() / f"{architecture}.tar"
    if not layer.exists():
        root_file_system(layer, architecture)
    container = buildah("from", "scratch")
    buildah("add", container, layer, "/")
    buildah("config", "--arch", architecture, "--os", "linux", "--cmd", '["/bin/cat","/architecture"]', container)
    buildah("commit", "--format", form, "--rm", container, name)
    return name


@functools.cache
def multi():
    """The multi-architecture image as an OCI layout: what skopeo calls oci:PATH:TAG."""
    buildah("manifest", "create", "localhost/multi")
    for architecture in ARCHITECTURES:
        buildah("manifest", "add", "localhost/multi", "containers-storage:" + single(architecture))
    layout = f"oci:{storage()}/layout:multi"
    buildah("manifest", "push", "--all", "localhost/multi", layout)
    return layout
