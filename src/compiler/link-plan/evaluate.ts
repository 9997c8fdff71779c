/**
 * Evaluates a component's definitions in the file's order, as instantiating it would, but on paper: what comes
 * out is the list of core instances to make and, for every function that crosses a boundary, its type and
 * options. Nested components are evaluated where they are instantiated, once for each time.
 *
 * Source: component-model `Explainer.md`, "Component Definitions" and "Canonical Definitions".
 *
 * @module
 */

import type { CoreImport, CoreModule } from "../../component/core/model.ts";
import type { Canon, CanonicalOptions, Component, CoreInstance, Definition, Instance } from "../../component/model.ts";
import type { PlanImport, PlanItem } from "../../contract/link-plan.ts";
import type { PlanDraft } from "./draft.ts";
import { planImport } from "./plan-imports.ts";
import { planType, resourceAt, signatureAt } from "./plan-types.ts";
import { refusal } from "./refusal.ts";
import {
  entry,
  type PlannedCoreInstance,
  type PlannedExports,
  type PlannedItem,
  type PlannedModule,
  Spaces,
} from "./spaces.ts";

/** What one evaluation adds to and asks for. */
export interface Evaluation {
  readonly draft: PlanDraft;
  /** The index of a core module in the plan; equal for each instance of it. */
  readonly moduleIndex: (module: CoreModule) => number;
}

/** Evaluates one instance of a component. `args` are its imports; the outermost has none and gets the host's. */
export function evaluateComponent(
  evaluation: Evaluation,
  component: Component,
  parent: Spaces | undefined,
  args: PlannedExports | undefined,
): PlannedExports {
  const spaces = new Spaces(evaluation.draft.addComponent(), parent);
  const exports = new Map<string, PlannedItem>();
  for (const definition of component.definitions) {
    if (definition.kind === "import") spaces.push(importedItem(evaluation, spaces, definition, args));
    else if (definition.kind === "export") {
      const item = spaces.item(definition.sort, definition.index);
      exports.set(definition.name, item);
      spaces.push(item);
    } else define(evaluation, spaces, definition);
  }
  return exports;
}

function importedItem(
  { draft }: Evaluation,
  spaces: Spaces,
  { name, description }: Extract<Definition, { kind: "import" }>,
  args: PlannedExports | undefined,
): PlannedItem {
  if (args === undefined) return planImport(draft, spaces, name, description);
  const given = args.get(name);
  if (given?.sort !== description.sort) throw refusal(`a nested component is not given its import ${name}`);
  return given;
}

function define(
  evaluation: Evaluation,
  spaces: Spaces,
  definition: Exclude<Definition, { kind: "import" | "export" }>,
): void {
  switch (definition.kind) {
    case "type":
      spaces.types.push(planType(evaluation.draft, spaces, definition.type));
      break;
    case "alias":
      defineAlias(spaces, definition);
      break;
    case "canon":
      defineCanon(evaluation.draft, spaces, definition.canon);
      break;
    case "core-module":
      spaces.coreModules.push({ index: evaluation.moduleIndex(definition.module), module: definition.module });
      break;
    case "core-instance":
      spaces.coreInstances.push(coreInstance(evaluation.draft, spaces, definition.instance));
      break;
    case "component":
      spaces.components.push({ component: definition.component, spaces });
      break;
    case "instance":
      spaces.instances.push(instance(evaluation, spaces, definition.instance));
      break;
  }
}

function defineAlias(spaces: Spaces, alias: Extract<Definition, { kind: "alias" }>): void {
  switch (alias.target) {
    case "export": {
      const item = entry(spaces.instances, alias.instance, "instance").get(alias.name);
      if (item?.sort !== alias.sort) throw refusal(`an instance has no ${alias.sort} ${alias.name}`);
      spaces.push(item);
      break;
    }
    case "core-export":
      spaces
        .coreItems(alias.sort)
        .push(coreExport(entry(spaces.coreInstances, alias.instance, "core instance"), alias.name));
      break;
    case "outer":
      defineOuterAlias(spaces, alias);
      break;
  }
}

