#!/usr/bin/env bash
# Container images for machines that reach no image registry: made of binaries of this machine (with the libraries
# they need) and busybox, put together by `docker import`. Nothing is tagged with an official name.
#
#   nats:local           nats-server
#   local/mongo:6.0.5    mongod and mongosh: what @testcontainers/mongodb and docker-compose.yml ask for
#   node:local           Node 26, the base of this project's Dockerfile
#
# `scripts/servers/images.sh [nats|mongo|node]...` makes only those named; an image that is there and was made of the
# same ingredients is kept. Needs a Docker engine (docker-engine.sh), Node, npm and apt or dpkg.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/network-host
WORK=$CACHE/images
MONGOSH_VERSION=2.12.0
NODE=$(readlink -f "$ROOT/node_modules/.bin/node" || true)
LABEL=network-host.ingredients
MADE=()

[ -x "$NODE" ] || { echo "node_modules is missing: run 'npm ci' first." >&2; exit 1; }
mkdir -p "$WORK"
exec 9>"$WORK/lock"
flock -w 600 9
trap 'rm -rf "$WORK"/root.*' EXIT

# The static busybox gives the images a shell and the small tools that health checks use.
fetch_busybox() {
  [ -x "$WORK/busybox" ] && return
  if command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1; then
    install -m 755 "$(command -v busybox)" "$WORK/busybox"
    return
  fi
  local scratch
  scratch=$(mktemp -d "$WORK/root.XXXXXX")
  chmod 755 "$scratch" # apt's unprivileged downloader has to read it
  (cd "$scratch" && { apt-get download -qq busybox-static || { apt-get update -qq && apt-get download -qq busybox-static; }; } \
    >/dev/null 2>&1 && dpkg -x busybox-static_*.deb out)
  install -m 755 "$scratch"/out/bin/busybox "$WORK/busybox"
}

fetch_mongosh() {
  [ -d "$WORK/mongosh-$MONGOSH_VERSION/node_modules/mongosh" ] && return
  local scratch
  scratch=$(mktemp -d "$WORK/root.XXXXXX")
  echo '{"private":true}' >"$scratch/package.json"
  (cd "$scratch" && npm install --silent --no-audit --no-fund --omit=optional --ignore-scripts "mongosh@$MONGOSH_VERSION")
  mv "$scratch" "$WORK/mongosh-$MONGOSH_VERSION"
}

# new_root: prints an empty root file system with busybox in it.
new_root() {
  local root tool
  root=$(mktemp -d "$WORK/root.XXXXXX")
  chmod 755 "$root"
  mkdir -p "$root"/{bin,etc,proc,sys,dev,root,tmp,usr/bin,usr/local/bin,var/tmp}
  chmod 1777 "$root/tmp" "$root/var/tmp"
  install -m 755 "$WORK/busybox" "$root/bin/busybox"
  for tool in $("$WORK/busybox" --list); do
    [ "$tool" = busybox ] || ln -sf busybox "$root/bin/$tool"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnode:x:1000:\n' >"$root/etc/group"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
  if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    mkdir -p "$root/etc/ssl/certs"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  fi
  echo "$root"
}

# add_binary ROOT BINARY: the binary and the shared libraries it is linked to.
add_binary() {
  local library
  install -m 755 "$2" "$1/usr/local/bin/"
  # A static binary has no libraries: neither ldd nor grep then ends with 0.
  { ldd "$2" 2>/dev/null || true; } | { grep -oE '/[^ ]+\.so[^ ]*' || true; } | sort -u | while read -r library; do
    mkdir -p "$1$(dirname "$library")"
    cp -Ln "$library" "$1$library" || true
  done
}

# add_libc ROOT: all of the C library, for native modules that use parts of it that Node does not.
add_libc() {
  local folder
  folder=$(dirname "$(ldd "$NODE" | grep -oE '/[^ ]+/libc\.so\.6')")
  mkdir -p "$1$folder"
  cp -L "$folder"/lib{anl,c,dl,m,nss_dns,nss_files,pthread,resolv,rt,util}.so.[0-9] "$1$folder/"
}

