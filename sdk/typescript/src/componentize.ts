/**
 * A bundle and its world → a component, by the engine's own tool.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { _setPreopens } from "@bytecodealliance/preview2-shim/filesystem";
import { componentize as onQuickJs } from "componentize-qjs";
import type { Engine } from "./engine.ts";
import { BUNDLE_FILE } from "./source-places.ts";
import { WORLD } from "./world.ts";

/** What a component is made of. */
export interface Parts {
  readonly code: string;
  /** The folder of its world. */
  readonly wit: string;
  /** A folder to write to. */
  readonly work: string;
  readonly usesFetch: boolean;
}

/** Rejects with the engine's own words. */
export async function componentize(engine: Engine, parts: Parts): Promise<Uint8Array> {
  return engine === "quickjs" ? quickJs(parts) : starlingMonkey(parts);
}

async function quickJs({ code, wit }: Parts): Promise<Uint8Array> {
  const { component } = await onQuickJs({ witPath: wit, world: WORLD, jsSource: code, sync: true, optSize: true });
  return component;
}

async function starlingMonkey({ code, wit, work, usesFetch }: Parts): Promise<Uint8Array> {
  // The tool reads WIT files through WASI, and the shim gives it no folders unless told to. (The shim's types describe
  // its browser build.)
  (_setPreopens as unknown as (preopens: Readonly<Record<string, string>>) => void)({ "/": "/" });
  const { componentize: onStarlingMonkey } = await import("@bytecodealliance/componentize-js");
  const sourcePath = join(work, BUNDLE_FILE);
  await writeFile(sourcePath, code);
  const { component } = await onStarlingMonkey({
    sourcePath,
    witPath: wit,
    worldName: WORLD,
    disableFeatures: usesFetch ? ["fetch-event"] : ["fetch-event", "http"],
  });
  return component;
}
