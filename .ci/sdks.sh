#!/bin/sh
# Runs the tests against the real SDKs and frameworks, with their pinned versions, under the Node.js that they need.
# Installs both. The library must be built.
#
# Arguments go to AVA, e.g. `.ci/sdks.sh __test__/sdks/openai.test.mjs`.
set -eu
cd "$(dirname "$0")/.."

if ! [ -f dist/entry/index.js ]; then
  echo 'sdks: dist/entry/index.js is missing; run `npm test` or `npm run build` first' >&2
  exit 1
fi

sdks=__test__/sdks
lock=$(cksum < "$sdks/package-lock.json")
if [ "$(cat "$sdks/node_modules/.prepared" 2>/dev/null)" != "$lock" ]; then
  # Several SDKs reject the Node.js of this shell; the newer one, installed here, runs them.
  (cd "$sdks" && npm ci --no-audit --no-fund --engine-strict=false --loglevel=error)
  echo "$lock" > "$sdks/node_modules/.prepared"
fi

node=$(find "$PWD/$sdks/node_modules" -maxdepth 3 -path '*/node-*/bin/node' | head -n 1)
[ -n "$node" ] || { echo 'sdks: the packages have no Node.js for this platform' >&2; exit 1; }
echo "sdks: Node.js $("$node" --version)"

run() { "$node" node_modules/ava/entrypoints/cli.mjs --config "$sdks/ava.config.mjs" "$@"; }

if [ $# -gt 0 ]; then
  run "$@"
  exit
fi
run

# Again, in processes whose global `Promise` another library has replaced. Left out are tests in which that library itself
# changes the outcome: it runs handlers so late that a reader leaves, or a connection is cut, before the SDK has passed a
# chunk on, and bluebird refuses that an SDK loaded later inherits from it.
for library in zone bluebird; do
  echo "sdks: with the Promise of $library"
  preload="--import=$PWD/$sdks/preloads/$library.mjs"
  for file in doors openai api-client anthropic google-genai mcp; do
    REPLACED_PROMISE=$library NODE_OPTIONS="${NODE_OPTIONS-} $preload" run "$sdks/$file.test.mjs" --match='*' \
      --match='!a request is cancelled when its reader leaves' --match='!a broken stream counts as interrupted*' \
      --match='!*the result of require() is instrumented*'
  done
done
