/**
 * Extism's JavaScript SDK, `peers/extism`: a pool of plugins that keep their state, or a new plugin for every request.
 * It cannot run components, so it has a plugin of its own that does the same work.
 *
 * @module
 */

import { access } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError, run } from "../../scripts/lib/command.ts";
import { assembled, type ComponentName } from "../jobs/components.ts";
import type { Job } from "../jobs/jobs.ts";
import { type Contender, type Preparation, READY } from "./contender.ts";
import { needsOnePlugin, responderSubject, startResponder, storeAddress } from "./responder.ts";

export const EXTISM_NAME = "extism";

const FOLDER = fileURLToPath(new URL("../peers/extism/", import.meta.url));
const INSTALL_TIMEOUT_MS = 180_000;

/** @param mode is one of the responder's */
export function extismContender(name: string, mode: "pooled" | "fresh"): Contender {
  return {
    name,
    refuses: (job) => needsOnePlugin(job) ?? needsOwnPlugin(job),
    prepare: install,
    async start(job, surroundings) {
      const { natsUrl, store } = surroundings;
      const plugin = await assembled(join(FOLDER, "plugin.wat"));
      const options = [mode, job.work, responderSubject(name, job), natsUrl, store.kind];
      const args = [join(FOLDER, "responder.ts"), ...options, storeAddress(name, job, store), plugin];
      return await startResponder({ name, command: process.execPath, args }, job, surroundings);
    },
  };
}

/** Components whose work its own plugin does, in a language like theirs. */
const REPLACED: ReadonlySet<ComponentName> = new Set(["echo", "key-value", "compute"]);

function needsOwnPlugin({ components }: Job): string | undefined {
  return components.every((name) => REPLACED.has(name)) ? undefined : "it has no plugin of its own for this job";
}

async function install(report: (line: string) => void): Promise<Preparation> {
  const isInstalled = await access(join(FOLDER, "node_modules/@extism/extism/package.json")).then(
    () => true,
    () => false,
  );
  if (isInstalled) return READY;
  report("installing Extism's SDK …");
  try {
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
      timeoutMs: INSTALL_TIMEOUT_MS,
      cwd: FOLDER,
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { kind: "impossible", reason: error.message };
  }
  return READY;
}
