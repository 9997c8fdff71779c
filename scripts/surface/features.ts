/**
 * Features of core WebAssembly and of components, each with a module that uses it: the page of authors lists them, and a test
 * shows each module to the compiler.
 *
 * @module
 */

/** A feature, and whether a component that uses it runs. */
export interface Feature {
  readonly name: string;
  /** Part of a core module that uses it; behind a module, in a component, where `isBeside`. */
  readonly wat: string;
  readonly isBeside?: true;
  /** Absent where the feature runs: else a part of what the author is told. */
  readonly refusal?: string;
  readonly note?: string;
}

export const FEATURES: readonly Feature[] = [
  {
    name: "WebAssembly 2.0: several values, sign extension, saturating conversions, bulk memory, references, several tables",
    wat: `(table $a 1 funcref) (table $b 1 externref) (data $d "x") (func $two (result i32 i64)
      (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (i32.extend8_s (i32.const 1)) (i64.trunc_sat_f32_s (f32.const 1)))`,
  },
  { name: "128-bit SIMD", wat: "(func (drop (i32x4.add (v128.const i32x4 1 2 3 4) (v128.const i32x4 1 2 3 4))))" },
  {
    name: "relaxed SIMD",
    wat: "(func (drop (i8x16.relaxed_swizzle (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0))))",
  },
  { name: "tail calls", wat: "(func $f return_call $f)" },
  {
    name: "typed function references",
    wat: "(type $f (func)) (func (param (ref null $f)) (call_ref $f (local.get 0)))",
  },
  { name: "extended constant expressions", wat: "(global i32 (i32.add (i32.const 1) (i32.const 2)))" },
  {
    name: "garbage collection",
    wat: "(type $s (struct (field (mut i32)))) (global (mut (ref null $s)) (struct.new $s (i32.const 1)))",
    note: "a new instance for each request; `memoryBytes` bounds the objects of a process",
  },
  {
    name: "exceptions (`try_table`, `exnref`)",
    wat: "(tag $t (param i32)) (func (block $caught (result i32) (try_table (catch $t $caught) (throw $t (i32.const 1))) (i32.const 0)) (drop))",
    note: "what the host ends a call with cannot be caught; one that nobody catches is a trap",
  },
  {
    name: "atomic access to a memory that is not shared",
    wat: "(func (drop (i32.atomic.load (i32.const 0))) (atomic.fence))",
  },
  {
    name: "exceptions of the legacy form (`try`, `catch`)",
    wat: "(tag $t) (func try throw $t catch_all end)",
    refusal: "legacy exception handling",
    note: "Binaryen translates them: see [build errors](../build-errors.md#exceptions-of-the-legacy-form)",
  },
  { name: "threads (shared memory)", wat: "(memory $m 1 1 shared)", refusal: "shared memory is not supported" },
  { name: "several memories in one module", wat: "(memory $m 1)", refusal: "more than one linear memory" },
  { name: "64-bit memory", wat: "(memory $m i64 1)", refusal: "64-bit memory is not supported" },
  { name: "64-bit tables", wat: "(table i64 1 funcref)", refusal: "64-bit tables are not supported" },
  { name: "custom page sizes", wat: "(memory $m 1 (pagesize 1))", refusal: "custom page sizes are not supported" },
  {
    name: "wide arithmetic",
    wat: "(func (param i64 i64 i64 i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))",
    refusal: "instruction 0x",
  },
  { name: "stack switching", wat: "(type $f (func)) (type $c (cont $f))", refusal: "stack switching" },
  { name: "component-model async: streams, futures", wat: "(type (stream u8))", isBeside: true, refusal: "stream" },
  {
    name: "component-model async: asynchronous functions",
    wat: "(type (func async))",
    isBeside: true,
    refusal: "asynchronous",
  },
];

/** The table of the page. */
export function featureTable(): string {
  const rows = FEATURES.map(
    ({ name, refusal, note }) => `| ${name} | ${refusal === undefined ? "yes" : "no"} | ${note ?? ""} |`,
  );
  return `| feature | runs | |\n| --- | --- | --- |\n${rows.join("\n")}`;
}
