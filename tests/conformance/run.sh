#!/usr/bin/env bash
# run.sh BINARY: the OCI conformance suites against a fresh server. Fails without Go 1.24 or later.
set -euo pipefail
exec python3 "$(dirname "$0")/run.py" "$@"
