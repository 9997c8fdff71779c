/**
 * The engine that executes a link plan: loads an artifact's plan and core modules. No JavaScript is made from a plugin's
 * bytes.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "./engine.ts";
import { LinkerEngine } from "./linker/linker-engine.ts";
import { parsePlan } from "./linker/parse-plan.ts";
import type { InstanceAudit } from "./linker/instance-audit.ts";
import { sealRealm } from "./realm.ts";

/**
 * Compiles an artifact's core modules. Seals the realm on the way: afterwards this process loads nothing more. An
 * `audit` is told of every instance that is made and put back.
 */
export async function loadLinkerEngine(artifactDir: string, planFile: string, audit?: InstanceAudit): Promise<Engine> {
  const plan = parsePlan(await readFile(join(artifactDir, planFile), "utf8"));
  const modules: WebAssembly.Module[] = [];
  for (const { file } of plan.modules) modules.push(await WebAssembly.compile(await readFile(join(artifactDir, file))));
  sealRealm();
  return new LinkerEngine(plan, modules, audit);
}
