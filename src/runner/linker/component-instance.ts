/**
 * One component instance while it runs: its handles, and whether it may be entered and left now
 * (component-model `CanonicalABI.md`, "Component Instance State"). After a trap the runner drops the whole instance, so no
 * method restores this state when a trap passes through.
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";
import { type Handle, HandleTable } from "./handle-table.ts";

/** The specification's two flags as one state: `may_enter` is true in `idle`, `may_leave` in all but `may-not-leave`. */
export type InstanceState = "idle" | "running" | "may-not-leave";

export class ComponentInstance {
  readonly handles = new HandleTable();
  #state: InstanceState = "idle";
  /** Handles that the running call has borrowed, and must drop before it returns. */
  #borrows = 0;
  /** Own handles that are lent to calls out of the component, in the order of the calls. */
  readonly #lent: Handle[] = [];

  /** A call enters the component. Traps while another one runs. */
  enter(): void {
    if (this.#state !== "idle") throw createTrap("a component is entered while it runs");
    this.#state = "running";
  }

  /** The call returns. Traps where it has not dropped every handle that it borrowed. */
  exit(): void {
    if (this.#borrows !== 0) throw createTrap("a call returned with borrowed handles that it did not drop");
    this.#state = "idle";
  }

  /** May its code wait now? Not while the host allocates in its memory or runs its post-return, nor before a call. */
  get mayWait(): boolean {
    return this.#state === "running";
  }

  /** The component calls out. Traps while the host allocates in the component's memory or runs its post-return. */
  checkMayLeave(): void {
    if (this.#state === "may-not-leave") throw createTrap("a component calls out where it must not");
  }

  /** From now until {@link allowLeaving}, which takes the result, the component may not call out. */
  forbidLeaving(): InstanceState {
    const before = this.#state;
    this.#state = "may-not-leave";
    return before;
  }

  allowLeaving(before: InstanceState): void {
    this.#state = before;
  }

  /** The number of handles that are lent now; for {@link takeBack}. */
  get lentCount(): number {
    return this.#lent.length;
  }

  lend(handle: Handle): void {
    handle.lends += 1;
    this.#lent.push(handle);
  }

  /** A call has ended: takes back the handles that were lent to it. */
  takeBack(lentBefore: number): void {
    while (this.#lent.length > lentBefore) {
      const handle = this.#lent.pop();
      if (handle !== undefined) handle.lends -= 1;
    }
  }

  borrow(resource: number, rep: unknown): number {
    this.#borrows += 1;
    return this.handles.add(resource, rep, false);
  }

  /** A borrowed handle was dropped. */
  giveBack(): void {
    this.#borrows -= 1;
  }
}
