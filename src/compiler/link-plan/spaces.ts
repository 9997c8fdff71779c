/**
 * The index spaces of one component instance while it is evaluated, and what is in them (component-model
 * `Explainer.md`, "Index Spaces"). Every index points backwards, so a space only ever grows.
 *
 * @module
 */

import type { CoreModule } from "../../component/core/model.ts";
import type { Component, TypeDefinition } from "../../component/model.ts";
import type { PlanItem, PlanType } from "../../contract/link-plan.ts";
import { refusal } from "./refusal.ts";

/** A function: the host's, or one that was lifted. */
export type PlannedFunction =
  | { readonly kind: "import"; readonly interface: string; readonly name: string; readonly signature: number }
  | { readonly kind: "lift"; readonly index: number; readonly signature: number };

/** A type, evaluated as far as linking needs it. */
export type PlannedType =
  | { readonly kind: "value"; readonly type: PlanType }
  | { readonly kind: "func"; readonly signature: number }
  | { readonly kind: "resource"; readonly resource: number }
  /** The type of an instance or component: evaluated where something of that type is imported. */
  | {
      readonly kind: "instance-type" | "component-type";
      readonly definition: Extract<TypeDefinition, { kind: "instance-type" | "component-type" }>;
      readonly spaces: Spaces;
    };

/** What an instance exports under a name. */
export type PlannedItem =
  | { readonly sort: "func"; readonly value: PlannedFunction }
  | { readonly sort: "type"; readonly value: PlannedType }
  | { readonly sort: "instance"; readonly value: PlannedExports }
  | { readonly sort: "component"; readonly value: PlannedComponent };

export type PlannedExports = ReadonlyMap<string, PlannedItem>;

/** A component that is not instantiated yet, and the spaces around it. */
export interface PlannedComponent {
  readonly component: Component;
  readonly spaces: Spaces;
}

/** A core instance: one that the plan makes, or names put together in place. */
export type PlannedCoreInstance =
  | { readonly kind: "made"; readonly index: number }
  | { readonly kind: "inline"; readonly exports: ReadonlyMap<string, PlanItem> };

/** A core module: where it is in the plan, and what it says of itself. */
export interface PlannedModule {
  readonly index: number;
  readonly module: CoreModule;
}

export class Spaces {
  /** Number of the component instance in the plan. */
  readonly component: number;
  readonly parent: Spaces | undefined;
  readonly funcs: PlannedFunction[] = [];
  readonly types: PlannedType[] = [];
  readonly instances: PlannedExports[] = [];
  readonly components: PlannedComponent[] = [];
  readonly coreModules: PlannedModule[] = [];
  readonly coreInstances: PlannedCoreInstance[] = [];
  readonly #coreItems = new Map<string, PlanItem[]>();

  constructor(component: number, parent: Spaces | undefined) {
    this.component = component;
    this.parent = parent;
  }

  /** Functions, memories, tables, globals or tags of core instances. */
  coreItems(sort: string): PlanItem[] {
    let items = this.#coreItems.get(sort);
    if (items === undefined) this.#coreItems.set(sort, (items = []));
    return items;
  }

  /** The spaces that many components outwards; 0 is these. Nesting is capped, and so is the recursion. */
  outer(count: number): Spaces {
    if (count === 0) return this;
    if (this.parent === undefined) throw refusal("an outer alias points outside of the component");
    return this.parent.outer(count - 1);
  }

  item(sort: string, index: number): PlannedItem {
    switch (sort) {
      case "func":
        return { sort, value: entry(this.funcs, index, sort) };
      case "type":
        return { sort, value: entry(this.types, index, sort) };
      case "instance":
        return { sort, value: entry(this.instances, index, sort) };
      case "component":
        return { sort, value: entry(this.components, index, sort) };
      default:
        throw refusal(`a ${sort} is passed between components`);
    }
  }

  push(item: PlannedItem): void {
    switch (item.sort) {
      case "func":
        this.funcs.push(item.value);
        break;
      case "type":
        this.types.push(item.value);
        break;
      case "instance":
        this.instances.push(item.value);
        break;
      case "component":
        this.components.push(item.value);
        break;
    }
  }
}

/** The entry at an index. Validation came first; an index that is missing all the same is refused. */
export function entry<Entry>(space: readonly Entry[], index: number, sort: string): Entry {
  const found = space[index];
  if (found === undefined) throw refusal(`${sort} ${index} does not exist`);
  return found;
}
