/**
 * A value type compiled for lifting and lowering, once for all instances: its layout in memory, and its functions for both
 * directions, through memory and as core values (component-model `CanonicalABI.md`: "Alignment", "Element Size",
 * "Flattening", "Loading", "Storing", "Flat Lifting", "Flat Lowering"). Each call passes the instance, in the
 * {@link LiftLowerContext}.
 *
 * Callers check that a type's whole range is within the memory before they load or store it.
 *
 * @module
 */

import type { LiftLowerContext } from "./lift-lower-context.ts";

/** A core value type. */
export type FlatType = "i32" | "i64" | "f32" | "f64";

/** A core value: `i64` is a bigint. */
export type FlatValue = number | bigint;

/** A value type, as all instances lift and lower it. */
export interface CompiledType {
  /** Bytes in memory, a multiple of `align`. */
  readonly size: number;
  readonly align: number;
  /** The core values that it is passed as. */
  readonly flat: readonly FlatType[];
  /** Reads a value from memory. */
  load(cx: LiftLowerContext, at: number): unknown;
  /** Writes a value to memory. */
  store(cx: LiftLowerContext, value: unknown, at: number): void;
  /** Makes a value of core values, beginning with the one at `index`. */
  liftFlat(cx: LiftLowerContext, flat: readonly FlatValue[], index: number): unknown;
  /** Sets core values to a value, beginning at `index`. */
  lowerFlat(cx: LiftLowerContext, value: unknown, flat: FlatValue[], index: number): void;
}

/** The first multiple of `align` that is not below `offset`. */
export function alignTo(offset: number, align: number): number {
  return Math.ceil(offset / align) * align;
}

/** Stands for an absent type of a case or result. */
export const NOTHING: CompiledType = {
  size: 0,
  align: 1,
  flat: [],
  load: () => undefined,
  store: () => undefined,
  liftFlat: () => undefined,
  lowerFlat: () => undefined,
};

/** The spelling of a WIT name in JavaScript: `content-length` → `contentLength`. */
export function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
