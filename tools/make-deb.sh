#!/usr/bin/env bash
# make-deb.sh BINARY FOLDER: a Debian package of the release binary with its systemd units.
set -euo pipefail
binary=$1 folder=$2
root=$(cd "$(dirname "$0")/.." && pwd)
command -v dpkg-shlibdeps >/dev/null || "$root/tools/install-packages.sh" dpkg-dev

version=$("$binary" version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1)
architecture=$(dpkg --print-architecture)
# The time of the last commit: the same source makes the same package.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
package=$stage/entrepot

install -D -m 755 "$binary" "$package/usr/bin/entrepot"
strip --strip-unneeded "$package/usr/bin/entrepot"
install -D -m 644 "$root/deploy/entrepot.service" "$package/lib/systemd/system/entrepot.service"
install -D -m 644 "$root/deploy/entrepot-agent.service" "$package/lib/systemd/system/entrepot-agent.service"
install -D -m 644 "$root/deploy/entrepot.yaml" "$package/etc/entrepot/entrepot.yaml"
install -D -m 644 "$root/deploy/prometheus/entrepot.rules.yaml" "$package/usr/share/entrepot/entrepot.rules.yaml"
install -D -m 644 "$root/deploy/grafana/entrepot.json" "$package/usr/share/entrepot/entrepot.json"
install -D -m 644 "$root/LICENSE" "$package/usr/share/doc/entrepot/copyright"
install -D -m 644 "$root/README.md" "$package/usr/share/doc/entrepot/README.md"

mkdir -p "$stage/debian" "$package/DEBIAN"
printf 'Source: entrepot\nPackage: entrepot\nArchitecture: any\n' > "$stage/debian/control"
depends=$(cd "$stage" && dpkg-shlibdeps -O entrepot/usr/bin/entrepot 2>/dev/null | sed 's/^shlibs:Depends=//')

cat > "$package/DEBIAN/control" <<CONTROL
Package: entrepot
Version: $version
Section: net
Priority: optional
Architecture: $architecture
Maintainer: The Entrepôt authors <entrepot@localhost>
Installed-Size: $(du -ks "$package" | cut -f1)
Depends: $depends
Suggests: postgresql
Description: OCI registry in one program
 Entrepôt keeps container images and other OCI artifacts. It needs nothing but
 itself on one machine (SQLite, files), or a PostgreSQL database.
CONTROL
echo /etc/entrepot/entrepot.yaml > "$package/DEBIAN/conffiles"
cat > "$package/DEBIAN/postinst" <<'POSTINST'
#!/bin/sh
set -e
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
[ "$1" != configure ] || [ -z "$2" ] || systemctl try-restart entrepot.service entrepot-agent.service
POSTINST
cat > "$package/DEBIAN/prerm" <<'PRERM'
#!/bin/sh
set -e
[ ! -d /run/systemd/system ] || [ "$1" != remove ] || systemctl disable --now entrepot.service entrepot-agent.service
PRERM
chmod 755 "$package/DEBIAN/postinst" "$package/DEBIAN/prerm"

mkdir -p "$folder"
dpkg-deb --root-owner-group -Zxz --build "$package" "$folder/entrepot_${version}_${architecture}.deb"
