/**
 * Rule: a component is of bounded size in everything that costs memory or time before its first request.
 *
 * @module
 */

import type { Allocation, CoreModule } from "../../component/core/model.ts";
import type { Component } from "../../component/model.ts";
import { type Place, rejection } from "../../component/rejection.ts";
import { COMPONENT_LIMITS } from "../../contract/component-limits.ts";
import { walkDefinitions } from "../../component/walk.ts";
import { countInstantiation, type InstantiationCounts } from "./count-instantiation.ts";

const WASM_PAGE_SIZE_LOG2 = 16;

/** What a component defines. */
interface DefinitionCounts {
  coreModules: number;
  components: number;
  coreExterns: number;
  types: number;
  imports: number;
  exports: number;
}

/** What a component defines, and what one instantiation of it makes. */
export type ComponentCounts = Readonly<DefinitionCounts> & InstantiationCounts;

const NOUNS: Readonly<Record<keyof ComponentCounts, string>> = {
  coreModules: "core modules",
  components: "nested components",
  instances: "instances",
  coreExterns: "imports and exports of core modules",
  types: "types",
  memories: "linear memories",
  initialMemoryBytes: "bytes of initial memory",
  tables: "tables",
  initialTableElements: "initial table elements",
  imports: "imports",
  exports: "exports",
};

/** Counts what is limited; throws `component-rejected` where a limit is passed. */
export function checkLimits(component: Component): ComponentCounts {
  const counter = new Counter();
  counter.add("components", 1, component.place);
  for (const { kind, place } of component.definitions) {
    if (kind === "import") counter.add("imports", 1, place);
    if (kind === "export") counter.add("exports", 1, place);
  }
  for (const definition of walkDefinitions(component)) {
    const { kind, place } = definition;
    if (kind === "component") counter.add("components", 1, place);
    if (kind === "type") counter.add("types", 1, place);
    if (kind === "core-module") countModule(counter, definition.module);
  }
  return { ...counter.counts, ...countInstantiation(component, checkInstantiation) };
}

function checkInstantiation(counts: InstantiationCounts, place: Place): void {
  for (const what of Object.keys(counts) as (keyof InstantiationCounts)[]) refuseExcess(what, counts[what], place);
}

function countModule(counter: Counter, module: CoreModule): void {
  counter.add("coreModules", 1, module.place);
  counter.add("coreExterns", module.imports.length + module.exports.length, module.place);
  for (const memory of module.memories) checkMemory(memory);
  for (const table of module.tables) checkTable(table);
}

function checkMemory({ shared, wide, pageSizeLog2, place }: Allocation): void {
  const advice = "build the plugin for the plain wasm32 target";
  if (shared) throw rejection("shared memory is not supported", place, `${advice}, without threads`);
  if (wide) throw rejection("64-bit memory is not supported", place, advice);
  if (pageSizeLog2 !== WASM_PAGE_SIZE_LOG2) throw rejection("custom page sizes are not supported", place, advice);
}

function checkTable({ min, shared, wide, place }: Allocation): void {
  const advice = "build the plugin for the plain wasm32 target";
  if (shared || wide) throw rejection("shared and 64-bit tables are not supported", place, advice);
  if (min > COMPONENT_LIMITS.tableElements) {
    throw rejection(
      `a table begins with ${min} elements; at most ${COMPONENT_LIMITS.tableElements} are allowed`,
      place,
      "link less into one module",
    );
  }
}

class Counter {
  readonly counts: DefinitionCounts = {
    coreModules: 0,
    components: 0,
    coreExterns: 0,
    types: 0,
    imports: 0,
    exports: 0,
  };

  add(what: keyof DefinitionCounts, amount: number, place: Place): void {
    this.counts[what] += amount;
    refuseExcess(what, this.counts[what], place);
  }
}

function refuseExcess(what: keyof ComponentCounts, count: number, place: Place): void {
  if (count <= COMPONENT_LIMITS[what]) return;
  throw rejection(
    `the component has more than ${COMPONENT_LIMITS[what]} ${NOUNS[what]}`,
    place,
    "link or compose less into it, or split the plugin",
  );
}
