/**
 * Chooses the engine for an artifact, and loads it.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  ARTIFACT_FORMAT,
  type ArtifactManifest,
  chosenEngine,
  type EngineChoice,
  MANIFEST_FILE,
} from "../contract/artifact.ts";
import { HostError } from "../errors/host-error.ts";
import { loadJcoEngine } from "./engine-jco.ts";
import type { Engine } from "./engine.ts";
import { LinkerEngine, type LinkerOptions } from "./linker/linker-engine.ts";
import { parsePlan } from "./linker/parse-plan.ts";
import { sealRealm } from "./realm.ts";
import { StopFlags } from "./stopping/stop-flags.ts";

/**
 * Loads an artifact's engine. Seals the realm: this process loads nothing more afterwards. Throws `load-failed`, also where
 * `choice` demands the linker and the component has no plan.
 */
export async function loadEngine(
  artifactDir: string,
  choice: EngineChoice,
  options: LinkerOptions = {},
): Promise<Engine> {
  const manifest = await readManifest(artifactDir);
  const { link } = manifest;
  if (chosenEngine(choice, link) === "jco") return await loadJcoEngine(artifactDir, manifest);
  if (link.kind === "planned") return await loadLinkerEngine(artifactDir, link.plan, options);
  throw new HostError("load-failed", `the linker engine cannot run this component: ${link.reason}`);
}

/**
 * Loads a link plan and its core modules, and starts the thread that stops guests. This makes no JavaScript from a plugin's
 * bytes.
 */
async function loadLinkerEngine(artifactDir: string, planFile: string, options: LinkerOptions): Promise<Engine> {
  const flags = new StopFlags();
  flags.start();
  const plan = parsePlan(await readFile(join(artifactDir, planFile), "utf8"));
  const modules: WebAssembly.Module[] = [];
  for (const { file } of plan.modules) modules.push(await WebAssembly.compile(await readFile(join(artifactDir, file))));
  sealRealm();
  return new LinkerEngine(plan, modules, flags, options);
}

async function readManifest(artifactDir: string): Promise<ArtifactManifest> {
  const manifest = JSON.parse(await readFile(join(artifactDir, MANIFEST_FILE), "utf8")) as ArtifactManifest;
  if (manifest.format !== ARTIFACT_FORMAT) throw new HostError("load-failed", "the artifact has another format");
  return manifest;
}
