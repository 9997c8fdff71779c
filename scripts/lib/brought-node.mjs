/**
 * Where the Node is that this project pins: an optional dependency for each platform, as `src/main-node.ts` finds it.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

const kind = process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";

export const NODE_26 = fileURLToPath(
  new URL(`../../node_modules/${kind}-${process.platform}-${process.arch}/bin/node`, import.meta.url),
);
