#!/usr/bin/env bash
# Checks the Rust crate as a program without Node.js gets it: its examples run, its bridge to `prometheus-client` works, it pushes
# over a client of its own, its documentation builds and its examples in it run, the package builds from its own files alone, and the licences, sources
# and choice of its dependencies are those of `.ci/deny.toml`. Installs cargo-deny (two minutes of processor time) if it is
# missing.
#
# `bash .ci/crate.sh docs deny` runs these steps alone.
set -euo pipefail
cd "$(dirname "$0")/.."

package=prometheus-metrics
deny_version=0.20.2
deny=target/tools/bin/cargo-deny
features='full,testing,prometheus-client,push-http'
# The folder of `npm test`, so that dependencies are compiled once.
CARGO_BUILD_TARGET=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_BUILD_TARGET

# Each example is started and its output or its scrape is compared.
run_examples() {
  cargo build --quiet --package "$package" --features "$features" --examples
  cargo test --quiet --package "$package" --features "$features" --test examples --test prometheus_client_bridge --test push_http
  cargo test --quiet --package "$package" --features "$features" --lib push::client
}

# A build without TLS or passwords must refuse their settings, not ignore them.
run_plain() { cargo test --quiet --package "$package" --lib http; }

run_docs() {
  RUSTDOCFLAGS='-D warnings' cargo doc --quiet --package "$package" --no-deps --all-features
  cargo test --quiet --package "$package" --features "$features" --doc
}

# The package is built in a folder of its own, so a file that it lacks is found here.
run_package() {
  cmp LICENSE crate/core/LICENSE
  local files
  files=$(cargo package --list --allow-dirty --package "$package")
  for file in Cargo.toml README.md LICENSE src/lib.rs; do
    grep -qx "$file" <<<"$files" || { echo "crate: the package lacks $file" >&2; return 1; }
  done
  if grep -E '^(tests|benches)/' <<<"$files"; then
    echo 'crate: these files need the repository, so the package must not have them' >&2
    return 1
  fi
  cargo package --quiet --allow-dirty --package "$package" --features "$features"
}

run_deny() {
  if ! [ -x "$deny" ] || [ "$("$deny" --version)" != "cargo-deny $deny_version" ]; then
    echo "crate: installing cargo-deny $deny_version"
    # Without optimisation: it runs for a second.
    cargo install --quiet cargo-deny --version "$deny_version" --locked --debug --no-default-features --root target/tools
  fi
  # Advisories need a database that only GitHub has; a workflow with access to it adds `advisories`.
  "$deny" --config .ci/deny.toml check --hide-inclusion-graph ${CRATE_DENY_ADVISORIES:+advisories} licenses bans sources
}

steps=("$@")
[ $# -gt 0 ] || steps=(examples plain docs package deny)
for step in "${steps[@]}"; do
  [ "$(type -t "run_$step")" = function ] || { echo "crate: unknown step '$step'" >&2; exit 2; }
  began=$SECONDS
  "run_$step"
  printf 'crate: %s passed after %d s\n' "$step" $((SECONDS - began))
done
