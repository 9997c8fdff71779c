/**
 * npm's script `dependencies`, after each `npm ci` and `npm install` of this project, and of no other: `node_modules/.bin/node` is
 * the pinned Node.
 *
 * npm 10 links the program of the platform's package, and then takes the link away with the packages of the other platforms, whose
 * program has the same name.
 *
 * @module
 */

import { existsSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { NODE_26 } from "./lib/brought-node.mjs";

const programs = fileURLToPath(new URL("../node_modules/.bin", import.meta.url));
const link = join(programs, "node");
// Neither is there where dependencies are left out.
if (existsSync(NODE_26) && existsSync(dirname(link)) && !existsSync(link))
  symlinkSync(relative(programs, NODE_26), link);
