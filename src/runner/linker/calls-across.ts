/**
 * What happens when a call crosses a component's boundary, in either direction (component-model
 * `CanonicalABI.md`, `canon_lift`, `canon_lower`).
 *
 * Whatever is thrown out of a guest's call to the outside is a trap by the time it gets there: a guest with
 * exception handling catches every other error.
 *
 * @module
 */

import type { Suspension } from "../suspension.ts";
import { createTrap } from "../guest/trap.ts";
import type { Boundary } from "./boundary.ts";
import type { FlatValue } from "./compiled-type.ts";
import type { CompiledSignature } from "./signatures.ts";

export type CoreFunction = (...flat: readonly FlatValue[]) => FlatValue | undefined;

/** A core function that suspends: what JavaScript promise integration makes of one. */
export type SuspendableFunction = (...flat: readonly FlatValue[]) => Promise<FlatValue | undefined>;

/** A component function in one instance, to be called from outside. */
export interface LiftedFunction {
  readonly signature: CompiledSignature;
  readonly boundary: Boundary;
  readonly core: CoreFunction;
  readonly postReturn: CoreFunction | undefined;
}

/** What is made of how a call ended. */
export interface Settlement<Outcome> {
  readonly returned: (value: unknown) => Outcome;
  readonly threw: (thrown: unknown) => Outcome;
}

/** Calls a component function that does not suspend. */
export function callLifted(lifted: LiftedFunction, values: readonly unknown[]): unknown {
  return finish(lifted, lifted.core(...begin(lifted, values)));
}

/** Calls a component function that may suspend; `suspendable` is its core function. Throws if it cannot be begun. */
export function callSuspendable<Outcome>(
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

function begin({ signature, boundary }: LiftedFunction, values: readonly unknown[]): FlatValue[] {
  const { component } = boundary;
  component.enter();
  const state = component.close();
  const flat = signature.lowerParams(boundary, values);
  component.open(state);
  return flat;
}

function finish({ signature, boundary, postReturn }: LiftedFunction, returned: FlatValue | undefined): unknown {
  const { component } = boundary;
  const value = signature.liftResult(boundary, returned);
  if (postReturn !== undefined) {
    const state = component.close();
    if (returned === undefined) postReturn();
    else postReturn(returned);
    component.open(state);
  }
  component.exit();
  return value;
}

/** A function that is called from core code: lifts what it is called with, calls `target`, lowers the result. */
export function lowered(
  signature: CompiledSignature,
  boundary: Boundary,
  target: (values: readonly unknown[]) => unknown,
): CoreFunction {
  return (...flat) => {
    try {
      boundary.component.leave();
      return call(signature, boundary, target, flat);
    } catch (thrown) {
      throw asTrap(thrown);
    }
  };
}

/** Like {@link lowered}, for a target that may be called where the component must call nothing. */
export function loweredAnywhere(
  signature: CompiledSignature,
  boundary: Boundary,
  target: (values: readonly unknown[]) => unknown,
): CoreFunction {
  return (...flat) => {
    try {
      return call(signature, boundary, target, flat);
    } catch (thrown) {
      throw asTrap(thrown);
    }
  };
}

function call(
  signature: CompiledSignature,
  boundary: Boundary,
  target: (values: readonly unknown[]) => unknown,
  flat: readonly FlatValue[],
): FlatValue | undefined {
  const lent = boundary.component.lentCount;
  const result = target(signature.liftParams(boundary, flat));
  return giveResult(signature, boundary, flat, lent, result);
}

/** Like {@link lowered}, for a target that may give a promise; for a suspending import. */
export function loweredSuspending(
  signature: CompiledSignature,
  boundary: Boundary,
  suspension: Suspension,
  target: (values: readonly unknown[]) => unknown,
): (...flat: readonly FlatValue[]) => unknown {
  return (...flat) => {
    try {
      suspension.check();
      boundary.component.leave();
      const lent = boundary.component.lentCount;
      const result = target(signature.liftParams(boundary, flat));
      if (!(result instanceof Promise)) return giveResult(signature, boundary, flat, lent, result);
      return suspension.wait(result, (value) => giveResult(signature, boundary, flat, lent, value), asTrap);
    } catch (thrown) {
      throw asTrap(thrown);
    }
  };
}

function giveResult(
  signature: CompiledSignature,
  boundary: Boundary,
  flat: readonly FlatValue[],
  lentBefore: number,
  value: unknown,
): FlatValue | undefined {
  const { component } = boundary;
  component.takeBack(lentBefore);
  const state = component.close();
  const returned = signature.lowerResult(boundary, value, flat);
  component.open(state);
  return returned;
}

/** A real trap passes as it is; everything else becomes one. */
export function asTrap(thrown: unknown): Error {
  if (thrown instanceof WebAssembly.RuntimeError) return thrown;
  return createTrap(thrown instanceof Error ? thrown.message : "a component threw an exception");
}
