#!/usr/bin/env bash
# A Docker engine on a Debian machine that has none: installs docker.io where dockerd is missing and starts it by
# hand, without a service manager. Does nothing when an engine already answers. Needs root.
#
# Published ports are bound to loopback, and the storage driver falls back to what the kernel can do.
set -euo pipefail

STATE=${XDG_CACHE_HOME:-$HOME/.cache}/network-host
export DOCKER_HOST=${DOCKER_HOST:-unix:///var/run/docker.sock}

answers() { timeout 10 docker version >/dev/null 2>&1; }

if command -v docker >/dev/null && answers; then
  echo "Docker engine: already running"
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "No Docker engine answers at $DOCKER_HOST, and only root may install and start one: start Docker, then try again." >&2
  exit 1
fi

mkdir -p "$STATE/run" "$STATE/docker"
exec 9>"$STATE/run/docker-engine.lock"
flock -w 300 9
if command -v docker >/dev/null && answers; then
  echo "Docker engine: already running"
  exit 0
fi

if ! command -v dockerd >/dev/null; then
  apt-get -o DPkg::Lock::Timeout=300 update -qq
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends \
    docker.io iptables >/dev/null
fi

for driver in overlay2 fuse-overlayfs vfs; do
  # 9>&- : the daemon must not inherit the lock.
  setsid dockerd --host "$DOCKER_HOST" --data-root "$STATE/docker" --pidfile "$STATE/run/dockerd.pid" --ip 127.0.0.1 \
    --storage-driver "$driver" >"$STATE/run/dockerd.log" 2>&1 </dev/null 9>&- &
  daemon=$!
  deadline=$((SECONDS + 60))
  while kill -0 "$daemon" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do
    if answers; then
      docker info --format 'Docker engine: {{.ServerVersion}}, storage driver {{.Driver}}'
      exit 0
    fi
    sleep 0.2
  done
  kill "$daemon" 2>/dev/null || true
  wait "$daemon" 2>/dev/null || true
done

echo "The Docker engine did not start; the end of its log:" >&2
tail -20 "$STATE/run/dockerd.log" >&2
exit 1
