/**
 * What passes change in one function body: code at its start, and before, behind and instead of its instructions, and the
 * locals that this code needs. Passes nest: the first of the list stands closest to the instruction, on both sides.
 *
 * @module
 */

import type { BitType } from "../../../contract/link-plan.ts";
import { ByteWriter } from "../../../core-wasm/byte-writer.ts";
import { BIT_TYPE } from "../../../core-wasm/format.ts";
import { HostError } from "../../../errors/host-error.ts";
import { refusal } from "../refusal.ts";

/** The most locals of a function, its parameters included (WebAssembly JavaScript interface, "Implementation-defined limits"). */
const LOCALS_MAX = 50_000;

/** Bytes of instructions. */
export type Code = Uint8Array;

/** The function that a body is of. */
export interface EditedFunction {
  /** In the index space of functions, imports included. */
  readonly index: number;
  /** Binary codes of its parameters' and results' types; of a reference, the first byte. */
  readonly params: readonly number[];
  readonly results: readonly number[];
  /** Parameters and declared locals: the index of the first local that is added. */
  readonly locals: number;
}

export class BodyEdits {
  readonly func: EditedFunction;
  readonly #bytes: Uint8Array;
  readonly #code = new ByteWriter();
  readonly #locals = new Map<string, number>();
  readonly #localTypes: BitType[] = [];
  #before: Code[] = [];
  #behind: Code[] = [];
  #instead: Code | undefined;
  /** How much of the body was copied to the new code. */
  #copied: number;
  #isEdited = false;

  /** @param codeStart where the code begins in the body's bytes, behind the locals */
  constructor(func: EditedFunction, bytes: Uint8Array, codeStart: number) {
    this.func = func;
    this.#bytes = bytes;
    this.#copied = codeStart;
  }

  /** Puts code before the instruction that is visited, or before the first one while the function is entered. */
  before(code: Code): void {
    this.#before.unshift(code);
    this.#isEdited = true;
  }

  /** Puts code behind the instruction that is visited. Behind a branch it never runs, behind a `loop` it runs in each turn. */
  behind(code: Code): void {
    this.#behind.push(code);
    this.#isEdited = true;
  }

  /** Puts code in the place of the instruction that is visited. At most one pass may. */
  replace(code: Code): void {
    if (this.#instead !== undefined) throw new HostError("compile-failed", "two passes replace one instruction");
    this.#instead = code;
    this.#isEdited = true;
  }

  /** The pass's own local of that type in this function, and its `nth` one where it needs several. */
  local({ name }: { readonly name: string }, type: BitType, nth = 0): number {
    const key = `${name} ${type} ${nth}`;
    const known = this.#locals.get(key);
    if (known !== undefined) return known;
    const index = this.func.locals + this.#localTypes.push(type) - 1;
    if (index >= LOCALS_MAX) throw refusal("a function has too many locals");
    this.#locals.set(key, index);
    return index;
  }

  /** All passes were told of the instruction from `start` to `end` of the body: writes what they want. */
  apply(start: number, end: number): void {
    if (this.#before.length === 0 && this.#behind.length === 0 && this.#instead === undefined) return;
    this.#code.bytes(this.#bytes.subarray(this.#copied, start));
    for (const code of this.#before) this.#code.bytes(code);
    this.#code.bytes(this.#instead ?? this.#bytes.subarray(start, end));
    for (const code of this.#behind) this.#code.bytes(code);
    this.#copied = end;
    this.#before = [];
    this.#behind = [];
    this.#instead = undefined;
  }

  /** The new body: its locals and its code. `groups` are those of the locals, whose bytes begin at `groupsStart`. */
  finish(groups: number, groupsStart: number, codeStart: number): Uint8Array {
    if (!this.#isEdited) return this.#bytes;
    const body = new ByteWriter().u32(groups + this.#localTypes.length);
    body.bytes(this.#bytes.subarray(groupsStart, codeStart));
    for (const type of this.#localTypes) body.u8(1, BIT_TYPE[type]);
    return body.append(this.#code).bytes(this.#bytes.subarray(this.#copied)).finish();
  }
}
