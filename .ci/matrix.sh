#!/bin/sh
# Runs the JavaScript tests on each supported Node.js, and the smoke tests on Bun and Deno. Installs these runtimes from
# npm. Expects the library to be built.
#
# Without arguments it runs everything. `.ci/matrix.sh --part` runs what CI has time for: the newest Node.js with the
# rooms whose tests depend on the runtime, and Bun and Deno. `.ci/matrix.sh 22 26` runs these versions, and
# `.ci/matrix.sh runtimes` Bun and Deno. Paths of tests may follow: `.ci/matrix.sh 22 26 __test__/threads`.
set -eu
cd "$(dirname "$0")/.."

. .ci/tried.sh
need_build matrix '`npm test` or `npm run build`'

versions='20.20.2 22.23.3 24.21.0 26.10.0'
majors='20 22 24 26'
# Loading, threads, sockets, async hooks, the figures of the process: what a new Node.js may change.
rooms='__test__/native __test__/package __test__/threads __test__/collectors __test__/http __test__/registry'

parts=''
paths=''
for arg in "$@"; do
  case $arg in
    --part) parts='26 runtimes' paths=$rooms ;;
    __test__/*) paths="$paths $arg" ;;
    *) parts="$parts $arg" ;;
  esac
done
parts=${parts:-$majors runtimes}

# Installs a Node.js and prints the path of its executable.
node_of() {
  for version in $versions; do
    [ "${version%%.*}" = "$1" ] && break
    version=''
  done
  [ -n "$version" ] || { echo "matrix: expected one of $majors, 'runtimes' or --part; received '$1'" >&2; return 1; }
  folder=target/nodes/$1
  node=$folder/node_modules/node/bin/node
  if [ "$("$node" --version 2>/dev/null)" != "v$version" ]; then
    mkdir -p "$folder"
    echo '{ "private": true }' > "$folder/package.json"
    npm install --prefix "$folder" --no-audit --no-fund --loglevel=error --engine-strict=false "node@$version" >&2
  fi
  [ "$("$node" --version)" = "v$version" ] || { echo "matrix: Node.js $version cannot be installed here" >&2; return 1; }
  echo "$PWD/$node"
}

run_node() {
  node=$(node_of "$1") || return 1
  echo "== Node.js $("$node" --version)"
  # Programs that tests start by name must be of this version, too.
  # shellcheck disable=SC2086 # a list of paths
  PATH=$(dirname "$node"):$PATH "$node" node_modules/ava/entrypoints/cli.mjs $paths
}

run_runtimes() {
  tools=__test__/runtimes
  install_once "$tools" npm ci
  echo '== Bun and Deno'
  node "$tools/run.mjs"
}

failed=0
passed=0
for part in $parts; do
  began=$(date +%s)
  case $part in
    runtimes) title='Bun and Deno'; run_runtimes && result=passed || result=FAILED ;;
    *) title="Node.js $part"; run_node "$part" && result=passed || result=FAILED ;;
  esac
  echo "   $title: $result after $(($(date +%s) - began)) s"
  if [ "$result" = passed ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
echo
echo "$passed passed, $failed failed"
[ $failed = 0 ]
