#!/usr/bin/env bash
# Checks that the Rust crate compiles without warnings with no Cargo feature, with each feature alone, with the
# default features, and with all that the addon uses. A missing `cfg` is found only this way: a build of the workspace
# turns all features on. Prints how many crates each set of features brings.
set -euo pipefail
cd "$(dirname "$0")/.."

package=prometheus-metrics

check() {
  local title=$1
  shift
  local crates
  crates=$(cargo tree --package "$package" --edges normal --prefix none --no-dedupe "$@" | sed 's/ (.*//' | sort -u | wc -l)
  echo "features: $title ($crates crates)"
  cargo check --quiet --package "$package" --lib "$@"
  # The library's own tests, and the examples and benches that these features allow. Warnings are errors here.
  cargo clippy --quiet --package "$package" --all-targets "$@" -- -D warnings
}

check 'none' --no-default-features
for feature in http auth tls gzip openmetrics protobuf push push-http full testing prometheus-client; do
  check "$feature alone" --no-default-features --features "$feature"
done
check 'default'
check 'full and testing' --features full,testing
