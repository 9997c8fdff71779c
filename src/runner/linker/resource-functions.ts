/**
 * The functions with which core code handles resources (component-model `CanonicalABI.md`,
 * `canon resource.new`, `canon resource.drop`, `canon resource.rep`).
 *
 * @module
 */

import type { LinkPlan, PlanItem, PlanResource } from "../../contract/link-plan.ts";
import { asTrap } from "../guest/trap.ts";
import type { CoreFunction } from "./canon.ts";
import type { ComponentInstance } from "./component-instance.ts";
import type { Handle } from "./handle-table.ts";
import { isPollable } from "./timekeeping.ts";

/** The instance that a function belongs to. */
export interface ResourceOwner {
  readonly components: readonly ComponentInstance[];
  /** Runs the destructor of a resource that a component of the plan defines, if it has one. */
  destroyResource(destructor: PlanItem | null, rep: unknown): void;
}

type ResourceItem = Extract<PlanItem, { resource: number }>;

/** Makes the function for one instance. */
export function createResourceFunction(
  instance: ResourceOwner,
  plan: LinkPlan,
  { kind, resource, component }: ResourceItem,
): CoreFunction {
  const state = instance.components[component] as ComponentInstance;
  switch (kind) {
    case "resource-new":
      return (rep) => {
        state.checkMayLeave();
        return state.handles.add(resource, rep, true);
      };
    case "resource-rep":
      return (index) => state.handles.get(Number(index) >>> 0, resource).rep as number;
    case "resource-drop": {
      const definition = plan.resources[resource] as PlanResource;
      const leaves = !isPollable(definition);
      return (index) => {
        if (leaves) state.checkMayLeave();
        const handle = state.handles.remove(Number(index) >>> 0, resource);
        if (!handle.own) state.giveBack();
        else {
          try {
            destroy(instance, definition, component, handle);
          } catch (thrown) {
            throw asTrap(thrown);
          }
        }
        return undefined;
      };
    }
  }
}

/** The owner has dropped a resource: disposes of an object of the host, or runs a component's destructor. */
function destroy(instance: ResourceOwner, definition: PlanResource, from: number, { rep }: Handle): void {
  if (definition.kind === "imported") {
    (rep as Partial<Disposable>)[Symbol.dispose]?.();
    return;
  }
  const owner = instance.components[definition.component] as ComponentInstance;
  const crosses = definition.component !== from;
  if (crosses) owner.enter();
  instance.destroyResource(definition.destructor, rep);
  if (crosses) owner.exit();
}
