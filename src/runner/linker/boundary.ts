/**
 * The canonical options of a function in one instance: the memory and the allocator that values go through, the
 * encoding of strings, and the component instance whose handles are meant (component-model `CanonicalABI.md`,
 * "Canonical ABI Options").
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";
import type { ComponentState } from "./component-state.ts";
import type { LinearMemory } from "./linear-memory.ts";
import { STRING_CODECS, type StringCodec, type StringEncoding } from "./strings.ts";

/** A guest's `realloc`: original pointer, original size, alignment, size. */
export type Realloc = (from: number, fromBytes: number, align: number, bytes: number) => number;

export interface BoundaryOptions {
  readonly component: ComponentState;
  /** Index of the component instance in the plan. */
  readonly componentIndex: number;
  readonly encoding: StringEncoding;
  readonly memory: LinearMemory | undefined;
  readonly realloc: Realloc | undefined;
}

export class Boundary {
  readonly component: ComponentState;
  readonly componentIndex: number;
  readonly strings: StringCodec;
  readonly #memory: LinearMemory | undefined;
  readonly #realloc: Realloc | undefined;

  constructor({ component, componentIndex, encoding, memory, realloc }: BoundaryOptions) {
    this.component = component;
    this.componentIndex = componentIndex;
    this.strings = STRING_CODECS[encoding];
    this.#memory = memory;
    this.#realloc = realloc;
  }

  get memory(): LinearMemory {
    if (this.#memory === undefined) throw createTrap("a function passes through memory and has none");
    return this.#memory;
  }

  /** Guest code has run. */
  refresh(): void {
    this.#memory?.refresh();
  }

  /** Has the guest allocate; traps unless what it gives is aligned and within its memory. */
  allocate(align: number, bytes: number): number {
    if (this.#realloc === undefined) throw createTrap("a function allocates and has no allocator");
    const pointer = this.#realloc(0, 0, align, bytes) >>> 0;
    this.memory.refresh();
    this.memory.check(pointer, bytes, align);
    return pointer;
  }
}
