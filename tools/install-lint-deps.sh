#!/usr/bin/env bash
set -euo pipefail
exec "$(dirname "$0")/install-packages.sh" clang-format-19 clang-tidy-19 python3 git
