#!/usr/bin/env bash
# run_fuzzers.sh SECONDS: builds the fuzz targets, with the sanitizers and in the folder of the asan tests, and runs each for that long from its corpus in fuzz/corpus/TARGET.
# A finding stops the run and leaves its input in build/asan/findings.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1

cmake --preset asan $(command -v ccache >/dev/null && echo -DCMAKE_CXX_COMPILER_LAUNCHER=ccache) >/dev/null
targets=()
for source in fuzz/*_fuzz.cpp; do
  [[ -e $source ]] && targets+=("$(basename "$source" .cpp)")
done
((${#targets[@]})) || { echo "no fuzz/*_fuzz.cpp" >&2; exit 1; }
cmake --build --preset asan --target "${targets[@]}"
mkdir -p build/asan/findings

# One fuzzer for its time; true when it found nothing.
fuzz() {
  local target=$1 binary corpus work outcome=0
  binary=$(find build/asan -name "$target" -type f -perm -u+x | head -1)
  corpus=fuzz/corpus/${target%_fuzz}
  work=$(mktemp -d)
  mkdir -p "$corpus"
  # New inputs go to the first directory: the corpus in the tree is only read.
  if "$binary" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix="build/asan/findings/$target-" "$work" "$corpus" > "build/asan/$target.log" 2>&1; then
    echo "fuzz.$target: $(grep -o 'number_of_executed_units: [0-9]*' "build/asan/$target.log" | grep -o '[0-9]*') inputs"
  else
    tail -40 "build/asan/$target.log"
    outcome=1
  fi
  rm -rf "$work"
  return "$outcome"
}

running=0 failed=0
for target in "${targets[@]}"; do
  if ((running == $(nproc))); then
    wait -n || failed=$((failed + 1))
    running=$((running - 1))
  fi
  fuzz "$target" &
  running=$((running + 1))
done
for ((; running > 0; running--)); do wait -n || failed=$((failed + 1)); done
echo "$((${#targets[@]} - failed)) passed, $failed failed"
((failed == 0))
