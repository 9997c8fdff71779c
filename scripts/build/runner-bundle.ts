/**
 * The runner's program as one file: a plugin's first request waits for a process to start, and most of that time
 * was the reading of some seventy modules. Node loads one in a fifth of the time, and in less memory.
 *
 * @module
 */

import { join } from "node:path";
import { rolldown } from "rolldown";

/** Replaces the runner's entry in a build by a bundle of itself and all that it imports. */
export async function bundleRunner(dist: string): Promise<void> {
  const entry = join(dist, "runner/main.js");
  await using build = await rolldown({ input: entry, platform: "node" });
  await build.write({ file: entry, format: "esm", sourcemap: true });
}
