#!/usr/bin/env bash
# What happens to `throw new Error("…")` in a component that componentize-js makes, where the WIT says `result<_, string>`.
#
# Versions: @bytecodealliance/componentize-js 0.22.0 with @bytecodealliance/jco 1.35.0 and preview2-shim 0.26.0 on Node 26.10.0; for
# comparison componentize-qjs 0.4.5. Needs npm.
#
# Behaviour: with componentize-js the function does not return its error. The component traps, since an object is not a string, and the
# message is lost. `throw "…"`, a string, becomes the error. With componentize-qjs the same source returns the message of the
# Error as the error.
#
# Why a good guess misses: both are official tools for the same WIT, jco's documentation says that the error of a result is thrown, and
# linters ask for Error objects to be thrown (`only-throw-error`). The author sees a trap and none of the text.
#
# Output seen:
#   componentize-js, a string: the error "no"
#   componentize-js, an Error: a trap
#   componentize-qjs, a string: the error "no"
#   componentize-qjs, an Error: the error "no"
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
packages=(node@26.10.0 @bytecodealliance/componentize-js@0.22.0 componentize-qjs@0.4.5 @bytecodealliance/jco@1.35.0 @bytecodealliance/preview2-shim@0.26.0)
npm install --silent --no-audit --no-fund --save-exact --allow-scripts=node "${packages[@]}" >/dev/null 2>&1 ||
  npm install --silent --no-audit --no-fund --save-exact "${packages[@]}"

mkdir wit
cat >wit/world.wit <<'WIT'
package test:errors@1.0.0;

world plugin {
  export check: func(how: string) -> result<_, string>;
}
WIT
cat >plugin.js <<'JS'
export function check(how) {
  if (how === "an Error") throw new Error("no");
  throw "no";
}
JS
cat >try.mjs <<'JS'
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { componentize as componentizeByStarlingMonkey } from "@bytecodealliance/componentize-js";
import { componentize as componentizeByQuickJs } from "componentize-qjs";
import { transpile } from "@bytecodealliance/jco";

const source = await readFile("plugin.js", "utf8");
const tools = {
  "componentize-js": async () =>
    (await componentizeByStarlingMonkey(source, { witPath: "wit", worldName: "plugin", disableFeatures: ["http", "fetch-event"] })).component,
  "componentize-qjs": async () =>
    (await componentizeByQuickJs({ jsSource: source, witPath: "wit", world: "plugin", sync: true, stubWasi: true })).component,
};

for (const [tool, componentize] of Object.entries(tools)) {
  const { files } = await transpile(await componentize(), { name: tool });
  for (const [name, bytes] of Object.entries(files)) {
    const path = join("out", tool, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
  for (const how of ["a string", "an Error"]) {
    const { check } = await import(`${pathToFileURL(join("out", tool, `${tool}.js`))}?${encodeURIComponent(how)}`);
    try {
      check(how);
      console.log(`${tool}, ${how}: no error`);
    } catch (error) {
      console.log(`${tool}, ${how}: ${typeof error.payload === "string" ? `the error ${JSON.stringify(error.payload)}` : "a trap"}`);
    }
  }
}
JS
npm pkg set type=module >/dev/null
node_modules/.bin/node try.mjs 2>errors | tee seen || { cat errors; exit 1; }
diff - seen <<'TXT'
componentize-js, a string: the error "no"
componentize-js, an Error: a trap
componentize-qjs, a string: the error "no"
componentize-qjs, an Error: the error "no"
TXT
