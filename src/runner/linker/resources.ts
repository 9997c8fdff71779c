/**
 * Handles as values (component-model `CanonicalABI.md`, `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`).
 * A lifted handle is its representation: the host's object, or the number of the component that defines the resource.
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";
import type { PlanResource } from "../../contract/link-plan.ts";
import type { LiftLowerContext } from "./lift-lower-context.ts";
import type { CompiledType } from "./compiled-type.ts";
import { PRIMITIVES } from "./primitives.ts";

export function compileOwn(resource: number): CompiledType {
  return compileHandle(
    ({ inst }, index) => {
      const handle = inst.handles.remove(index, resource);
      if (!handle.own) throw createTrap("a borrowed handle is given away");
      return handle.rep;
    },
    ({ inst }, rep) => inst.handles.add(resource, rep, true),
  );
}

export function compileBorrow(resource: number, definition: PlanResource): CompiledType {
  const definedIn = definition.kind === "defined" ? definition.component : undefined;
  return compileHandle(
    ({ inst }, index) => {
      const handle = inst.handles.get(index, resource);
      if (handle.own) inst.lend(handle);
      return handle.rep;
    },
    // The component that defines a resource gets its own number, not a handle.
    ({ inst, instIndex }, rep) => (instIndex === definedIn ? (rep as number) : inst.borrow(resource, rep)),
  );
}

function compileHandle(
  lift: (cx: LiftLowerContext, index: number) => unknown,
  lower: (cx: LiftLowerContext, rep: unknown) => number,
): CompiledType {
  const index = PRIMITIVES.u32;
  return {
    ...index,
    load: (cx, at) => lift(cx, index.load(cx, at) as number),
    store: (cx, rep, at) => index.store(cx, lower(cx, rep), at),
    liftFlat: (cx, flat, from) => lift(cx, (flat[from] as number) >>> 0),
    lowerFlat: (cx, rep, flat, from) => {
      flat[from] = lower(cx, rep);
    },
  };
}