# is_made TAG INGREDIENTS
is_made() {
  [ "$(docker image inspect --format "{{index .Config.Labels \"$LABEL\"}}" "$1" 2>/dev/null)" = "$2" ]
}

# import_root ROOT TAG INGREDIENTS [CHANGE]...
import_root() {
  local root=$1 tag=$2 changes=(-c "LABEL $LABEL=$3" -c 'ENV PATH=/usr/local/bin:/usr/bin:/bin') change
  shift 3
  for change in "$@"; do changes+=(-c "$change"); done
  tar -C "$root" --owner=0 --group=0 -c . | docker import "${changes[@]}" - "$tag" >/dev/null
  rm -rf "$root"
}

digest_of() { cat "$@" | sha256sum | cut -c1-16; }

make_nats() {
  local server ingredients root
  server=$("$NODE" "$HERE/obtain.ts" nats-server)
  ingredients=$(digest_of "$server" "$0")
  is_made nats:local "$ingredients" && return
  root=$(new_root)
  add_binary "$root" "$server"
  import_root "$root" nats:local "$ingredients" 'ENTRYPOINT ["nats-server"]' 'EXPOSE 4222 6222 8222'
}

make_mongo() {
  local server ingredients root
  server=$("$NODE" "$HERE/obtain.ts" mongod)
  ingredients=$MONGOSH_VERSION-$(digest_of "$server" "$NODE" "$0")
  is_made local/mongo:6.0.5 "$ingredients" && return
  fetch_mongosh
  root=$(new_root)
  mkdir -p "$root/data/db" "$root/opt"
  add_binary "$root" "$server"
  add_binary "$root" "$NODE"
  cp -r "$WORK/mongosh-$MONGOSH_VERSION" "$root/opt/mongosh"
  printf '#!/bin/sh\nexec node /opt/mongosh/node_modules/mongosh/bin/mongosh.js "$@"\n' >"$root/usr/local/bin/mongosh"
  # Like the official image: arguments that begin with a dash are mongod's.
  cat >"$root/usr/local/bin/entrypoint.sh" <<'ENTRYPOINT'
#!/bin/sh
set -eu
case "${1:-mongod}" in
  mongod) [ $# -gt 0 ] && shift ;;
  -*) ;;
  *) exec "$@" ;;
esac
exec mongod --bind_ip_all --dbpath /data/db "$@"
ENTRYPOINT
  chmod 755 "$root/usr/local/bin/mongosh" "$root/usr/local/bin/entrypoint.sh"
  import_root "$root" local/mongo:6.0.5 "$ingredients" \
    'ENTRYPOINT ["entrypoint.sh"]' 'EXPOSE 27017' 'VOLUME /data/db' 'ENV HOME=/root'
}

make_node() {
  local ingredients root
  ingredients=$(digest_of "$NODE" "$0")
  is_made node:local "$ingredients" && return
  root=$(new_root)
  add_binary "$root" "$NODE"
  add_libc "$root"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -rL "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  ln -s ../../bin/env "$root/usr/bin/env"
  import_root "$root" node:local "$ingredients" 'CMD ["node"]' 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt'
}

[ $# -gt 0 ] || set -- nats mongo node
fetch_busybox
for name in "$@"; do
  case $name in
    nats) make_nats; MADE+=(nats:local) ;;
    mongo) make_mongo; MADE+=(local/mongo:6.0.5) ;;
    node) make_node; MADE+=(node:local) ;;
    *) echo "images.sh: no image is called '$name'; there are nats, mongo and node." >&2; exit 2 ;;
  esac
done
for tag in "${MADE[@]}"; do
  docker image inspect --format "$tag {{.Size}} bytes" "$tag"
done
