#!/bin/sh
# Builds an addon for Linux as it is published. With glibc it runs with version 2.17 and newer, also if this machine's is
# newer: Zig brings the symbols of the old one, and musl. The script installs Zig, and the cargo command that uses it, into
# target/. Writes artifacts/prometheus-metrics.linux-<processor>-<C library>.node and checks it.
#
# Usage: release-linux.sh [x86_64-unknown-linux-gnu | aarch64-unknown-linux-gnu | x86_64-unknown-linux-musl |
#                          aarch64-unknown-linux-musl]
set -eu
cd "$(dirname "$0")/.."

target=${1:-x86_64-unknown-linux-gnu}
case $target in
  x86_64-unknown-linux-gnu) platform=linux-x64-gnu ;;
  aarch64-unknown-linux-gnu) platform=linux-arm64-gnu ;;
  x86_64-unknown-linux-musl) platform=linux-x64-musl ;;
  aarch64-unknown-linux-musl) platform=linux-arm64-musl ;;
  *) echo "release-linux: expected a Linux target but received $target" >&2; exit 2 ;;
esac
glibc=2.17
zigbuild_version=0.24.1
zig_version=0.17.1

tools=$PWD/target/tools
venv=$PWD/target/zig-venv
PATH="$tools/bin:$HOME/.cargo/bin:$PATH"
if ! command -v cargo-zigbuild >/dev/null; then
  cargo install --root "$tools" --locked --version "$zigbuild_version" cargo-zigbuild
fi
[ -x "$venv/bin/python3" ] || python3 -m venv "$venv"
"$venv/bin/python3" -m pip install --quiet --disable-pip-version-check "ziglang==$zig_version"
if command -v rustup >/dev/null && ! rustup target list --installed | grep -qx "$target"; then
  rustup target add "$target"
fi

# The budget of 4 MB: with LLVM's own threshold of inlining the addon is 8 % larger, and scrapes are as fast.
flags='-C llvm-args=-inline-threshold=50'
case $target in
  *-gnu) zig_target=$target.$glibc ;;
  # An addon uses the C library of the process; Rust would put its own copy of musl into it.
  *-musl) zig_target=$target flags="$flags -C target-feature=-crt-static" ;;
esac
export RUSTFLAGS="$flags${RUSTFLAGS:+ $RUSTFLAGS}"

# cargo-zigbuild runs Zig as `python3 -m ziglang`.
PATH="$venv/bin:$PATH" cargo zigbuild --release --locked --package prometheus-metrics-binding --target "$zig_target"

mkdir -p artifacts
addon=artifacts/prometheus-metrics.$platform.node
cp "target/$target/release/libprometheus_metrics_binding.so" "$addon"
node .ci/release-binary.mjs "$addon"