function defineOuterAlias(spaces: Spaces, alias: Extract<Definition, { target: "outer" }>): void {
  const outer = spaces.outer(alias.count);
  switch (alias.sort) {
    case "type":
    case "component":
      spaces.push(outer.item(alias.sort, alias.index));
      break;
    case "core module":
      spaces.coreModules.push(entry(outer.coreModules, alias.index, alias.sort));
      break;
    case "core type":
      throw refusal("it has an alias of a core type");
  }
}

function instance(evaluation: Evaluation, spaces: Spaces, definition: Instance): PlannedExports {
  const named = definition.kind === "inline" ? definition.exports : definition.args;
  const items = new Map(named.map(({ name, sort, index }) => [name, spaces.item(sort, index)]));
  if (definition.kind === "inline") return items;
  const nested = entry(spaces.components, definition.component, "component");
  return evaluateComponent(evaluation, nested.component, nested.spaces, items);
}

function coreInstance(draft: PlanDraft, spaces: Spaces, definition: CoreInstance): PlannedCoreInstance {
  if (definition.kind === "inline") {
    const exports = definition.exports.map(({ name, sort, index }): [string, PlanItem] => [
      name,
      entry(spaces.coreItems(sort), index, `core ${sort}`),
    ]);
    return { kind: "inline", exports: new Map(exports) };
  }
  const args = new Map(
    definition.args.map(({ name, instance: index }) => [name, entry(spaces.coreInstances, index, "core instance")]),
  );
  const { index, module }: PlannedModule = entry(spaces.coreModules, definition.module, "core module");
  const imports = module.imports.map((wanted) => coreImport(wanted, args));
  return { kind: "made", index: draft.addInstance({ module: index, imports }) };
}

function coreImport({ module, name }: CoreImport, args: ReadonlyMap<string, PlannedCoreInstance>): PlanImport {
  const from = args.get(module);
  if (from === undefined) throw refusal(`a core module is not given its import ${module}`);
  return [module, name, coreExport(from, name)];
}

function coreExport(from: PlannedCoreInstance, name: string): PlanItem {
  if (from.kind === "made") return { kind: "export", instance: from.index, name };
  const item = from.exports.get(name);
  if (item === undefined) throw refusal(`a core instance has no export ${name}`);
  return item;
}

function defineCanon(draft: PlanDraft, spaces: Spaces, canon: Canon): void {
  switch (canon.kind) {
    case "lift": {
      const signature = signatureAt(spaces, canon.type);
      const core = coreFunction(spaces, canon.coreFunc);
      const { postReturn: post } = canon.options;
      const postReturn = post === undefined ? null : coreFunction(spaces, post);
      const index = draft.addLift({ signature, options: options(draft, spaces, canon.options), core, postReturn });
      spaces.funcs.push({ kind: "lift", index, signature });
      break;
    }
    case "lower":
      spaces.coreItems("func").push({ kind: "lower", index: lower(draft, spaces, canon) });
      break;
    case "resource-new":
    case "resource-drop":
    case "resource-rep":
      spaces.coreItems("func").push({
        kind: canon.kind,
        resource: resourceAt(spaces, canon.type),
        component: spaces.component,
      });
      break;
  }
}

function lower(draft: PlanDraft, spaces: Spaces, canon: Extract<Canon, { kind: "lower" }>): number {
  const func = entry(spaces.funcs, canon.func, "func");
  const target =
    func.kind === "lift"
      ? ({ kind: "lift", index: func.index } as const)
      : ({ kind: "import", interface: func.interface, name: func.name } as const);
  return draft.addLower({ signature: func.signature, options: options(draft, spaces, canon.options), target });
}

function options(draft: PlanDraft, spaces: Spaces, { encoding, memory, realloc }: CanonicalOptions): number {
  return draft.options.add({
    component: spaces.component,
    encoding,
    memory: memory === undefined ? null : entry(spaces.coreItems("memory"), memory, "core memory"),
    realloc: realloc === undefined ? null : coreFunction(spaces, realloc),
  });
}

function coreFunction(spaces: Spaces, index: number): PlanItem {
  return entry(spaces.coreItems("func"), index, "core func");
}
