/**
 * What instantiating a component once makes: each core module and nested component counted as often as it is
 * instantiated, not as often as it is defined. A component of a few hundred bytes can instantiate one module a
 * thousand times, or double itself at every level of nesting; the runner caps the size of each memory and table,
 * so their number must be known.
 *
 * Refuses components that are passed as values (imported, exported, given as arguments): only following them would show what
 * they instantiate, and no toolchain for plugins makes them.
 *
 * @module
 */

import type { Allocation, CoreModule } from "../../component/core/model.ts";
import type { AliasDefinition, Component, Definition } from "../../component/model.ts";
import { type Place, rejection } from "../../component/rejection.ts";

/** What one instantiation makes. */
export interface InstantiationCounts {
  /** Core instances and component instances. */
  readonly instances: number;
  readonly memories: number;
  readonly initialMemoryBytes: number;
  readonly tables: number;
  readonly initialTableElements: number;
}

/** Called with every sum; throws if it exceeds the limit. */
export type CountCheck = (counts: InstantiationCounts, place: Place) => void;

const NOTHING: InstantiationCounts = {
  instances: 0,
  memories: 0,
  initialMemoryBytes: 0,
  tables: 0,
  initialTableElements: 0,
};

/** Counts a component. Linear in its definitions, whatever the sums come to. */
export function countInstantiation(component: Component, check: CountCheck): InstantiationCounts {
  return new Level(check, undefined).count(component);
}

/** One component with what can be instantiated in it: what each would make. */
class Level {
  readonly #check: CountCheck;
  readonly #parent: Level | undefined;
  readonly #modules: InstantiationCounts[] = [];
  readonly #components: InstantiationCounts[] = [];

  constructor(check: CountCheck, parent: Level | undefined) {
    this.#check = check;
    this.#parent = parent;
  }

  count({ definitions }: Component): InstantiationCounts {
    let sum = NOTHING;
    for (const definition of definitions) {
      refuseComponentValue(definition);
      const made = this.#define(definition);
      if (made === NOTHING) continue;
      sum = add(sum, made);
      this.#check(sum, definition.place);
    }
    return sum;
  }

  /** What a definition makes at once; what it only defines is kept for later ones. */
  #define(definition: Definition): InstantiationCounts {
    const { place } = definition;
    switch (definition.kind) {
      case "core-module":
        this.#modules.push(countModule(definition.module));
        break;
      case "component":
        this.#components.push(new Level(this.#check, this).count(definition.component));
        break;
      case "alias":
        if (definition.target === "outer") this.#defineOuterAlias(definition);
        break;
      case "core-instance":
        if (definition.instance.kind === "inline") return ONE_INSTANCE;
        return add(ONE_INSTANCE, entry(this.#modules, definition.instance.module, "core module", place));
      case "instance":
        if (definition.instance.kind === "inline") return ONE_INSTANCE;
        return add(ONE_INSTANCE, entry(this.#components, definition.instance.component, "component", place));
      case "type":
      case "canon":
      case "import":
      case "export":
        break;
    }
    return NOTHING;
  }

  #defineOuterAlias({ sort, count, index, place }: Extract<AliasDefinition, { target: "outer" }>): void {
    if (sort !== "component" && sort !== "core module") return;
    const outer = this.#outer(count);
    if (outer === undefined) throw invalid("an outer alias points outside of the file", place);
    if (sort === "component") this.#components.push(entry(outer.#components, index, sort, place));
    else this.#modules.push(entry(outer.#modules, index, sort, place));
  }

  /** Nesting is capped, and so is the recursion. */
  #outer(count: number): Level | undefined {
    if (count === 0) return this;
    return this.#parent === undefined ? undefined : this.#parent.#outer(count - 1);
  }
}

const ONE_INSTANCE: InstantiationCounts = { ...NOTHING, instances: 1 };

function countModule({ memories, tables }: CoreModule): InstantiationCounts {
  return {
    instances: 0,
    memories: memories.length,
    initialMemoryBytes: memories.reduce((bytes, memory) => bytes + bytesOf(memory), 0),
    tables: tables.length,
    initialTableElements: tables.reduce((elements, { min }) => elements + Number(min), 0),
  };
}

function bytesOf({ min, pageSizeLog2 }: Allocation): number {
  return Number(min) * 2 ** pageSizeLog2;
}

function add(left: InstantiationCounts, right: InstantiationCounts): InstantiationCounts {
  return {
    instances: left.instances + right.instances,
    memories: left.memories + right.memories,
    initialMemoryBytes: left.initialMemoryBytes + right.initialMemoryBytes,
    tables: left.tables + right.tables,
    initialTableElements: left.initialTableElements + right.initialTableElements,
  };
}

function refuseComponentValue(definition: Definition): void {
  if (!sortsOf(definition).includes("component")) return;
  throw rejection(
    "a component is imported, exported or given to another one",
    definition.place,
    "compose the plugin so that nested components are instantiated where they are defined",
  );
}

/** Sorts that a definition passes by name. */
function sortsOf(definition: Definition): readonly string[] {
  switch (definition.kind) {
    case "import":
      return [definition.description.sort];
    case "export":
      return [definition.sort];
    case "alias":
      return definition.target === "export" ? [definition.sort] : [];
    case "instance": {
      const { instance } = definition;
      return (instance.kind === "instantiate" ? instance.args : instance.exports).map(({ sort }) => sort);
    }
    case "core-module":
    case "core-instance":
    case "component":
    case "type":
    case "canon":
      break;
  }
  return [];
}

function entry(space: readonly InstantiationCounts[], index: number, sort: string, place: Place): InstantiationCounts {
  const found = space[index];
  if (found === undefined) throw invalid(`${sort} ${index} does not exist here`, place);
  return found;
}

function invalid(what: string, place: Place) {
  return rejection(
    `the component is invalid: ${what}`,
    place,
    "check it with `wasm-tools validate` and build it again",
  );
}
