#!/bin/sh
# Runs the judges: independent programs read the expositions of this library. Installs the judges that are missing, and
# fails if one cannot be installed; it never skips one. The library must be built.
#
# Arguments go to AVA, e.g. `.ci/judges.sh __test__/judges/promtool.test.mjs`.
set -eu
cd "$(dirname "$0")/.."

if ! [ -f dist/entry/index.js ]; then
  echo 'judges: dist/entry/index.js is missing; run `npm test` or `npm run build` first' >&2
  exit 1
fi

# Debian's names. python3-venv brings pip for the environment below.
missing=''
command -v ss >/dev/null || missing="$missing iproute2"
command -v prometheus >/dev/null && command -v promtool >/dev/null || missing="$missing prometheus"
command -v victoria-metrics >/dev/null || missing="$missing victoria-metrics"
command -v prometheus-pushgateway >/dev/null || missing="$missing prometheus-pushgateway"
command -v openssl >/dev/null || missing="$missing openssl"
# Go's own installation is not always on the path.
PATH="$PATH:/usr/local/go/bin"
command -v go >/dev/null || missing="$missing golang-go ca-certificates"
python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3 python3-venv"
if [ -n "$missing" ]; then
  echo "judges: installing$missing"
  as_root=''
  [ "$(id -u)" -eq 0 ] || as_root='sudo'
  $as_root apt-get update
  # shellcheck disable=SC2086 # a list of package names
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
fi

# The parsers and the schemas of Kubernetes get their own environment, so that the machine's Python is not changed.
venv=target/judges-venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r __test__/judges/requirements.txt

# Grafana's own types of dashboards. The library does not depend on them.
npm ci --prefix __test__/judges/grafana --no-audit --no-fund --loglevel=error

# The process manager whose cluster mode and reloads a test uses.
npm ci --prefix __test__/judges/pm2 --no-audit --no-fund --loglevel=error

# The Go library with which Prometheus and Grafana's agent read expositions. The installed toolchain is used.
(cd __test__/judges/expfmt && GOTOOLCHAIN=local go build -mod=readonly -o ../../../target/judges-expfmt .)

# The parsers of Prometheus' server. They need Go 1.26, which an older toolchain from 1.21 on fetches.
(cd __test__/judges/textparse && go build -mod=readonly -o ../../../target/judges-textparse .)

# Go's library for programs, whose native histograms are the reference. Only a test can have a clock of its own.
(cd __test__/judges/native && go test -c -mod=readonly -o ../../../target/judges-native .)

# The newest Prometheus, and an OpenTelemetry collector. The first build takes minutes; Go keeps what it has compiled.
servers=target/judges-servers
began=$(date +%s)
(
  cd __test__/judges/servers
  # Version 3.16.0 is v0.316.0 of the module.
  version=$(go list -m -f '{{.Version}}' github.com/prometheus/prometheus | sed -E 's/^v0\.(.)0?/\1./')
  mkdir -p "../../../$servers"
  go build -mod=readonly -tags remove_all_sd,netgo -o "../../../$servers/" \
    -ldflags "-s -w -X github.com/prometheus/common/version.Version=$version" \
    github.com/prometheus/prometheus/cmd/prometheus ./collector
)
echo "judges: built Prometheus and the collector in $(($(date +%s) - began)) s"

# Prometheus 3 and VictoriaMetrics, as Debian's newest release has them: one version of each, which changes with time. The
# packages are unpacked, not installed.
new=target/judges-debian
apt_new() {
  (cd "$new" && apt-get -o Dir::Etc::sourcelist="$PWD/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists="$PWD/lists" -o Dir::Cache="$PWD" -o APT::Sandbox::User=root -qq "$@")
}
unpack_new() {
  mkdir -p "$new/lists/partial" "$new/archives/partial" || return
  echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main' >"$new/sources.list"
  apt_new update && apt_new download "$@" || return
  for program; do
    dpkg --fsys-tarfile "$new/$program"_*.deb | tar -x -C "$new" "./usr/bin/$program" || return
    dpkg-deb -f "$new/$program"_*.deb Version >"$new/$program.version" || return
    rm "$new/$program"_*.deb
  done
}
if ! [ -f "$new/prometheus.version" ] || ! [ -f "$new/victoria-metrics.version" ]; then
  rm -rf "$new"
  unpack_new prometheus victoria-metrics || {
    echo 'judges: Prometheus and VictoriaMetrics of Debian'\''s newest release could not be downloaded or unpacked' >&2
    exit 1
  }
fi

echo 'judges:'
"$servers/prometheus" --version 2>&1 | head -n 1
"$new/usr/bin/prometheus" --version 2>&1 | head -n 1
prometheus --version 2>&1 | head -n 1
promtool --version 2>&1 | head -n 1
# Debian's build prints no version.
command -v victoria-metrics
dpkg-query -W -f '${Package} ${Version}\n' victoria-metrics 2>/dev/null || true
echo "victoria-metrics $(cat "$new/victoria-metrics.version")"
"$venv/bin/python" --version
"$venv/bin/python" -m pip freeze --disable-pip-version-check
npm ls --prefix __test__/judges/grafana --depth=0
npm ls --prefix __test__/judges/pm2 --depth=0
go version -m target/judges-expfmt target/judges-native target/judges-textparse "$servers/collector" |
  awk '$1 == "dep" && $2 ~ /prometheus|otelcol$/ { print $2, $3 }'
prometheus-pushgateway --version 2>&1 | head -n 1
openssl version

# The judges of the Rust crate's expositions run unless the arguments choose among the JavaScript tests.
[ $# -gt 0 ] || cargo test --quiet --package prometheus-metrics --features judges --test format_compatibility

exec npx --no-install ava --config __test__/judges/ava.config.mjs --verbose "$@"
