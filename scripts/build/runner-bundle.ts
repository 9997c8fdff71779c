/**
 * The runner's program as one file, and that of its stopper as another beside it, where the runner looks for it: a plugin's first request waits for a process to start, and most of that time
 * was the reading of some seventy modules. Node loads one in a fifth of the time, and in less memory.
 *
 * @module
 */

import { join } from "node:path";
import { rolldown } from "rolldown";

/** Replaces the runner's entry in a build by a bundle of itself and all that it imports, and adds the stopper's. */
export async function bundleRunner(dist: string): Promise<void> {
  const runner = join(dist, "runner");
  await bundle(join(runner, "main.js"), join(runner, "main.js"));
  // A bundle's modules are all where the bundle is.
  await bundle(join(runner, "stopping/stopper.js"), join(runner, "stopper.js"));
}

async function bundle(entry: string, file: string): Promise<void> {
  await using build = await rolldown({ input: entry, platform: "node" });
  await build.write({ file, format: "esm", sourcemap: true });
}
