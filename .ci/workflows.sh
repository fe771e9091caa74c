#!/usr/bin/env bash
# Checks the workflows of .github with actionlint, and the shell scripts in them and in .ci with shellcheck. Installs both
# where they are missing: actionlint with Go into target/, shellcheck from Debian.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v1.7.12
tools="$PWD/target/tools"
# Go's own installation is not always on the path.
PATH="$PATH:/usr/local/go/bin"

missing=''
command -v go >/dev/null || missing+=' golang-go ca-certificates'
command -v shellcheck >/dev/null || missing+=' shellcheck'
if [ -n "$missing" ]; then
  echo "workflows: installing$missing"
  as_root=''
  [ "$(id -u)" -eq 0 ] || as_root='sudo'
  $as_root apt-get update -qq
  # shellcheck disable=SC2086 # a list of package names
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
fi

actionlint="$tools/actionlint-$version"
if ! [ -x "$actionlint" ]; then
  GOBIN="$tools" go install "github.com/rhysd/actionlint/cmd/actionlint@$version"
  mv "$tools/actionlint" "$actionlint"
fi

"$actionlint"
# By their first line: some scripts have no extension. SC2016: messages quote commands in backticks.
grep --directories=skip -lE '^#!.*\b(ba)?sh$' .ci/* | xargs shellcheck -x --exclude=SC2016
echo "workflows: actionlint $version and $(shellcheck --version | sed -n 's/^version: /shellcheck /p') found nothing"
