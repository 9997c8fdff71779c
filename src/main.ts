#!/usr/bin/env node
/**
 * The executable. An older Node than the program needs does not get past this file: it goes on under the one that the
 * package brings. So nothing here or in `main-node.ts` is younger than Node 20, and nothing else is imported before the
 * version is known.
 *
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";
import { isNodeRecent, runUnderBroughtNode } from "./main-node.ts";

// Node opens its inspector at this signal, through which whoever is on this machine may run code in the process.
process.on("SIGUSR1", () => undefined);

if (isNodeRecent()) await import("./cli/executable.ts");
else await runUnderBroughtNode(fileURLToPath(import.meta.url));
