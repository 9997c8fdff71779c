/**
 * Limits on everything that is counted in a component before it is compiled. The figures in the comments are the largest seen
 * in components of C, Rust, Go, Python (CPython), QuickJS and StarlingMonkey. Instances,
 * memories and tables are those that one instantiation makes, however few modules and components define them.
 *
 * @module
 */

import { type FixedLimitRow, MIB } from "./limit-row.ts";

/** A page of a linear memory (core specification, 4.2.8). */
export const WASM_PAGE_BYTES = 65_536;

const GATE = "compiler/gate/check-limits";

function counted(value: number, summary: string): FixedLimitRow {
  return { value, unit: "count", summary, enforcedIn: GATE };
}

/** Bounds of a component; beyond each it is component-rejected. */
export const COMPONENT_LIMIT_ROWS = {
  /** 40. */
  coreModules: counted(128, "Core modules, nested ones included."),
  /** 5. */
  components: counted(64, "Components, the outermost included."),
  /** 74. */
  instances: counted(1_024, "Core instances and component instances."),
  /** 6,641. */
  coreExterns: counted(100_000, "Imports and exports of core modules."),
  /** Some 1,500. */
  types: counted(20_000, "Type definitions, those in the types of instances included."),
  /** 2. The runner caps the size of each, so their number is capped here. */
  memories: counted(8, "Linear memories of one instance."),
  /** 13 MB. */
  initialMemoryBytes: {
    value: 512 * MIB,
    unit: "bytes",
    summary: "Initial size of these memories together.",
    enforcedIn: GATE,
  },
  /** 4. */
  tables: counted(64, "Tables of one instance."),
  /** 7,659. */
  tableElements: {
    value: 100_000,
    unit: "count",
    summary: "Elements of one table, initially and later; beyond it table.grow returns -1.",
    enforcedIn: `${GATE}, supervisor/process/runner-flags`,
  },
  initialTableElements: counted(200_000, "Initial elements of these tables together."),
  /** 30. */
  imports: counted(64, "Imports of the component."),
  /** 2. */
  exports: counted(64, "Exports of the component."),
  /** 2. */
  componentNesting: {
    value: 8,
    unit: "count",
    summary: "Nesting depth of components.",
    enforcedIn: "component/read-component",
  },
  /** 2. */
  typeNesting: {
    value: 8,
    unit: "count",
    summary: "Nesting depth of component and instance types.",
    enforcedIn: "component/read-types",
  },
  /** HTTP's error code has some 100. */
  typeParts: {
    value: 4_000,
    unit: "count",
    summary: "Parts of one type, with all types that it refers to expanded.",
    enforcedIn: "component/unfolded-size",
  },
  /** Mangled symbols of a few hundred bytes. */
  nameBytes: { value: 4_096, unit: "bytes", summary: "One name.", enforcedIn: "component/byte-reader" },
  /** Some 30,000. */
  items: {
    value: 500_000,
    unit: "count",
    summary: "Definitions, fields, cases, imports, exports and similar items in the whole file.",
    enforcedIn: "component/byte-reader",
  },
} as const satisfies Record<string, FixedLimitRow>;

/** The values of {@link COMPONENT_LIMIT_ROWS}. */
export const COMPONENT_LIMITS = Object.fromEntries(
  Object.entries(COMPONENT_LIMIT_ROWS).map(([name, { value }]) => [name, value]),
) as { readonly [Name in keyof typeof COMPONENT_LIMIT_ROWS]: number };
