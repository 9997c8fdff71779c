/**
 * WIT interfaces as data. The gate compares a component's imports and exports with them. The data itself is
 * generated from `wit/` (`generated/interfaces.ts`).
 *
 * @module
 */

import type { PrimitiveType } from "./primitive-types.ts";

/** A value's type. `own`, `borrow` and `type` name what an interface declares: `namespace:package/interface#name`. */
export type TypeShape =
  | PrimitiveType
  | { readonly list: TypeShape }
  | { readonly option: TypeShape }
  | { readonly tuple: readonly TypeShape[] }
  /** `null` where there is no payload. */
  | { readonly result: { readonly ok: TypeShape | null; readonly err: TypeShape | null } }
  | { readonly record: Readonly<Record<string, TypeShape>> }
  | { readonly variant: Readonly<Record<string, TypeShape | null>> }
  | { readonly flags: readonly string[] }
  | { readonly enum: readonly string[] }
  | { readonly own: string }
  | { readonly borrow: string }
  | { readonly type: string };

/** A function: parameters in order, and the result or `null`. */
export interface FunctionShape {
  readonly params: Readonly<Record<string, TypeShape>>;
  readonly result: TypeShape | null;
}

/** An interface: what it declares, by name. Functions are named as in binaries, for example `[method]pollable.block`. */
export interface InterfaceShape {
  readonly resources: readonly string[];
  readonly types: Readonly<Record<string, TypeShape>>;
  readonly functions: Readonly<Record<string, FunctionShape>>;
}

/** Interfaces by name, without versions. */
export type InterfaceTable = Readonly<Record<string, InterfaceShape>>;
