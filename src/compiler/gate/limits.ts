/**
 * How much a component may be of everything that is counted. The figures in the comments are the largest that
 * were seen in components of C, Rust, Go, Python (CPython), QuickJS and StarlingMonkey. Instances, memories and
 * tables are those that one instantiation makes, however few modules and components define them.
 *
 * The runner caps the size of each memory and table while a guest runs; their number is capped here.
 *
 * @module
 */

const MIB = 1024 * 1024;

export const GATE_LIMITS = {
  /** Core modules, nested ones included: 40. */
  coreModules: 128,
  /** Components, the outermost included: 5. */
  components: 64,
  /** Core instances and component instances: 74. */
  instances: 1_024,
  /** Imports and exports of core modules: 6,641. */
  coreExterns: 100_000,
  /** Type definitions, those in instance types included: some 1,500. */
  types: 20_000,
  /** Linear memories: 2. */
  memories: 8,
  /** Initial size of all memories together: 13 MB. */
  initialMemoryBytes: 512 * MIB,
  /** Tables: 4. */
  tables: 64,
  /** Initial elements of one table (a runner allows no more): 7,659. */
  tableElements: 100_000,
  /** Initial elements of all tables together. */
  initialTableElements: 200_000,
  /** Imports of the component: 30. */
  imports: 64,
  /** Exports of the component: 2. */
  exports: 64,
} as const;
