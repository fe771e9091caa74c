# shellcheck shell=sh
# Functions of the scripts that try the built package. They source this file in the folder of the project.

# Fails if the library is not built. `need_build packages 'npm run build'`
need_build() {
  [ -f dist/entry/index.js ] || { echo "$1: dist/entry/index.js is missing; run $2 first" >&2; exit 1; }
}

# Installs a folder's packages, unless it was done for this very lock file. `install_once folder npm ci`
install_once() {
  lock=$(cksum < "$1/package-lock.json")
  [ "$(cat "$1/node_modules/.prepared" 2>/dev/null)" != "$lock" ] || return 0
  (cd "$1" && shift && "$@" --no-audit --no-fund --loglevel=error)
  echo "$lock" > "$1/node_modules/.prepared"
}

# Installs the tools that pack and publish. Not `npm ci`: it rejects the lock, because pnpm names optional packages of
# platforms that are not published.
install_packing_tools() {
  install_once __test__/packages npm install --no-save
}
