/**
 * What lifting and lowering a function's values depends on in one instance: the canonical options, which are the memory,
 * its allocator and the encoding of strings, and the component instance that owns the handles (component-model
 * `CanonicalABI.md`, "Lifting and Lowering Context").
 *
 * @module
 */

import type { StringEncoding } from "../../contract/link-plan.ts";
import { createTrap } from "../guest/trap.ts";
import type { ComponentInstance } from "./component-instance.ts";
import type { LinearMemory } from "./linear-memory.ts";
import { STRING_CODECS, type StringCodec } from "./strings.ts";

/** A guest's `realloc`: original pointer, original size, alignment, size. */
export type Realloc = (from: number, fromBytes: number, align: number, bytes: number) => number;

export interface LiftLowerContextOptions {
  readonly inst: ComponentInstance;
  /** Index of the component instance in the plan. */
  readonly instIndex: number;
  readonly encoding: StringEncoding;
  readonly memory: LinearMemory | undefined;
  readonly realloc: Realloc | undefined;
}

export class LiftLowerContext {
  readonly inst: ComponentInstance;
  readonly instIndex: number;
  readonly strings: StringCodec;
  readonly #memory: LinearMemory | undefined;
  readonly #realloc: Realloc | undefined;

  constructor({ inst, instIndex, encoding, memory, realloc }: LiftLowerContextOptions) {
    this.inst = inst;
    this.instIndex = instIndex;
    this.strings = STRING_CODECS[encoding];
    this.#memory = memory;
    this.#realloc = realloc;
  }

  get memory(): LinearMemory {
    if (this.#memory === undefined) throw createTrap("a function passes through memory and has none");
    return this.#memory;
  }

  /** Guest code has run, and may have grown the memory. */
  refresh(): void {
    this.#memory?.refresh();
  }

  /** Has the guest allocate `bytes` bytes for the host to write to. Traps unless they are aligned and within its memory. */
  allocate(align: number, bytes: number): number {
    if (this.#realloc === undefined) throw createTrap("a function allocates and has no allocator");
    const pointer = this.#realloc(0, 0, align, bytes) >>> 0;
    this.memory.refresh();
    this.memory.checkWrite(pointer, bytes, align);
    return pointer;
  }
}
