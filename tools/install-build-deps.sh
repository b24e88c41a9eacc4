#!/usr/bin/env bash
# What it takes to build Entrepôt and its unit tests on Debian 12.
set -euo pipefail
exec "$(dirname "$0")/install-packages.sh" \
  clang-19 lld-19 libclang-rt-19-dev cmake ninja-build pkg-config \
  libboost1.81-dev libboost-json1.81-dev libfmt-dev libspdlog-dev libssl-dev libsqlite3-dev libpq-dev libyaml-cpp-dev \
  libcli11-dev libargon2-dev libcjose-dev libjansson-dev libarchive-dev libzstd-dev libgtest-dev python3
