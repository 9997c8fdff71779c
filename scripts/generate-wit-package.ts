/**
 * Encodes the contract as a WIT package, `schemas/network-host.wasm`: what `network-host push --wit` puts into registries. It needs
 * `wasm-tools`, which PyPI has, so `npm run generate` leaves it out; the contract is frozen, and so is this file.
 *
 * `node scripts/generate-wit-package.ts` writes it; with `--check` it fails if it differs from what is there.
 *
 * @module
 */

import { readFile, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./lib/command.ts";
import { ROOT } from "./lib/project.ts";
import { obtainWasmTools } from "./toolchains/python-tool.ts";

const OUTPUT = join(ROOT, "schemas/network-host.wasm");
const ENCODE_TIMEOUT_MS = 60_000;

const made = join(tmpdir(), `network-host-${process.pid}.wasm`);
const wasmTools = await obtainWasmTools();
await run(wasmTools, ["component", "wit", join(ROOT, "wit"), "--wasm", "-o", made], { timeoutMs: ENCODE_TIMEOUT_MS });
if (!process.argv.includes("--check")) await rename(made, OUTPUT);
else if (!(await readFile(made)).equals(await readFile(OUTPUT))) {
  console.error(`${OUTPUT} is not what wit/ says: run node scripts/generate-wit-package.ts`);
  process.exitCode = 1;
}
