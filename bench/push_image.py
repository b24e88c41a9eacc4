"""Pushes an image whose layers are files, one after the other: for rollout.py, in the registry's own namespace."""
import hashlib
import json
import pathlib

from support.registry import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Registry, descriptor

PATIENCE = 600  # seconds for one answer


def push_layer(client, repository, file):
    with open(file, "rb") as data:
        digest = "sha256:" + hashlib.file_digest(data, "sha256").hexdigest()
        size = data.seek(0, 2)
        data.seek(0)
        started = client.expect(202, "POST", f"/v2/{repository}/blobs/uploads/")
        client.expect(201, "PUT", f"{started.headers['Location']}?digest={digest}", data,
                      {"Content-Type": "application/octet-stream", "Content-Length": str(size)})
    return {"mediaType": OCI_LAYER, "digest": digest, "size": size}


def push(host, password, repository, files):
    """The manifest's digest."""
    client = Registry(host, "admin", password, timeout=PATIENCE)
    layers = [push_layer(client, repository, pathlib.Path(name)) for name in files]
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {
        "type": "layers", "diff_ids": [layer["digest"] for layer in layers]}}).encode()
    client.push_blob(repository, config)
    return client.push_manifest(repository, "latest", {
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(OCI_CONFIG, config), "layers": layers})
