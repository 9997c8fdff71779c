#!/usr/bin/env bash
# What a server in Node is told of connections that it cannot accept for lack of descriptors.
#
# Versions: Node 26.10.0 (the npm package node 26.10.0), on Linux. Needs npm and bash's ulimit.
#
# Behaviour: with three free descriptors and twenty clients, `net.Server` emits `connection` three times. The other seventeen
# connections are accepted and closed at once, and nothing is emitted for them: no `error`, and no `drop`, which tells of those beyond
# `maxConnections`. Each of these clients sees a connection that was made and then ended in order.
#
# Why a good guess misses: accept(2) fails with EMFILE, so one expects an `error` event with that code, or clients that wait in the
# backlog until descriptors are free. A server that counts connections by its events counts none of these, and a client cannot
# tell that server from one that has nothing to say.
#
# Output seen:
#   the server's events: connection 3, drop 0, error 0
#   the clients: 3 were greeted, 17 were closed in order without a word, 0 had an error
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --save-exact --allow-scripts=node node@26.10.0 >/dev/null 2>&1 ||
  npm install --silent --no-audit --no-fund --save-exact node@26.10.0

cat >clients.mjs <<'JS'
import { connect } from "node:net";

const port = Number(process.argv[2]);
const clients = Array.from({ length: 20 }, async () => {
  const socket = connect(port, "127.0.0.1");
  let fate = "silent";
  socket.on("data", () => (fate = "greeted"));
  socket.on("error", () => (fate = "failed"));
  await new Promise((resolve) => socket.once("close", resolve));
  return fate;
});
process.send(await Promise.all(clients));
process.disconnect();
JS

cat >server.mjs <<'JS'
import { fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const counts = { connection: 0, drop: 0, error: 0 };
const sockets = [];
const server = createServer((socket) => {
  counts.connection += 1;
  sockets.push(socket);
  socket.write("hello");
});
server.on("drop", () => (counts.drop += 1));
server.on("error", () => (counts.error += 1));
server.listen(0, "127.0.0.1");
await once(server, "listening");

// The clients have a process, and so descriptors, of their own.
const clients = fork("clients.mjs", [String(server.address().port)], { silent: true });
const answer = once(clients, "message");
await once(clients, "spawn");
const held = [];
try {
  for (;;) held.push(openSync("/dev/null"));
} catch {}
for (let freed = 0; freed < 3; freed += 1) closeSync(held.pop());
// A process starts in less. Until it is over, nothing is freed.
await delay(2_000);
for (const socket of sockets) socket.end();
const [fates] = await answer;
for (const descriptor of held) closeSync(descriptor);
server.close();

const of = (fate) => fates.filter((one) => one === fate).length;
console.log(`the server's events: connection ${counts.connection}, drop ${counts.drop}, error ${counts.error}`);
console.log(
  `the clients: ${of("greeted")} were greeted, ${of("silent")} were closed in order without a word, ${of("failed")} had an error`,
);
JS

(ulimit -n 128 && node_modules/.bin/node server.mjs) | tee seen
diff - seen <<'TXT'
the server's events: connection 3, drop 0, error 0
the clients: 3 were greeted, 17 were closed in order without a word, 0 had an error
TXT
