/**
 * Rewrites a core module so that its state can be read and put back from outside: its memories and those mutable
 * globals that are bits are exported under names that no component can use, and where asked for, the size that the code sees
 * of its memory becomes a global, too. Its code can be stopped, and a start function that runs after instantiation is exported
 * in place of the module's start section.
 *
 * @module
 */

import type { CoreModule } from "../../component/core/model.ts";
import type { BitType, PlanChangeMap, PlanGlobal, PlanMemory } from "../../contract/link-plan.ts";
import { BIT_TYPE } from "../../core-wasm/format.ts";
import { refusal } from "./refusal.ts";
import { ChangeNotes } from "./rewriting/change-notes.ts";
import { limitsOf, ModuleEdits, ownMemoryName } from "./rewriting/module-edits.ts";
import { exportStart } from "./rewriting/export-start.ts";
import { rewriteCode } from "./rewriting/rewrite-code.ts";
import { StopChecks } from "./rewriting/stop-checks.ts";
import { VirtualSize } from "./rewriting/virtual-size.ts";

/** A module's new bytes, and the names under which its state is exported. */
export interface RewrittenModule {
  readonly bytes: Uint8Array;
  readonly memories: readonly PlanMemory[];
  readonly changeMaps: readonly PlanChangeMap[];
  readonly globals: readonly PlanGlobal[];
  readonly start: string | null;
  readonly checksStopFlag: boolean;
}

/** What is done to a module beside exporting its state. */
export interface Rewriting {
  /** Hide the size of its only memory behind a global. */
  readonly hidesSize: boolean;
  /** Note which blocks of memories its code changes. */
  readonly notesChanges: boolean;
  /** Does its start function, if it has one, run after instantiation? See `start-functions.ts`. */
  readonly startsLater: boolean;
}

/** Binary codes of the types that are bits. */
export const BIT_TYPE_CODES: ReadonlyMap<number, BitType> = new Map(
  Object.entries(BIT_TYPE).map(([type, code]) => [code, type as BitType]),
);

export function rewriteModule(
  module: CoreModule,
  { hidesSize, notesChanges, startsLater }: Rewriting,
): RewrittenModule {
  const edits = new ModuleEdits(module);
  const size = hidesSize ? new VirtualSize(edits) : undefined;
  const notes = notesChanges ? new ChangeNotes(edits) : undefined;
  const stops = module.functions > 0 ? new StopChecks(edits) : undefined;
  rewriteCode(
    edits,
    [size, notes, stops].filter((pass) => pass !== undefined),
  );
  for (const index of module.memories.keys())
    edits.addExport(ownMemoryName(index), "memory", edits.imported("memory") + index);
  const globals = stateGlobals(edits);
  if (size !== undefined) globals.push({ name: "state memory size", type: "i32", index: size.global });
  for (const { name, index } of globals) edits.addExport(name, "global", index);
  const start = startsLater ? exportStart(edits) : null;
  return {
    bytes: edits.finish(),
    memories: planMemories(edits),
    changeMaps: notes === undefined ? [] : planChangeMaps(edits, notes),
    globals: globals.map(({ name, type }) => [name, type]),
    start,
    checksStopFlag: stops !== undefined,
  };
}

function planMemories({ module, importsItsMemories }: ModuleEdits): PlanMemory[] {
  return module.memories.map((memory, index) => {
    const name = ownMemoryName(index);
    if (!importsItsMemories) return { name, imported: null };
    const { minPages, maxPages = null } = limitsOf(memory);
    return { name, imported: { minPages, maxPages } };
  });
}

function planChangeMaps({ module }: ModuleEdits, { maps }: ChangeNotes): PlanChangeMap[] {
  const imports = module.imports.filter(({ kind }) => kind === "memory");
  return [...maps].map(([memory, name]) => {
    const from = imports[memory];
    if (from !== undefined) return { name, memory: { kind: "import", module: from.module, name: from.name } };
    if (memory - imports.length >= module.memories.length) throw refusal("code changes a memory that is not there");
    return { name, memory: { kind: "own", index: memory - imports.length } };
  });
}

interface StateGlobal {
  readonly name: string;
  readonly type: BitType;
  readonly index: number;
}

/** The module's own mutable globals that are bits. */
function stateGlobals(edits: ModuleEdits): StateGlobal[] {
  return edits.module.globals.flatMap(({ mutable, type }, index) => {
    const bits = BIT_TYPE_CODES.get(type);
    return mutable && bits !== undefined
      ? [{ name: `state global ${index}`, type: bits, index: edits.imported("global") + index }]
      : [];
  });
}
