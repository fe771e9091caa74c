#!/usr/bin/env bash
# Runs each fuzz target for a minute, from its seeds and what earlier runs have found (`fuzz/corpus`). As many run at once
# as there are processors: with two, all of them take five minutes and the build some two more. libFuzzer needs unstable
# flags of the compiler, which RUSTC_BOOTSTRAP allows. Installs cargo-fuzz.
#
#     FUZZ_SECONDS=5 bash .ci/fuzz.sh request chunked
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.13.2
tools="$PWD/target/tools"
if ! "$tools/bin/cargo-fuzz" --version 2>/dev/null | grep -qF "$version"; then
  cargo install --quiet --locked --root "$tools" cargo-fuzz@"$version"
fi
export PATH="$tools/bin:$PATH" RUSTC_BOOTSTRAP=1

targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(find fuzz/targets -name '*.rs' -printf '%f\n' | sed 's/\.rs$//' | sort)
for target in "${targets[@]}"; do
  [ -n "$(find "fuzz/seeds/$target" -type f -print -quit)" ] || { echo "$target has no seeds" >&2; exit 1; }
done
triple=$(rustc -vV | sed -n 's/^host: //p')
cargo fuzz build --fuzz-dir fuzz --target "$triple"

fuzz() {
  local target=$1 log
  log=$(mktemp)
  mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
  if "fuzz/target/$2/release/$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -max_total_time="${FUZZ_SECONDS:-60}" \
    -max_len=4096 -rss_limit_mb=2048 -artifact_prefix="fuzz/artifacts/$target/" -print_final_stats=1 >"$log" 2>&1; then
    echo "-- $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
    rm "$log"
  else
    echo "-- $target: FAILED"
    tail -n 40 "$log"
    rm "$log"
    return 1
  fi
}
export -f fuzz
# xargs fails if one of them fails.
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I '{}' bash -c 'fuzz "$1" "$2"' fuzz '{}' "$triple"
