/**
 * Looks at instances that were put back, bit by bit and with means of its own: whole copies of memories, a core function
 * for each global, and every handle. What differs from the first state is thrown. Of an instance that has started it notes
 * the state, for a test to compare with that of another one.
 *
 * @module
 */

import { digestOf } from "../../src/contract/digest.ts";
import type { BitType } from "../../src/contract/link-plan.ts";
import { ByteWriter } from "../../src/core-wasm/byte-writer.ts";
import { BIT_TYPE, MUTABLE, OPCODE, SECTION } from "../../src/core-wasm/format.ts";
import {
  encodeModule,
  exportOf,
  functionBody,
  functionType,
  importOf,
  section,
} from "../../src/core-wasm/module-writer.ts";
import type { InstanceAudit } from "../../src/runner/linker/instance-audit.ts";
import type { SavedHandles } from "../../src/runner/linker/handle-table.ts";
import type { LinkedInstance } from "../../src/runner/linker/linked-instance.ts";

/** What an audited runner says on stderr, after the first check. */
export const AUDIT_AT_WORK = "audit: an instance was put back";

/** Reads the bits of a global, 64 at a time. */
type ReadBits = () => readonly bigint[];

/** What a guest can see of its state, whatever instance it is in. */
export interface StartedState {
  /** Without the zeroes at their ends, which a reserve may be. */
  readonly memories: readonly string[];
  readonly globals: readonly string[];
  readonly handles: readonly string[];
}

interface Picture {
  readonly memories: readonly Buffer[];
  readonly readers: readonly ReadBits[];
  readonly globals: readonly (readonly bigint[])[];
  readonly handles: readonly SavedHandles[];
}

export class BitAudit implements InstanceAudit {
  readonly #pictures = new WeakMap<LinkedInstance, Picture>();
  #restores = 0;
  #lastStarted: StartedState | undefined;

  /** Instances that were looked at after they had been put back. */
  get restores(): number {
    return this.#restores;
  }

  /** The state of the instance whose start functions have run last, when they had. */
  get lastStarted(): StartedState | undefined {
    return this.#lastStarted;
  }

  noteStarted(instance: LinkedInstance): void {
    this.#lastStarted = {
      memories: instance.memories().map(({ buffer }) => digestWithoutTail(Buffer.from(buffer))),
      globals: instance.globals().map((global, index) => hex(reader(global, instance.globalTypes()[index])())),
      handles: instance.components.map(({ handles }) => describe(handles.save())),
    };
  }

  noteSnapshot(instance: LinkedInstance): void {
    const readers = instance.globals().map((global, index) => reader(global, instance.globalTypes()[index]));
    this.#pictures.set(instance, {
      memories: instance.memories().map(({ buffer }) => Buffer.from(buffer.slice(0))),
      readers,
      globals: readers.map((read) => read()),
      handles: instance.components.map(({ handles }) => copy(handles.save())),
    });
  }

  checkRestored(instance: LinkedInstance): void {
    const first = this.#pictures.get(instance);
    if (first === undefined) throw new Error("an instance was put back that had no first state");
    this.#restores += 1;
    for (const [index, { buffer }] of instance.memories().entries()) {
      const before = first.memories[index] as Buffer;
      const now = Buffer.from(buffer);
      if (now.length !== before.length)
        throw new Error(`memory ${index} has ${now.length} bytes, not ${before.length}`);
      const at = now.equals(before) ? -1 : now.findIndex((byte, offset) => byte !== before[offset]);
      if (at !== -1) throw new Error(`memory ${index} differs at ${at}: ${now[at]}, not ${before[at]}`);
    }
    for (const [index, read] of first.readers.entries()) {
      const [now, before] = [hex(read()), hex(first.globals[index] ?? [])];
      if (now !== before) throw new Error(`global ${index} differs: ${now}, not ${before}`);
    }
    for (const [index, component] of instance.components.entries()) {
      const [now, before] = [describe(component.handles.save()), describe(first.handles[index])];
      if (now !== before) throw new Error(`the handles of component ${index} differ: ${now}, not ${before}`);
      if (!sameResources(component.handles.save(), first.handles[index]))
        throw new Error(`a handle of component ${index} stands for another resource`);
      if (component.lentCount !== 0) throw new Error(`component ${index} has lent handles to nobody`);
    }
  }
}

function digestWithoutTail(memory: Buffer): string {
  let end = memory.length;
  while (end > 0 && memory[end - 1] === 0) end -= 1;
  return digestOf(memory.subarray(0, end));
}

/** Handles count how often they are lent: a copy does not. */
function copy({ handles, free }: SavedHandles): SavedHandles {
  return { handles: handles.map((handle) => handle && { ...handle }), free };
}

function describe(saved: SavedHandles | undefined): string {
  const handles = saved?.handles.map((handle) => handle && [handle.resource, handle.own, handle.lends]);
  return JSON.stringify([handles, saved?.free]);
}

function sameResources(now: SavedHandles, before: SavedHandles | undefined): boolean {
  return now.handles.every((handle, index) => Object.is(handle?.rep, before?.handles[index]?.rep));
}

function hex(bits: readonly bigint[]): string {
  return bits.map((value) => BigInt.asUintN(64, value).toString(16)).join(" ");
}

/** What makes 64 bits of a global on the stack; one entry for each result. */
const TO_BITS: Readonly<Record<BitType, readonly (readonly number[])[]>> = {
  i32: [[0xad]],
  i64: [[]],
  // The f32's bits as an i32, extended.
  f32: [[0xbc, 0xad]],
  f64: [[0xbd]],
  // i64x2.extract_lane
  v128: [
    [0xfd, 0x1d, 0],
    [0xfd, 0x1d, 1],
  ],
};

/** `(module (import "" "g" (global (mut …))) (func (export "0") (result i64) …) …)` */
function reader(global: WebAssembly.Global, type: BitType | undefined): ReadBits {
  if (type === undefined) throw new Error("a global has no type");
  const bodies = TO_BITS[type].map((convert) => functionBody(OPCODE.globalGet, 0, ...convert));
  const binary = encodeModule([
    section(SECTION.type, [functionType([], ["i64"])]),
    section(SECTION.import, [importOf("g", "global", BIT_TYPE[type], MUTABLE)]),
    section(
      SECTION.function,
      bodies.map(() => new ByteWriter().u32(0)),
    ),
    section(
      SECTION.export,
      bodies.map((_, index) => exportOf(String(index), "func", index)),
    ),
    section(SECTION.code, bodies),
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), { "": { g: global } });
  const functions = Object.values(exports) as (() => bigint)[];
  return () => functions.map((read) => read());
}
