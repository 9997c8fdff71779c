#!/usr/bin/env bash
# What is left of a child process that Node could not start for lack of descriptors.
#
# Versions: Node 26.10.0 (the npm package node 26.10.0), on Linux. Needs npm and bash's ulimit.
#
# Behaviour: `spawn` with four pipes needs ten free descriptors. With seven or fewer it reports EMFILE and leaves nothing behind. With
# eight or nine the pipes can still be opened, what comes after them cannot: it reports EMFILE as well, and the four descriptors on
# the parent's side stay open until the process ends. `child.stdio` is then undefined, so that no code can close them.
#
# Why a good guess misses: the "error" event of a child without a pid says that there is no child, and the documentation names nothing
# to clean up. A server that tries again whenever it is out of descriptors loses some with every try, and does not recover when
# the shortage is over. Taking a dozen descriptors and giving them back before each start avoids it.
#
# Output seen:
#   7 left: EMFILE, stdio undefined: true, still open afterwards: 0
#   8 left: EMFILE, stdio undefined: true, still open afterwards: 4
#   9 left: EMFILE, stdio undefined: true, still open afterwards: 4
#   10 left: started, stdio undefined: false, still open afterwards: 0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --save-exact --allow-scripts=node node@26.10.0 >/dev/null 2>&1 ||
  npm install --silent --no-audit --no-fund --save-exact node@26.10.0

cat >try.mjs <<'JS'
import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const countOpen = () => readdirSync("/proc/self/fd").length;

async function start() {
  const child = spawn("/bin/true", [], { stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"] });
  const isBare = child.stdio === undefined;
  const outcome = await new Promise((resolve) => {
    child.once("error", ({ code }) => resolve(code));
    child.once("close", () => resolve("started"));
  });
  return `${outcome}, stdio undefined: ${isBare}`;
}

// What the first start keeps open is open before anything is counted.
await start();
for (const left of [7, 8, 9, 10]) {
  const before = countOpen();
  const held = [];
  try {
    for (;;) held.push(openSync("/dev/null"));
  } catch {}
  for (let freed = 0; freed < left; freed += 1) closeSync(held.pop());
  const outcome = await start();
  for (const descriptor of held) closeSync(descriptor);
  globalThis.gc();
  await delay(200);
  console.log(`${left} left: ${outcome}, still open afterwards: ${countOpen() - before}`);
}
JS

(ulimit -n 128 && node_modules/.bin/node --expose-gc try.mjs) | tee seen
diff - seen <<'TXT'
7 left: EMFILE, stdio undefined: true, still open afterwards: 0
8 left: EMFILE, stdio undefined: true, still open afterwards: 4
9 left: EMFILE, stdio undefined: true, still open afterwards: 4
10 left: started, stdio undefined: false, still open afterwards: 0
TXT
