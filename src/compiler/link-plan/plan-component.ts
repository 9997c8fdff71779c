/**
 * Component → link plan and core modules. To be called for components that a full validator has accepted:
 * nothing is validated here that linking does not need.
 *
 * @module
 */

import type { CoreModule } from "../../component/core/model.ts";
import type { Component } from "../../component/model.ts";
import { readComponent } from "../../component/read-component.ts";
import { walkDefinitions } from "../../component/walk.ts";
import {
  LINK_PLAN_FILE,
  LINK_PLAN_FORMAT,
  type LinkPlan,
  MAX_RESTORED_GLOBALS,
  type PlanChanges,
  type PlanFreshness,
  type PlanModule,
} from "../../contract/link-plan.ts";
import { HostError } from "../../errors/host-error.ts";
import type { FreshState } from "../../contract/artifact.ts";
import { PlanDraft } from "./draft.ts";
import { evaluateComponent } from "./evaluate.ts";
import { chooseChanges, NOTED_MIN_BYTES } from "./changes.ts";
import { freshStateOf } from "./fresh-state.ts";
import { BIT_TYPE_CODES, rewriteModule } from "./rewrite-module.ts";
import type { PlannedExports } from "./spaces.ts";
import { startTimeOf } from "./start-functions.ts";

/** The outcome of planning. */
export type Planning =
  | { readonly kind: "planned"; readonly files: ReadonlyMap<string, Uint8Array>; readonly freshState: FreshState }
  /** The component must run on the other engine. */
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Plans a component. The files are {@link LINK_PLAN_FILE} and the core modules that it names.
 *
 * @param notedMinBytes see {@link NOTED_MIN_BYTES}
 */
export function planComponent(bytes: Uint8Array, notedMinBytes: number = NOTED_MIN_BYTES): Planning {
  try {
    const { files, linkPlan } = plan(readComponent(bytes), notedMinBytes);
    return { kind: "planned", files, freshState: freshStateOf(linkPlan) };
  } catch (error) {
    if (error instanceof HostError) return { kind: "refused", reason: error.message };
    throw error;
  }
}

interface PlannedFiles {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly linkPlan: LinkPlan;
}

function plan(component: Component, notedMinBytes: number): PlannedFiles {
  const coreModules = coreModulesOf(component);
  const draft = new PlanDraft();
  const indices = new Map(coreModules.map((module, index) => [module, index]));
  const moduleIndex = (module: CoreModule): number => indices.get(module) ?? -1;
  const exports = evaluateComponent({ draft, moduleIndex }, component, undefined, undefined);
  const freshness = freshnessOf(coreModules);
  const starts = startTimeOf(draft.instances, coreModules, freshness);
  const { files, modules, changes } = rewriteModules(coreModules, {
    changes: chooseChanges(coreModules, freshness, notedMinBytes),
    startsLater: starts === "later",
  });
  const linkPlan: LinkPlan = {
    format: LINK_PLAN_FORMAT,
    components: draft.components,
    types: draft.types.values,
    signatures: draft.signatures.values,
    resources: draft.resources,
    modules,
    instances: draft.instances,
    options: draft.options.values,
    lowers: draft.lowers,
    lifts: draft.lifts,
    exports: exportedLifts(exports),
    freshness: countGlobals(draft, modules) > MAX_RESTORED_GLOBALS ? TOO_MANY_GLOBALS : freshness,
    changes,
    starts,
  };
  files.set(LINK_PLAN_FILE, Buffer.from(JSON.stringify(linkPlan), "utf8"));
  return { files, linkPlan };
}

function coreModulesOf(component: Component): CoreModule[] {
  const modules = [...walkDefinitions(component)].flatMap((definition) =>
    definition.kind === "core-module" ? [definition.module] : [],
  );
  return [...new Set(modules)];
}

/** How the core modules of a component are to be rewritten. */
interface Rewriting {
  readonly changes: PlanChanges;
  readonly startsLater: boolean;
}

interface RewrittenModules {
  readonly files: Map<string, Uint8Array>;
  readonly modules: readonly PlanModule[];
  readonly changes: PlanChanges;
}

function rewriteModules(coreModules: readonly CoreModule[], { changes, startsLater }: Rewriting): RewrittenModules {
  // A memory's size can be hidden only where no other module looks at it.
  const sizing = coreModules.filter(({ code }) => code.sizesMemory);
  const virtual = sizing.length === 1 && ownsItsOnlyMemory(sizing[0]) ? sizing[0] : undefined;
  const files = new Map<string, Uint8Array>();
  try {
    const modules = coreModules.map((module, index) => {
      const hidesSize = module === virtual;
      const { bytes, ...state } = rewriteModule(module, {
        hidesSize,
        notesChanges: changes.kind === "noted",
        startsLater,
      });
      const file = `component.link${index}.wasm`;
      files.set(file, bytes);
      return { file, ...state, hidesGrowth: hidesSize };
    });
    return { files, modules, changes };
  } catch (error) {
    // With notes, a function may become larger than V8 takes.
    if (!(error instanceof HostError) || changes.kind === "compared") throw error;
    return rewriteModules(coreModules, { changes: { kind: "compared", reason: error.message }, startsLater });
  }
}

const TOO_MANY_GLOBALS: PlanFreshness = {
  kind: "fresh",
  reason: `it has more than ${MAX_RESTORED_GLOBALS} mutable globals`,
};

/** Mutable globals of one instance of the component. */
function countGlobals({ instances }: PlanDraft, modules: readonly PlanModule[]): number {
  return instances.reduce((count, { module }) => count + (modules[module]?.globals.length ?? 0), 0);
}

function ownsItsOnlyMemory(module: CoreModule | undefined): boolean {
  return module?.memories.length === 1 && !module.imports.some(({ kind }) => kind === "memory");
}

function freshnessOf(modules: readonly CoreModule[]): PlanFreshness {
  for (const { code, globals, types } of modules) {
    // Objects cannot be read or put back from outside.
    if (types.objects > 0) return { kind: "fresh", reason: "it defines types of objects" };
    if (code.changesTables) return { kind: "fresh", reason: "its code changes a table" };
    if (code.dropsSegments) return { kind: "fresh", reason: "its code drops a segment" };
    if (globals.some(({ type, mutable }) => mutable && !BIT_TYPE_CODES.has(type)))
      return { kind: "fresh", reason: "it has a mutable global that is a reference" };
  }
  return { kind: "restorable" };
}

/** Exported interfaces with the functions that were lifted; a function that is an import again cannot be called. */
function exportedLifts(exports: PlannedExports): Record<string, Record<string, number>> {
  const lifts: Record<string, Record<string, number>> = {};
  for (const [name, item] of exports) if (item.sort === "instance") lifts[name] = liftsOf(item.value);
  return lifts;
}

function liftsOf(exports: PlannedExports): Record<string, number> {
  const lifted = [...exports].flatMap(([name, item]): [string, number][] =>
    item.sort === "func" && item.value.kind === "lift" ? [[name, item.value.index]] : [],
  );
  return Object.fromEntries(lifted);
}
