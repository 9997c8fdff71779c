/**
 * A run that measures the runner's engines alone: the component is compiled, then each engine has a process of its own.
 *
 * @module
 */

import { access, glob } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../../scripts/lib/command.ts";
import { MANIFEST_FILE } from "../../src/contract/artifact.ts";
import { BenchError } from "../bench-error.ts";
import { hostPathOf } from "../setup/open-run.ts";
import { openFolder, report } from "../setup/results.ts";
import type { EngineCostPlan } from "./command.ts";

const PROCESS = fileURLToPath(new URL("engine-process.ts", import.meta.url));
const COMPILE_TIMEOUT_MS = 180_000;
const ENGINE_TIMEOUT_MS = 10 * 60_000;

/** Measures one engine after the other; their output goes to stdout. */
export async function runEngineCost(
  { component, method, engines }: EngineCostPlan,
  signal: AbortSignal,
): Promise<void> {
  const path = resolve(component);
  await access(path).catch((error: unknown) => {
    throw new BenchError(`There is no component ${path}.`, { cause: error });
  });
  const mainPath = await hostPathOf({ hostPath: undefined });
  await using owned = new AsyncDisposableStack();
  const artifact = await compile(path, mainPath, await openFolder(owned));
  for (const engine of engines) {
    signal.throwIfAborted();
    report(`measuring ${engine} …`);
    const args = [...process.execArgv, PROCESS, artifact, method, engine];
    await run(process.execPath, args, { timeoutMs: ENGINE_TIMEOUT_MS, output: "inherit" });
  }
}

/** @returns the folder of the compiled component. */
async function compile(component: string, mainPath: string, cache: string): Promise<string> {
  report(`compiling ${component} …`);
  await run(process.execPath, [mainPath, "compile", component, "--cache", cache], { timeoutMs: COMPILE_TIMEOUT_MS });
  const [manifest] = await Array.fromAsync(glob(`**/${MANIFEST_FILE}`, { cwd: cache }));
  if (manifest === undefined) throw new BenchError(`${component} was compiled, but ${cache} has no artifact.`);
  return join(cache, dirname(manifest));
}
