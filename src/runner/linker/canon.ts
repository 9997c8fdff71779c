/**
 * Calls across a component's boundary, in either direction (component-model `CanonicalABI.md`, `canon_lift`,
 * `canon_lower`).
 *
 * Every error that a guest's call to the outside throws becomes a trap before it reaches the guest: a guest with exception
 * handling could catch any other error.
 *
 * @module
 */

import type { Suspension } from "../suspension.ts";
import { asTrap } from "../guest/trap.ts";
import type { LiftLowerContext } from "./lift-lower-context.ts";
import type { FlatValue } from "./compiled-type.ts";
import type { CompiledSignature } from "./signatures.ts";

/** A function of a core module, or one for core code to call. */
export type CoreFunction = (...flat: readonly FlatValue[]) => FlatValue | undefined;

/** A core function that may suspend, as JavaScript promise integration wraps it. */
export type SuspendableFunction = (...flat: readonly FlatValue[]) => Promise<FlatValue | undefined>;

/** A component function in one instance, for a call from outside. */
export interface LiftedFunction {
  readonly signature: CompiledSignature;
  readonly cx: LiftLowerContext;
  readonly core: CoreFunction;
  readonly postReturn: CoreFunction | undefined;
}

/** Makes the outcome of how a call ended. */
export interface Settlement<Outcome> {
  readonly returned: (value: unknown) => Outcome;
  readonly threw: (thrown: unknown) => Outcome;
}

/** Calls a component function that does not suspend. */
export function canonLift(lifted: LiftedFunction, values: readonly unknown[]): unknown {
  return finish(lifted, lifted.core(...begin(lifted, values)));
}

/** Calls a component function that may suspend; `suspendable` is its core function. Throws if the call cannot begin. */
export function canonLiftSuspending<Outcome>(
  lifted: LiftedFunction,
  suspendable: SuspendableFunction,
  values: readonly unknown[],
  { returned, threw }: Settlement<Outcome>,
): Promise<Outcome> {
  return suspendable(...begin(lifted, values)).then((flat) => {
    try {
      return returned(finish(lifted, flat));
    } catch (thrown) {
      return threw(thrown);
    }
  }, threw);
}

function begin({ signature, cx }: LiftedFunction, values: readonly unknown[]): FlatValue[] {
  const { inst } = cx;
  inst.enter();
  const state = inst.forbidLeaving();
  const flat = signature.lowerParams(cx, values);
  inst.allowLeaving(state);
  return flat;
}

function finish({ signature, cx, postReturn }: LiftedFunction, returned: FlatValue | undefined): unknown {
  const { inst } = cx;
  const value = signature.liftResult(cx, returned);
  if (postReturn !== undefined) {
    const state = inst.forbidLeaving();
    if (returned === undefined) postReturn();
    else postReturn(returned);
    inst.allowLeaving(state);
  }
  inst.exit();
  return value;
}

/** A function for core code to call: lifts its arguments, calls `target`, lowers the result. */
export function canonLower(
  signature: CompiledSignature,
  cx: LiftLowerContext,
  target: (values: readonly unknown[]) => unknown,
): CoreFunction {
  return (...flat) => {
    try {
      cx.inst.checkMayLeave();
      return call(signature, cx, target, flat);
    } catch (thrown) {
      throw asTrap(thrown);
    }
  };
}

/** Like {@link canonLower}, for a target that the component may call even where it must not leave. */
export function canonLowerAnywhere(
  signature: CompiledSignature,
  cx: LiftLowerContext,
  target: (values: readonly unknown[]) => unknown,
): CoreFunction {
  return (...flat) => {
    try {
      return call(signature, cx, target, flat);
    } catch (thrown) {
      throw asTrap(thrown);
    }
  };
}

function call(
  signature: CompiledSignature,
  cx: LiftLowerContext,
  target: (values: readonly unknown[]) => unknown,
  flat: readonly FlatValue[],
): FlatValue | undefined {
  const lent = cx.inst.lentCount;
  const result = target(signature.liftParams(cx, flat));
  return giveResult(signature, cx, flat, lent, result);
}

/** Like {@link canonLower}, for a suspending import: its target may return a promise. */
export function canonLowerSuspending(
  signature: CompiledSignature,
  cx: LiftLowerContext,
  suspension: Suspension,
  target: (values: readonly unknown[]) => unknown,
): (...flat: readonly FlatValue[]) => unknown {
  return (...flat) => {
    try {
      suspension.check();
      cx.inst.checkMayLeave();
      const lent = cx.inst.lentCount;
      const result = target(signature.liftParams(cx, flat));
      if (!(result instanceof Promise)) return giveResult(signature, cx, flat, lent, result);
      return suspension.wait(result, (value) => giveResult(signature, cx, flat, lent, value), asTrap);
    } catch (thrown) {
      throw asTrap(thrown);
    }
  };
}

function giveResult(
  signature: CompiledSignature,
  cx: LiftLowerContext,
  flat: readonly FlatValue[],
  lentBefore: number,
  value: unknown,
): FlatValue | undefined {
  const { inst } = cx;
  inst.takeBack(lentBefore);
  const state = inst.forbidLeaving();
  const returned = signature.lowerResult(cx, value, flat);
  inst.allowLeaving(state);
  return returned;
}
