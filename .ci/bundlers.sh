#!/bin/sh
# Builds a program with bundlers and file tracers, moves the result to another folder and runs it there. The package is
# packed and installed as users have it. Installs the tools it needs. Expects the library to be built.
#
# Without arguments it tries those that most people use and a single executable application; `--full` tries all, also
# Next.js, NestJS, Vite and Bun; `--only=esbuild,sea` these.
set -eu
cd "$(dirname "$0")/.."

if ! [ -f dist/entry/index.js ]; then
  echo 'bundlers: dist/entry/index.js is missing; run `npm test` or `npm run build` first' >&2
  exit 1
fi

prepare() {
  lock=$(cksum < "$1/package-lock.json")
  if [ "$(cat "$1/node_modules/.prepared" 2>/dev/null)" != "$lock" ]; then
    (cd "$1" && npm ci --no-audit --no-fund --loglevel=error)
    echo "$lock" > "$1/node_modules/.prepared"
  fi
}

tools=__test__/bundlers
prepare "$tools"
# Only the names of the first part need nothing else.
needs_full() {
  [ $# -gt 0 ] || return 1
  for arg in "$@"; do
    [ "$arg" = --full ] && return 0
    echo "$arg" | grep -Eq 'rolldown|vite|rspack|bun|next|nest' && return 0
  done
  return 1
}
if needs_full "$@"; then prepare "$tools/full"; fi

exec node "$tools/run.mjs" "$@"
