#!/usr/bin/env bash
# `docker compose` for a machine that has Docker without it and reaches no download page: built from the Go module
# proxy, which takes about ten minutes of two cores once; the binary stays in the project's cache.
# Does nothing where `docker compose` works.
set -euo pipefail

VERSION=v2.40.3
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/network-host
BINARY=$CACHE/bin/docker-compose
PLUGINS=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins

works() { docker compose version --short >/dev/null 2>&1; }

link_plugin() {
  mkdir -p "$PLUGINS"
  ln -sf "$BINARY" "$PLUGINS/docker-compose"
}

if works; then
  echo "docker compose $(docker compose version --short): already there"
  exit 0
fi

mkdir -p "$CACHE/bin"
exec 9>"$CACHE/compose.lock"
flock -w 1800 9

if ! { [ -x "$BINARY" ] && "$BINARY" version --short 2>/dev/null | grep -qF "${VERSION#v}"; }; then
  command -v go >/dev/null || {
    echo "docker compose is missing, and so is Go to build it: install the compose plugin, or Go 1.24 or later." >&2
    exit 1
  }
  scratch=$(mktemp -d "$CACHE/compose.XXXXXX")
  trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
  # Not `go install`: the module's exclude directives forbid it.
  source=$(go mod download -json "github.com/docker/compose/v2@$VERSION" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  cp -r "$source" "$scratch/source"
  chmod -R u+w "$scratch/source"
  (cd "$scratch/source" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false go build -trimpath \
    -ldflags="-s -w -X github.com/docker/compose/v2/internal.Version=$VERSION" -o "$scratch/docker-compose" ./cmd)
  mv "$scratch/docker-compose" "$BINARY"
fi

link_plugin
works || { echo "docker compose was built but does not work: is the docker command there?" >&2; exit 1; }
echo "docker compose $(docker compose version --short)"
