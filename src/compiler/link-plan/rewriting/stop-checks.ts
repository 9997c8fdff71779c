/**
 * Lets a thread of the runner stop the code of a module: in each turn of a loop, and where a function begins that recursion
 * or many calls could lead through (`call-graph.ts`), the code looks at its instance's stop flag and traps where it is set. So
 * it does before each instruction on a range, such as `memory.fill`, which may take as long as a long loop, and in a function
 * that calls many others which do not look. A single instruction is bounded by the size of the memory, table or array.
 *
 * The flag is read by an ordinary load, not an atomic one. That costs less: V8 neither combines an atomic load with the
 * comparison nor moves other accesses across it. And it is enough: V8 keeps each load of a memory in the loop that it is in,
 * which a test checks for the pinned version. If it ever did not, the host would end the process, as for any other engine.
 *
 * @module
 */

import { STOP_FLAG, STOP_FLAG_OFFSET, STOP_FLAG_PAGES } from "../../../contract/stop-flag.ts";
import { unsignedLeb } from "../../../core-wasm/byte-writer.ts";
import { EMPTY_BLOCK, HAS_MEMORY_INDEX, OPCODE } from "../../../core-wasm/format.ts";
import type { BodyEdits } from "./body-edits.ts";
import { calleeOf, DIRECT_CALLS, findStopPlaces, HEAVY_BYTES, type StopPlaces } from "./call-graph.ts";
import type { ModuleEdits } from "./module-edits.ts";
import type { Code, Instruction, Pass } from "./pass.ts";

const O = OPCODE;

/** Instructions that each take as long as what they work on is large. */
const RANGE_WORK: readonly number[] = [
  O.memoryInit,
  O.memoryCopy,
  O.memoryFill,
  O.tableInit,
  O.tableCopy,
  O.tableFill,
  O.arrayNew,
  O.arrayNewDefault,
  O.arrayNewData,
  O.arrayNewElem,
  O.arrayFill,
  O.arrayCopy,
  O.arrayInitData,
  O.arrayInitElem,
];

export class StopChecks implements Pass {
  readonly name = "stop checks";
  readonly opcodes: ReadonlySet<number> = new Set([O.loop, ...DIRECT_CALLS, ...RANGE_WORK]);
  readonly #check: Code;
  readonly #places: StopPlaces;
  /** In the function that is visited: what its calls since the last check may run without a look, as its text has them. */
  #unchecked = 0;

  /** Imports the flag into the module. */
  constructor(edits: ModuleEdits) {
    const limits = { minPages: STOP_FLAG_PAGES, maxPages: STOP_FLAG_PAGES, shared: true };
    this.#check = checkOf(edits.importMemory(STOP_FLAG, limits));
    this.#places = findStopPlaces(edits);
  }

  enter(edits: BodyEdits): void {
    this.#unchecked = 0;
    if (this.#places.functions.has(edits.func.index)) edits.before(this.#check);
  }

  visit({ opcode, bytes }: Instruction, edits: BodyEdits): void {
    if (opcode === O.loop) edits.behind(this.#check);
    else if (DIRECT_CALLS.has(opcode)) this.#visitCall(this.#places.weightOf(calleeOf(bytes)), edits);
    else edits.before(this.#check);
  }

  #visitCall(weight: number, edits: BodyEdits): void {
    this.#unchecked += weight;
    if (this.#unchecked <= HEAVY_BYTES) return;
    edits.before(this.#check);
    this.#unchecked = weight;
  }
}

/** `(if (i32.lt_s (i32.load $flag (i32.const 0)) (i32.const 0)) (then (unreachable)))` */
function checkOf(memory: number): Code {
  const load = [OPCODE.i32Load, WORD_ALIGNMENT | HAS_MEMORY_INDEX, ...unsignedLeb(memory), STOP_FLAG_OFFSET];
  const trap = [OPCODE.if, EMPTY_BLOCK, OPCODE.unreachable, OPCODE.end];
  return Uint8Array.of(OPCODE.i32Const, 0, ...load, OPCODE.i32Const, 0, OPCODE.i32LtS, ...trap);
}

/** Four bytes, as a power of two. */
const WORD_ALIGNMENT = 2;
