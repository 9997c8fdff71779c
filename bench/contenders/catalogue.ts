/**
 * Every contender by its name.
 *
 * @module
 */

import type { EngineChoice } from "../../src/contract/artifact.ts";
import type { Contender } from "./contender.ts";
import { EXTISM_NAME, extismContender } from "./extism.ts";
import { goContender } from "./go.ts";
import { NODE_NAME, nodeContender } from "./hand-written.ts";
import { hostContender, hostName } from "./host.ts";
import { jcoContender } from "./jco.ts";
import { WASMTIME_NAME, wasmtimeContender } from "./wasmtime.ts";

/** `host` is the host with the engine of this run. */
export const CONTENDER_NAMES = [
  "host",
  "host-auto",
  "host-linker",
  "host-jco",
  "host-1-runner",
  "host-2-runners",
  NODE_NAME,
  "go",
  EXTISM_NAME,
  "extism-fresh",
  "jco",
  WASMTIME_NAME,
] as const;

export type ContenderName = (typeof CONTENDER_NAMES)[number];

/** What a full run measures beside what was asked for. */
export const FULL_CONTENDERS: readonly ContenderName[] = [
  "host",
  NODE_NAME,
  "host-jco",
  "host-1-runner",
  "host-2-runners",
  "go",
  EXTISM_NAME,
  "extism-fresh",
  "jco",
  WASMTIME_NAME,
];

export const QUICK_CONTENDERS: readonly ContenderName[] = ["host", NODE_NAME];

/** The contenders of a run, each once. @param engine of `host` */
export function createContenders(
  names: readonly ContenderName[],
  engine: EngineChoice,
  mainPath: string,
): readonly Contender[] {
  const contenders = names.map((name) => createContender(name, engine, mainPath));
  return contenders.filter(({ name }, index) => contenders.findIndex((other) => other.name === name) === index);
}

function createContender(name: ContenderName, engine: EngineChoice, mainPath: string): Contender {
  const host = (variant: { engine: EngineChoice; runners?: number; name?: string }): Contender =>
    hostContender(mainPath, { name: hostName(variant.engine), ...variant });
  switch (name) {
    case "host":
      return host({ engine });
    case "host-auto":
      return host({ engine: "auto" });
    case "host-linker":
      return host({ engine: "linker" });
    case "host-jco":
      return host({ engine: "jco" });
    case "host-1-runner":
      return host({ engine, runners: 1, name });
    case "host-2-runners":
      return host({ engine, runners: 2, name });
    case "node":
      return nodeContender;
    case "go":
      return goContender();
    case "extism":
      return extismContender(name, "pooled");
    case "extism-fresh":
      return extismContender(name, "fresh");
    case "jco":
      return jcoContender;
    case "wasmtime":
      return wasmtimeContender();
  }
}
