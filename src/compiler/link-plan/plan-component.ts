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
  type PlanFreshness,
  type PlanModule,
} from "../../contract/link-plan.ts";
import { HostError } from "../../errors/host-error.ts";
import { PlanDraft } from "./draft.ts";
import { evaluateComponent } from "./evaluate.ts";
import { BIT_TYPE_CODES, rewriteModule } from "./rewrite-module.ts";
import type { PlannedExports } from "./spaces.ts";

/** The outcome of planning. */
export type Planning =
  | { readonly kind: "planned"; readonly files: ReadonlyMap<string, Uint8Array> }
  /** The component must run on the other engine. */
  | { readonly kind: "refused"; readonly reason: string };

/** Plans a component. The files are {@link LINK_PLAN_FILE} and the core modules that it names. */
export function planComponent(bytes: Uint8Array): Planning {
  try {
    return { kind: "planned", files: plan(readComponent(bytes)) };
  } catch (error) {
    if (error instanceof HostError) return { kind: "refused", reason: error.message };
    throw error;
  }
}

function plan(component: Component): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const { modules, freshness } = rewriteModules(coreModulesOf(component), files);
  const draft = new PlanDraft();
  const indices = new Map([...modules.keys()].map((module, index) => [module, index]));
  const moduleIndex = (module: CoreModule): number => indices.get(module) ?? -1;
  const exports = evaluateComponent({ draft, moduleIndex }, component, undefined, undefined);
  const linkPlan: LinkPlan = {
    format: LINK_PLAN_FORMAT,
    components: draft.components,
    types: draft.types.values,
    signatures: draft.signatures.values,
    resources: draft.resources,
    modules: [...modules.values()],
    instances: draft.instances,
    options: draft.options.values,
    lowers: draft.lowers,
    lifts: draft.lifts,
    exports: exportedLifts(exports),
    freshness: countGlobals(draft, [...modules.values()]) > MAX_RESTORED_GLOBALS ? TOO_MANY_GLOBALS : freshness,
  };
  files.set(LINK_PLAN_FILE, Buffer.from(JSON.stringify(linkPlan), "utf8"));
  return files;
}

function coreModulesOf(component: Component): CoreModule[] {
  return [...walkDefinitions(component)].flatMap((definition) =>
    definition.kind === "core-module" ? [definition.module] : [],
  );
}

interface RewrittenModules {
  readonly modules: ReadonlyMap<CoreModule, PlanModule>;
  readonly freshness: PlanFreshness;
}

function rewriteModules(modules: readonly CoreModule[], files: Map<string, Uint8Array>): RewrittenModules {
  // A memory's size can be hidden only where no other module looks at it.
  const sizing = modules.filter(({ code }) => code.sizesMemory);
  const virtual = sizing.length === 1 && ownsItsOnlyMemory(sizing[0]) ? sizing[0] : undefined;
  const rewritten = new Map<CoreModule, PlanModule>();
  for (const module of modules) {
    const { bytes, memories, globals } = rewriteModule(module, module === virtual);
    const file = `component.link${rewritten.size}.wasm`;
    files.set(file, bytes);
    rewritten.set(module, { file, memories, globals, hidesGrowth: module === virtual });
  }
  return { modules: rewritten, freshness: freshnessOf(modules) };
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
