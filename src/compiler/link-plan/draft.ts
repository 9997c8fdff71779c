/**
 * A plan while it is being made: collects definitions, gives equal ones the same index, and bounds how many
 * there are. A nested component may be instantiated many times over, and each time counts.
 *
 * @module
 */

import type {
  PlanInstance,
  PlanLift,
  PlanLower,
  PlanCanonicalOptions,
  PlanResource,
  PlanSignature,
  PlanTypeDefinition,
} from "../../contract/link-plan.ts";
import { refusal } from "./refusal.ts";

/** Most component instances, and most core instances, of one plan. Composed toolchain output has some 75. */
const INSTANCES_MAX = 1_024;

/** Most functions lifted, and most lowered. */
const FUNCTIONS_MAX = 20_000;

export class PlanDraft {
  readonly resources: PlanResource[] = [];
  readonly instances: PlanInstance[] = [];
  readonly lifts: PlanLift[] = [];
  readonly lowers: PlanLower[] = [];
  readonly types = new Interned<PlanTypeDefinition>();
  readonly signatures = new Interned<PlanSignature>();
  readonly options = new Interned<PlanCanonicalOptions>();
  #components = 0;

  get components(): number {
    return this.#components;
  }

  addComponent(): number {
    if (this.#components >= INSTANCES_MAX) throw refusal("it instantiates too many components");
    this.#components += 1;
    return this.#components - 1;
  }

  addInstance(instance: PlanInstance): number {
    if (this.instances.length >= INSTANCES_MAX) throw refusal("it instantiates too many core modules");
    return this.instances.push(instance) - 1;
  }

  addLift(lift: PlanLift): number {
    if (this.lifts.length >= FUNCTIONS_MAX) throw refusal("it lifts too many functions");
    return this.lifts.push(lift) - 1;
  }

  addLower(lower: PlanLower): number {
    if (this.lowers.length >= FUNCTIONS_MAX) throw refusal("it lowers too many functions");
    return this.lowers.push(lower) - 1;
  }

  addResource(resource: PlanResource): number {
    if (this.resources.length >= FUNCTIONS_MAX) throw refusal("it has too many resource types");
    return this.resources.push(resource) - 1;
  }
}

/** A list of values without doubles. */
class Interned<Value> {
  readonly values: Value[] = [];
  readonly #indices = new Map<string, number>();

  /** The index of a value equal to this one. */
  add(value: Value): number {
    const key = JSON.stringify(value);
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    const index = this.values.push(value) - 1;
    this.#indices.set(key, index);
    return index;
  }
}
