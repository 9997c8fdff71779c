/**
 * A pass changes the code of a core module in one respect. All passes look at the module as it was, and none sees what
 * another adds, so that each can be understood and tested alone. {@link rewriteCode} walks each body once for all of them.
 *
 * @module
 */

import type { BodyEdits } from "./body-edits.ts";

export type { Code } from "./body-edits.ts";

/** An instruction of the module as it was. Only valid while a pass is told of it. */
export interface Instruction {
  readonly opcode: number;
  /** All of its bytes: the opcode and the immediates. */
  readonly bytes: Uint8Array;
}

export interface Pass {
  /** Unique among the passes of a module. */
  readonly name: string;
  /** What it wants to be told of. See `OPCODE` for opcodes with a prefix. */
  readonly opcodes: ReadonlySet<number>;
  /** Told of each function, before its first instruction. */
  enter?(edits: BodyEdits): void;
  /** Told of each instruction of its opcodes, in the order of the code. */
  visit(instruction: Instruction, edits: BodyEdits): void;
}
