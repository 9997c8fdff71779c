/**
 * Checks the host's implementations against the published types of WASI's JavaScript mapping: the same members, the same
 * kinds of results. They differ in two ways, both on purpose: arguments are `unknown` until checked, and a function with a
 * WIT `result` returns it instead of throwing its error.
 *
 * @module
 */

import type { Result } from "../guest/guest-values.ts";

type Method = (...args: never[]) => unknown;

/** A published value as the host returns it: resources become their {@link Implementation}. */
type Given<Value> = Value extends string | number | bigint | boolean | undefined | void | Uint8Array | Uint32Array
  ? Value
  : Value extends readonly unknown[]
    ? { [Index in keyof Value]: Given<Value[Index]> }
    : Value extends object
      ? Implementation<Value>
      : Value;

/** The type of an implementation of a published object or interface. */
export type Implementation<Published> = {
  readonly [Name in keyof Published]: Published[Name] extends Method
    ? (...args: never[]) => Answer<ReturnType<Published[Name]>>
    : Given<Published[Name]>;
};

type Answer<Value> = Given<Value> | GivenResult<Value> | Promise<Given<Value> | GivenResult<Value>>;

type GivenResult<Value> = Result<Given<Value>, unknown>;

/** The functions of a published interface, without its resource classes. */
export type Functions<Published> = Implementation<{
  [Name in keyof Published as Published[Name] extends Method ? Name : never]: Published[Name];
}>;
