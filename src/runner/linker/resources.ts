/**
 * Handles as values (component-model `CanonicalABI.md`, `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`).
 * Lifted, a handle is what it stands for: the host's object, or the number of the component that defines the
 * resource.
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";
import type { PlanResource } from "../../contract/link-plan.ts";
import type { Boundary } from "./boundary.ts";
import type { CompiledType } from "./compiled-type.ts";
import { PRIMITIVES } from "./primitives.ts";

export function compileOwn(resource: number): CompiledType {
  return compileHandle(
    ({ component }, index) => {
      const handle = component.handles.remove(index, resource);
      if (!handle.own) throw createTrap("a borrowed handle is given away");
      return handle.rep;
    },
    ({ component }, rep) => component.handles.add(resource, rep, true),
  );
}

export function compileBorrow(resource: number, definition: PlanResource): CompiledType {
  const definedIn = definition.kind === "defined" ? definition.component : undefined;
  return compileHandle(
    ({ component }, index) => {
      const handle = component.handles.get(index, resource);
      if (handle.own) component.lend(handle);
      return handle.rep;
    },
    // The component that defines a resource gets its own number, not a handle.
    ({ component, componentIndex }, rep) =>
      componentIndex === definedIn ? (rep as number) : component.borrow(resource, rep),
  );
}

function compileHandle(
  lift: (boundary: Boundary, index: number) => unknown,
  lower: (boundary: Boundary, rep: unknown) => number,
): CompiledType {
  const index = PRIMITIVES.u32;
  return {
    ...index,
    load: (boundary, at) => lift(boundary, index.load(boundary, at) as number),
    store: (boundary, rep, at) => index.store(boundary, lower(boundary, rep), at),
    lift: (boundary, flat, from) => lift(boundary, (flat[from] as number) >>> 0),
    lower: (boundary, rep, flat, from) => {
      flat[from] = lower(boundary, rep);
    },
  };
}
