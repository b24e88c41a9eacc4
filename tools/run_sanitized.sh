#!/usr/bin/env bash
# run_sanitized.sh asan|tsan [--stories BINARY]: builds with that sanitizer and runs the tests; under tsan only those of
# the rooms where threads meet, or those that ENTREPOT_TSAN_TESTS matches. With a binary, the black-box stories too. Closes with `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift

cmake --preset "$preset" $(command -v ccache >/dev/null && echo -DCMAKE_CXX_COMPILER_LAUNCHER=ccache) >/dev/null
if [[ $preset == tsan ]]; then
  only=${ENTREPOT_TSAN_TESTS:-'^unit\.(core|http|drivers_)'}
  mapfile -t targets < <(ctest --test-dir build/tsan -N -R "$only" | sed -n 's/.*: unit\.\(.*\)$/\1_test/p')
  cmake --build --preset tsan --target "${targets[@]}"
  set -- --only "$only" "$@"
else
  cmake --build --preset "$preset"
fi
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
exec tools/run_tests.py "build/$preset" "$@"
