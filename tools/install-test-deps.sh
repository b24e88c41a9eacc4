#!/usr/bin/env bash
# The real clients and engines that the tests and benchmarks use: Debian packages, and Python packages with pinned
# hashes in build/tools/venv, where tests/blackbox/run.py finds them.
set -euo pipefail
here=$(dirname "$0")

"$here/install-packages.sh" \
  skopeo buildah podman containerd runc crun docker.io docker-registry nginx-light postgresql-15 sqlite3 strace \
  zsh fish faketime busybox-static wrk python3 python3-venv jq curl openssl iproute2 libcap2-bin netavark conmon e2fsprogs util-linux spin gcc libc6-dev \
  prometheus

venv=$here/../build/tools/venv
pinned=$here/../tests/requirements.txt
if ! cmp -s "$pinned" "$venv/requirements.txt"; then
  echo "installing the Python packages of tests/requirements.txt"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r "$pinned"
  cp "$pinned" "$venv/requirements.txt"
fi
