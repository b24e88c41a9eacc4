#!/usr/bin/env bash
# make-image.sh BINARY FOLDER: an OCI image archive that holds the release binary, the shared libraries it needs and the
# list of certificate authorities, and nothing else: no shell, no package manager. Made with tar and sha256sum alone.
set -euo pipefail
binary=$1 folder=$2
root=$(cd "$(dirname "$0")/.." && pwd)

version=$("$binary" version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1)
architecture=$(dpkg --print-architecture)
moment=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
created=$(date -u -d "@$moment" +%Y-%m-%dT%H:%M:%SZ)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
files=$stage/files blobs=$stage/image/blobs/sha256
mkdir -p "$files"/{etc/ssl/certs,tmp,var/lib/entrepot} "$blobs" "$folder"

install -D -m 755 "$binary" "$files/usr/bin/entrepot"
strip --strip-unneeded "$files/usr/bin/entrepot"
# Every library at the path where the loader found it, and the loader itself.
ldd "$binary" | grep -oE '/[^ ]+' | sort -u | while read -r library; do
  install -D -m 755 "$(readlink -f "$library")" "$files$library"
done
if [[ -r /etc/ssl/certs/ca-certificates.crt ]]; then
  install -m 644 /etc/ssl/certs/ca-certificates.crt "$files/etc/ssl/certs/"
fi
echo 'entrepot:x:65532:65532::/var/lib/entrepot:/' > "$files/etc/passwd"
echo 'entrepot:x:65532:' > "$files/etc/group"
chmod 1777 "$files/tmp"

# blob FILE: moves a file to where its digest says; prints "digest size".
blob() {
  local digest size
  digest=$(sha256sum "$1" | cut -d' ' -f1)
  size=$(stat -c %s "$1")
  mv "$1" "$blobs/$digest"
  echo "sha256:$digest $size"
}

# The service's folder belongs to its user, all else to root.
tar --sort=name --mtime="@$moment" --owner=0 --group=0 --numeric-owner --exclude=./var/lib/entrepot \
  -C "$files" -cf "$stage/layer.tar" .
tar --sort=name --mtime="@$moment" --owner=65532 --group=65532 --numeric-owner \
  -C "$files" -rf "$stage/layer.tar" ./var/lib/entrepot
diff_id=$(sha256sum "$stage/layer.tar" | cut -d' ' -f1)
gzip -n "$stage/layer.tar"
read -r layer layer_size < <(blob "$stage/layer.tar.gz")

cat > "$stage/config" <<CONFIG
{"created":"$created","architecture":"$architecture","os":"linux","config":{"User":"65532:65532",
"ExposedPorts":{"5000/tcp":{}},"Volumes":{"/var/lib/entrepot":{}},"WorkingDir":"/var/lib/entrepot",
"Entrypoint":["/usr/bin/entrepot"],"Cmd":["serve","--listen","0.0.0.0:5000","--data","/var/lib/entrepot"],
"StopSignal":"SIGTERM","Labels":{"org.opencontainers.image.title":"Entrepôt","org.opencontainers.image.version":"$version",
"org.opencontainers.image.licenses":"Apache-2.0"}},"rootfs":{"type":"layers","diff_ids":["sha256:$diff_id"]},
"history":[{"created":"$created","created_by":"tools/make-image.sh"}]}
CONFIG
read -r config config_size < <(blob "$stage/config")

manifest_type=application/vnd.oci.image.manifest.v1+json
cat > "$stage/manifest" <<MANIFEST
{"schemaVersion":2,"mediaType":"$manifest_type",
"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"$config","size":$config_size},
"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"$layer","size":$layer_size}]}
MANIFEST
read -r manifest manifest_size < <(blob "$stage/manifest")

echo '{"imageLayoutVersion":"1.0.0"}' > "$stage/image/oci-layout"
cat > "$stage/image/index.json" <<INDEX
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"$manifest_type",
"digest":"$manifest","size":$manifest_size,"platform":{"architecture":"$architecture","os":"linux"},
"annotations":{"org.opencontainers.image.ref.name":"$version"}}]}
INDEX
archive=$folder/entrepot-$version-$architecture.oci.tar
tar --sort=name --mtime="@$moment" --owner=0 --group=0 --numeric-owner -C "$stage/image" -cf "$archive" .
echo "$archive: $manifest"
