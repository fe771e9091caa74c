#!/bin/sh
# Builds a program with bundlers and file tracers, moves the result to another folder and runs it there. The package is
# packed and installed as users have it. Installs the tools it needs. Expects the library to be built.
#
# Without arguments it tries those that most people use and a single executable application; `--full` tries all, also
# Next.js, NestJS, Vite and Bun; `--only=esbuild,sea` these.
set -eu
cd "$(dirname "$0")/.."

. .ci/tried.sh
need_build bundlers '`npm test` or `npm run build`'

tools=__test__/bundlers
install_once "$tools" npm ci
# Only the names of the first part need nothing else.
needs_full() {
  [ $# -gt 0 ] || return 1
  for arg in "$@"; do
    [ "$arg" = --full ] && return 0
    echo "$arg" | grep -Eq 'rolldown|vite|rspack|bun|next|nest' && return 0
  done
  return 1
}
if needs_full "$@"; then install_once "$tools/full" npm ci; fi

exec node "$tools/run.mjs" "$@"
