#!/usr/bin/env bash
# lint.sh BUILD_DIR | lint.sh --quick: the rooms, the budget and the formatting; without --quick also
# clang-tidy. Closes with `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."

problems=0
python3 tools/check_rooms.py . || problems=1
mapfile -t sources < <(git ls-files -co --exclude-standard 'src/*.cpp' 'src/*.hpp' 'tests/*.cpp' 'tests/*.hpp' 'fuzz/*.cpp' 'bench/*.cpp')
if ((${#sources[@]})) && command -v clang-format-19 >/dev/null; then
  clang-format-19 --dry-run --Werror "${sources[@]}" || problems=1
fi
for script in $(git ls-files -co --exclude-standard '*.sh' .ci/run); do
  bash -n "$script" || problems=1
done
if [[ ${1:-} != --quick ]]; then
  mapfile -t units < <(git ls-files -co --exclude-standard 'src/*.cpp')
  printf '%s\n' "${units[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy-19 --quiet -p "${1:?build directory}" || problems=1
fi
echo "$((1 - problems)) passed, $problems failed"
exit "$problems"
