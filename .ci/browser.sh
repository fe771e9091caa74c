#!/bin/sh
# Runs the tests of the live page in a real browser: Debian's Chromium without a window. Installs what is missing, and fails if
# it cannot; it never skips a test. The library must be built.
#
# Arguments go to AVA. `PAGE_PICTURES=<folder>` saves pictures of the page in both themes at three widths. `--picture <file>`
# makes the picture of the README from the example, and nothing else.
set -eu
cd "$(dirname "$0")/.."

if ! [ -f dist/entry/index.js ]; then
  echo 'browser: dist/entry/index.js is missing; run `npm test` or `npm run build` first' >&2
  exit 1
fi
if ! command -v chromium >/dev/null; then
  echo 'browser: installing chromium'
  as_root=''
  [ "$(id -u)" -eq 0 ] || as_root='sudo'
  $as_root apt-get update
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium fonts-dejavu-core
fi
# The driver and axe. The library does not depend on them.
npm ci --prefix __test__/browser/driver --no-audit --no-fund --loglevel=error --engine-strict=false

chromium --version
if [ "${1-}" = --picture ]; then exec node __test__/browser/picture.mjs "$2"; fi
exec npx --no-install ava --config __test__/browser/ava.config.mjs --verbose "$@"
