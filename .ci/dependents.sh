#!/bin/sh
# Installs packages that need prom-client beside the real one and beside this library, from a registry on this machine, and
# compares what the same applications show. Expects the library to be built.
#
# Arguments are names of applications, e.g. `.ci/dependents.sh express-prom-bundle`.
set -eu
cd "$(dirname "$0")/.."

. .ci/tried.sh
need_build dependents '`npm test` or `npm run build`'
install_packing_tools

exec node __test__/dependents/run.mjs "$@"
