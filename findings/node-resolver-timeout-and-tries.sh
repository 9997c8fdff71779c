#!/usr/bin/env bash
# How long Node's `dns.Resolver` takes to give up where no name server answers.
#
# Versions: Node 26.10.0 (the npm package node 26.10.0). Needs npm. The name servers are UDP sockets on the loopback that read and never answer.
#
# Behaviour: with `{ timeout: 1500, tries: 2 }` one silent server is given up after about 4 s and two after about 10 s. `timeout`
# is the first wait only: the second round's is longer, and every round asks each server in turn, so the whole time grows with the
# number of servers as well.
#
# Why a good guess misses: the documentation calls `timeout` the "query timeout in milliseconds" and `tries` the number of tries
# "the resolver will try contacting each name server before giving up", which reads as timeout x tries = 3 s, or 6 s for two servers. A
# caller with a bound of its own, 5 s to connect say, sees its own time-out and never ETIMEOUT from DNS on a machine with two servers.
#
# Output seen (seconds, rounded down):
#   1 silent server: ETIMEOUT, more than 3.5 s: true, less than 5.5 s: true
#   2 silent servers: ETIMEOUT, more than 8 s: true
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --save-exact --allow-scripts=node node@26.10.0 >/dev/null 2>&1 ||
  npm install --silent --no-audit --no-fund --save-exact node@26.10.0

cat >try.mjs <<'JS'
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";

for (const count of [1, 2]) {
  const sockets = [];
  for (let n = 0; n < count; n += 1) {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    sockets.push(socket);
  }
  const resolver = new Resolver({ timeout: 1500, tries: 2 });
  resolver.setServers(sockets.map((socket) => `127.0.0.1:${socket.address().port}`));
  const began = performance.now();
  const code = await resolver.resolve4("silent.example").then(
    () => "an answer",
    (error) => error.code,
  );
  const seconds = (performance.now() - began) / 1000;
  console.error(`${count}: ${seconds.toFixed(1)} s`);
  console.log(
    count === 1
      ? `1 silent server: ${code}, more than 3.5 s: ${seconds > 3.5}, less than 5.5 s: ${seconds < 5.5}`
      : `2 silent servers: ${code}, more than 8 s: ${seconds > 8}`,
  );
  for (const socket of sockets) socket.close();
}
JS

node_modules/.bin/node try.mjs | tee seen
diff - seen <<'TXT'
1 silent server: ETIMEOUT, more than 3.5 s: true, less than 5.5 s: true
2 silent servers: ETIMEOUT, more than 8 s: true
TXT
