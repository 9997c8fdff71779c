/**
 * The mutable globals of instances as bits. A JavaScript number does not keep the bits of a float: all its NaNs are one, and
 * a signalling NaN of an f32 becomes a quiet one. So a core module copies globals to a memory and back. JavaScript cannot
 * read a v128 at all; the module copies those, too.
 *
 * ```wat
 * (module
 *   (import "" "bits" (memory 1))
 *   (import "" "0" (global (mut …))) …
 *   (func (export "save") (param i32) (i32.store offset=0 (local.get 0) (global.get 0)) …)
 *   (func (export "load") (param i32) (global.set 0 (i32.load offset=0 (local.get 0))) …))
 * ```
 *
 * @module
 */

import { WASM_PAGE_BYTES } from "../../contract/component-limits.ts";
import type { BitType } from "../../contract/link-plan.ts";
import { ByteWriter, unsignedLeb } from "../../core-wasm/byte-writer.ts";
import { BIT_TYPE, MUTABLE, OPCODE, SECTION } from "../../core-wasm/format.ts";
import {
  encodeModule,
  exportOf,
  functionBody,
  functionType,
  importOf,
  section,
} from "../../core-wasm/module-writer.ts";

/** Copies the globals of one instance. Both functions take the address of the bits in the memory. */
export interface BoundGlobals {
  readonly save: (at: number) => void;
  readonly load: (at: number) => void;
}

/** The size of the largest type, and of the aligned slot of each global. */
const SLOT_BYTES = 16;

/** Opcode and alignment of a type's store and load. */
const STORE: Readonly<Record<BitType, readonly number[]>> = {
  i32: [0x36, 2],
  i64: [0x37, 3],
  f32: [0x38, 2],
  f64: [0x39, 3],
  v128: [0xfd, 0x0b, 4],
};
const LOAD: Readonly<Record<BitType, readonly number[]>> = {
  i32: [0x28, 2],
  i64: [0x29, 3],
  f32: [0x2a, 2],
  f64: [0x2b, 3],
  v128: [0xfd, 0x00, 4],
};

/** For a component without mutable globals. */
const NO_GLOBALS: BoundGlobals = { save: () => undefined, load: () => undefined };

/** The bits of one state, and room for those of another to compare them with. One for all instances of a component. */
export class GlobalBits {
  readonly #module: WebAssembly.Module | undefined;
  readonly #memory: WebAssembly.Memory;
  readonly #saved: Buffer;
  readonly #other: Buffer;

  /** @param types the globals' types, at most `MAX_RESTORED_GLOBALS` */
  constructor(types: readonly BitType[]) {
    const bytes = types.length * SLOT_BYTES;
    if (types.length > 0) this.#module = new WebAssembly.Module(encode(types));
    this.#memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil((2 * bytes) / WASM_PAGE_BYTES)) });
    this.#saved = Buffer.from(this.#memory.buffer, 0, bytes);
    this.#other = Buffer.from(this.#memory.buffer, bytes, bytes);
  }

  /** The globals of one instance, in the order of the types. */
  bind(globals: readonly WebAssembly.Global[]): BoundGlobals {
    if (this.#module === undefined) return NO_GLOBALS;
    const imports = Object.fromEntries(globals.map((global, index) => [String(index), global]));
    const { exports } = new WebAssembly.Instance(this.#module, { "": { bits: this.#memory, ...imports } });
    return exports as unknown as BoundGlobals;
  }

  /** Saves the values of these globals, in place of those saved before. */
  save(globals: BoundGlobals): void {
    globals.save(this.#saved.byteOffset);
  }

  /** Do these globals have the saved values, bit for bit? */
  equals(globals: BoundGlobals): boolean {
    globals.save(this.#other.byteOffset);
    return this.#other.equals(this.#saved);
  }

  /** Sets these globals to the saved values. */
  restore(globals: BoundGlobals): void {
    globals.load(this.#saved.byteOffset);
  }
}

function encode(types: readonly BitType[]): Uint8Array {
  const globals = types.map((type, index) => importOf(String(index), "global", BIT_TYPE[type], MUTABLE));
  const address = [OPCODE.localGet, 0];
  const slot = (index: number): number[] => unsignedLeb(index * SLOT_BYTES);
  const save = types.map((type, index) => [
    address,
    [OPCODE.globalGet, ...unsignedLeb(index)],
    [...STORE[type], ...slot(index)],
  ]);
  const load = types.map((type, index) => [
    address,
    [...LOAD[type], ...slot(index)],
    [OPCODE.globalSet, ...unsignedLeb(index)],
  ]);
  return encodeModule([
    section(SECTION.type, [functionType(["i32"], [])]),
    // Limits without a maximum; at least one page.
    section(SECTION.import, [importOf("bits", "memory", 0, 1), ...globals]),
    section(SECTION.function, [new ByteWriter().u32(0), new ByteWriter().u32(0)]),
    section(SECTION.export, [exportOf("save", "func", 0), exportOf("load", "func", 1)]),
    section(SECTION.code, [functionBody(...save.flat(2)), functionBody(...load.flat(2))]),
  ]);
}
