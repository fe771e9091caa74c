#!/bin/sh
# Tries a release: builds the addon for Linux on x64 as it is published, runs tests with it, makes the packages and lets npm
# check them. The addons for the other Linux targets are built and checked where Rust has these targets. Publishes nothing.
# Expects the library to be built.
set -eu
cd "$(dirname "$0")/.."

if ! [ -f dist/entry/index.js ]; then
  echo 'release-try: dist/entry/index.js is missing; run `npm test` or `npm run build` first' >&2
  exit 1
fi

npm run --silent build:release-linux
for target in aarch64-unknown-linux-gnu x86_64-unknown-linux-musl aarch64-unknown-linux-musl; do
  if [ -d "$(rustc --print target-libdir --target "$target")" ]; then
    npm run --silent build:release-linux -- "$target"
  else
    echo "release-try: $target is left out; \`rustup target add $target\` makes it possible here"
  fi
done

# A smoke test: the full counts belong to `npm test`.
env -u CI_FULL METRICS_ADDON_PATH="$PWD/artifacts/prometheus-metrics.linux-x64-gnu.node" \
  npx --no-install ava __test__/metrics/counter.test.mjs __test__/threads/totals.test.mjs __test__/threads/start-and-exit.test.mjs

npm run --silent build:packages -- --only linux-x64-gnu
for package in linux-x64-gnu main; do
  npm publish --dry-run --loglevel=warn "./target/packages/$package"
done

# The packed packages in an empty folder.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
scope=$folder/node_modules/@llm-devops
for package in linux-x64-gnu main; do
  case $package in main) name=prometheus-metrics ;; *) name=prometheus-metrics-$package ;; esac
  mkdir -p "$scope/$name"
  # npm prints the name of the file last.
  packed=$(npm pack --silent --pack-destination "$folder" "./target/packages/$package" | tail -n 1)
  tar -xzf "$folder/$packed" -C "$scope/$name" --strip-components=1
  for file in LICENSE README.md; do
    [ -s "$scope/$name/$file" ] || { echo "release-try: $name lacks $file" >&2; exit 1; }
  done
done
notices=$scope/prometheus-metrics-linux-x64-gnu/THIRD-PARTY-NOTICES
[ -s "$notices" ] || { echo 'release-try: the platform package lacks THIRD-PARTY-NOTICES' >&2; exit 1; }
cd "$folder"
node -e "
  const { Counter, register } = require('@llm-devops/prometheus-metrics');
  new Counter({ name: 'released_total', help: 'h' }).inc();
  register.metrics().then((text) => require('node:assert').match(text, /^released_total 1\$/m));
"
echo 'release-try: the packed packages record and show'
