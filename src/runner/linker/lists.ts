/**
 * Lists. Lists of numbers are typed arrays in JavaScript and are copied as a whole; all others are copied element by
 * element (component-model `CanonicalABI.md`, "Loading", `load_list`, and "Storing", `store_list`).
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";
import type { PlanType } from "../../contract/link-plan.ts";
import type { LiftLowerContext } from "./lift-lower-context.ts";
import type { CompiledType } from "./compiled-type.ts";
import { storePair } from "./primitives.ts";

type TypedArray = { readonly buffer: ArrayBufferLike; readonly byteOffset: number; readonly byteLength: number };
type TypedArrayClass = new (buffer: ArrayBuffer) => TypedArray & ArrayLike<unknown>;

const TYPED_ARRAYS: Readonly<Record<string, TypedArrayClass>> = {
  u8: Uint8Array,
  s8: Int8Array,
  u16: Uint16Array,
  s16: Int16Array,
  u32: Uint32Array,
  s32: Int32Array,
  u64: BigUint64Array,
  s64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
};

/** Reads and writes a list's elements in memory. */
interface Elements {
  read(cx: LiftLowerContext, pointer: number, length: number): unknown;
  write(cx: LiftLowerContext, list: ArrayLike<unknown>, pointer: number): void;
}

export function compileList(element: CompiledType, elementType: PlanType): CompiledType {
  const typed = typeof elementType === "string" ? TYPED_ARRAYS[elementType] : undefined;
  const elements = typed === undefined ? eachElement(element) : allElements(element, typed);
  const { size, align } = element;

  function loadAt(cx: LiftLowerContext, pointer: number, length: number): unknown {
    cx.memory.check(pointer, length * size, align);
    return elements.read(cx, pointer, length);
  }

  function allocateAndWrite(cx: LiftLowerContext, list: unknown): number {
    if (!isList(list)) throw createTrap("a value is not a list");
    const pointer = cx.allocate(align, list.length * size);
    elements.write(cx, list, pointer);
    return pointer;
  }

  return {
    size: 8,
    align: 4,
    flat: ["i32", "i32"],
    load(cx, at) {
      const { view } = cx.memory;
      return loadAt(cx, view.getUint32(at, true), view.getUint32(at + 4, true));
    },
    store(cx, value, at) {
      const pointer = allocateAndWrite(cx, value);
      storePair(cx, at, pointer, (value as ArrayLike<unknown>).length);
    },
    liftFlat: (cx, flat, index) => loadAt(cx, (flat[index] as number) >>> 0, (flat[index + 1] as number) >>> 0),
    lowerFlat(cx, value, flat, index) {
      flat[index] = allocateAndWrite(cx, value);
      flat[index + 1] = (value as ArrayLike<unknown>).length;
    },
  };
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function eachElement(element: CompiledType): Elements {
  const { size } = element;
  return {
    read(cx, pointer, length) {
      const list: unknown[] = [];
      for (let index = 0; index < length; index += 1) list.push(element.load(cx, pointer + index * size));
      return list;
    },
    write(cx, list, pointer) {
      for (let index = 0; index < list.length; index += 1) element.store(cx, list[index], pointer + index * size);
    },
  };
}

/** Copies bytes as they are: on every processor that V8 runs WebAssembly on, its byte order is the memory's. */
function allElements(element: CompiledType, typed: TypedArrayClass): Elements {
  const each = eachElement(element);
  return {
    read({ memory }, pointer, length) {
      const copy = memory.bytes.slice(pointer, pointer + length * element.size);
      return typed === Uint8Array ? copy : new typed(copy.buffer);
    },
    write(cx, list, pointer) {
      if (!(list instanceof typed)) return each.write(cx, list, pointer);
      cx.memory.bytes.set(new Uint8Array(list.buffer, list.byteOffset, list.byteLength), pointer);
    },
  };
}
