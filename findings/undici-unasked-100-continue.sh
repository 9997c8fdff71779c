#!/usr/bin/env bash
# What undici does with an informational response 100 that nobody asked for.
#
# Versions: undici 8.12.4 on Node 22 or later (here the npm package node 26.10.0). Needs npm.
#
# Behaviour: a `100 Continue` before the final response ends the connection with UND_ERR_SOCKET, "bad response", and the
# request fails although a valid 200 follows. The informational responses 102 and 103 in the same place are skipped, and the
# 200 arrives. Nothing of the client's options changes that.
#
# Why a good guess misses: by RFC 9110, section 15.2, a client must be able to parse one or more 1xx responses before the final
# one, even if it does not expect one, and may ignore them. All 1xx look alike; one of them is treated as an error.
#
# Output seen:
#   100: UND_ERR_SOCKET bad response
#   102: 200 hello
#   103: 200 hello
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --save-exact --allow-scripts=node node@26.10.0 undici@8.12.4 >/dev/null 2>&1 ||
  npm install --silent --no-audit --no-fund --save-exact node@26.10.0 undici@8.12.4

cat >try.mjs <<'JS'
import { once } from "node:events";
import { createServer } from "node:net";
import { Agent, request } from "undici";

const INFORMATIONAL = { 100: "Continue", 102: "Processing", 103: "Early Hints" };

for (const [status, text] of Object.entries(INFORMATIONAL)) {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () =>
      socket.write(`HTTP/1.1 ${status} ${text}\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello`),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const agent = new Agent();
  try {
    const response = await request(`http://127.0.0.1:${server.address().port}/`, { dispatcher: agent });
    console.log(`${status}: ${response.statusCode} ${await response.body.text()}`);
  } catch (error) {
    console.log(`${status}: ${error.code} ${error.message}`);
  }
  await agent.destroy();
  server.close();
}
JS

node_modules/.bin/node try.mjs | tee seen
diff - seen <<'TXT'
100: UND_ERR_SOCKET bad response
102: 200 hello
103: 200 hello
TXT
