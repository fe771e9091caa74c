#!/usr/bin/env bash
# Runs each fuzz target for a minute (`FUZZ_SECONDS`), from its seeds and what earlier runs have found. libFuzzer needs
# unstable flags of the compiler, which RUSTC_BOOTSTRAP allows. Installs cargo-fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.13.2
tools="$PWD/target/tools"
if ! "$tools/bin/cargo-fuzz" --version 2>/dev/null | grep -qF "$version"; then
  cargo install --quiet --locked --root "$tools" cargo-fuzz@"$version"
fi
export PATH="$tools/bin:$PATH" RUSTC_BOOTSTRAP=1

targets=${*:-$(cd fuzz/targets && ls | sed 's/\.rs$//')}
for target in $targets; do
  [ -n "$(ls "fuzz/seeds/$target")" ] || { echo "$target has no seeds" >&2; exit 1; }
  mkdir -p "fuzz/corpus/$target"
  echo "-- $target"
  cargo fuzz run --fuzz-dir fuzz "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
    -max_total_time="${FUZZ_SECONDS:-60}" -max_len=4096 -print_final_stats=0 -verbosity=0
done
