/**
 * The command line of a runner: what Node and V8 must deny and cap. Through these flags V8 enforces a guest's limits on
 * linear memory and tables, but per memory and per table. That is why the gate bounds how many of them a component may
 * have.
 *
 * @module
 */

import type { EngineName, RunnerArgument, RunnerConfig } from "../../contract/artifact.ts";
import { COMPONENT_LIMITS, WASM_PAGE_BYTES } from "../../contract/component-limits.ts";
import type { PluginLimits } from "../../contract/limits.ts";
import { CODE_ROOT, programPath } from "../sandbox/child-program.ts";

/** JavaScript heap of a runner: the glue of its instances and the values in flight, not the guests' memories. */
const HEAP_MIB = 512;

/**
 * The same where the plugin's own objects lie on that heap, too, and are bounded: the memory limit comes on top of it. V8 ends
 * the process where both together are used up.
 */
const HEAP_BESIDE_OBJECTS_MIB = 64;

const MIB = 1024 * 1024;

/**
 * Stack of a call that may be suspended. V8 caches 4 MiB of used stacks for later calls: the smaller each is, the more
 * concurrent calls need no new mapping. Interpreters need some stack: with half of this, Python's native code overflows
 * at half of Python's recursion limit. A call that cannot suspend runs on V8's usual 984 KiB.
 */
export const SUSPENDABLE_STACK_KIB = 256;

/**
 * What Node and V8 allocate besides the instances' memory, half of it before the first line of a program. The memory
 * watch judges a runner by the memory that it uses. The bound on allocation lies well above that, and stops what grows
 * between two looks. Instances use half or less of what they allocate.
 */
const ALLOCATION_MARGIN_BYTES = 1024 * 1024 * 1024;

/** What decides a runner's powers and limits. */
export interface RunnerFlagOptions {
  readonly config: RunnerConfig;
  readonly limits: Pick<PluginLimits, "memoryBytes" | "runnerMemoryBytes">;
  /** Linear memories of one instance: the memory limit is divided among them. */
  readonly memories: number;
  /** Do the plugin's objects lie on V8's heap? */
  readonly makesObjects: boolean;
  /** Which engine does the runner run? */
  readonly engine: EngineName;
}

/** Arguments for the Node executable. */
export function runnerArguments({ config, limits, memories, makesObjects, engine }: RunnerFlagOptions): string[] {
  const pages = Math.max(1, Math.floor(limits.memoryBytes / memories / WASM_PAGE_BYTES));
  const heapMib = makesObjects ? HEAP_BESIDE_OBJECTS_MIB + Math.ceil(limits.memoryBytes / MIB) : HEAP_MIB;
  return [
    "--permission",
    `--allow-fs-read=${CODE_ROOT}`,
    `--allow-fs-read=${config.artifactDir}`,
    // For the one thread that stops guests; the runner gives the right up once it has started that. Code that jco generated
    // never runs in a process that has the right.
    ...(engine === "linker" ? ["--allow-worker"] : []),
    "--disallow-code-generation-from-strings",
    `--wasm-max-mem-pages=${pages}`,
    `--wasm-max-table-size=${COMPONENT_LIMITS.tableElements}`,
    `--wasm-stack-switching-stack-size=${SUSPENDABLE_STACK_KIB}`,
    `--max-old-space-size=${heapMib}`,
    // V8 does not count the growth of linear memories, so the runner calls the collector itself for those of ended
    // calls.
    "--expose-gc",
    "--no-warnings",
    programPath("runner/main"),
    JSON.stringify({ ...config, memoryPages: pages } satisfies RunnerArgument),
  ];
}

/** The bound on what a runner may allocate, used or not. Above it, an allocation fails. */
export function maxDataBytes({ runnerMemoryBytes }: Pick<PluginLimits, "runnerMemoryBytes">): number {
  return 2 * runnerMemoryBytes + ALLOCATION_MARGIN_BYTES;
}
