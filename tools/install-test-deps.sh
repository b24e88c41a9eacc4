#!/usr/bin/env bash
# The real clients and engines that the tests and benchmarks use.
set -euo pipefail
exec "$(dirname "$0")/install-packages.sh" \
  skopeo buildah podman containerd runc crun docker.io docker-registry nginx-light postgresql-15 sqlite3 strace \
  busybox-static wrk python3 jq curl openssl iproute2 libcap2-bin netavark conmon e2fsprogs util-linux
