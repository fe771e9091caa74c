#!/bin/sh
# Packs the package and those of the platforms, publishes them to a registry on this machine, and tries what people do
# with them: install with each package manager, compile, check types, install beside packages that need prom-client.
# Installs the tools it needs. Expects the library to be built as it is published: `node .ci/prepare.mjs --release`.
#
# Without arguments it runs a part of the tests, with `--full` all of them.
set -eu
cd "$(dirname "$0")/.."

if ! [ -f dist/entry/index.js ]; then
  echo 'packages: dist/entry/index.js is missing; run `node .ci/prepare.mjs --release` first' >&2
  exit 1
fi

tools=__test__/packages
lock=$(cksum < "$tools/package-lock.json")
if [ "$(cat "$tools/node_modules/.prepared" 2>/dev/null)" != "$lock" ]; then
  # Not `npm ci`: it rejects the lock, because pnpm names optional packages of platforms that are not published.
  (cd "$tools" && npm install --no-save --no-audit --no-fund --loglevel=error)
  echo "$lock" > "$tools/node_modules/.prepared"
fi

exec node "$tools/run.mjs" "$@"
