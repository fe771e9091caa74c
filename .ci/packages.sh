#!/bin/sh
# Packs the package and those of the platforms, publishes them to a registry on this machine, and tries what people do
# with them: install with each package manager, compile, check types, install beside packages that need prom-client.
# Installs the tools it needs. Expects the library to be built as it is published: `node .ci/prepare.mjs --release`.
#
# Without arguments it runs a part of the tests, with `--full` all of them.
set -eu
cd "$(dirname "$0")/.."

. .ci/tried.sh
need_build packages '`node .ci/prepare.mjs --release`'
install_packing_tools

exec node __test__/packages/run.mjs "$@"
