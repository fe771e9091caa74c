#!/bin/sh
# Installs packages that need prom-client beside the real one and beside this library, from a registry on this machine, and
# compares what the same applications show. Expects the library to be built.
#
# Arguments are names of applications, e.g. `.ci/dependents.sh express-prom-bundle`.
set -eu
cd "$(dirname "$0")/.."

if ! [ -f dist/entry/index.js ]; then
  echo 'dependents: dist/entry/index.js is missing; run `npm test` or `npm run build` first' >&2
  exit 1
fi

# The tools that pack and publish.
tools=__test__/packages
lock=$(cksum < "$tools/package-lock.json")
if [ "$(cat "$tools/node_modules/.prepared" 2>/dev/null)" != "$lock" ]; then
  # Not `npm ci`: it rejects the lock, because pnpm names optional packages of platforms that are not published.
  (cd "$tools" && npm install --no-save --no-audit --no-fund --loglevel=error)
  echo "$lock" > "$tools/node_modules/.prepared"
fi

exec node __test__/dependents/run.mjs "$@"
