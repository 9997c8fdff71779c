/**
 * One component instance while it runs: its handles, and whether it may be entered and left now
 * (component-model `CanonicalABI.md`, "Component Instance State"). After a trap the whole is thrown away, so
 * nothing here is put right when one passes through.
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";
import { type Handle, HandleTable } from "./handle-table.ts";

/** What the specification says with two flags: `may_enter` where it is idle, `may_leave` where the name does not deny it. */
export type InstanceState = "idle" | "running" | "may-not-leave";

export class ComponentInstance {
  readonly handles = new HandleTable();
  #state: InstanceState = "idle";
  /** Handles borrowed by the call that runs; it has to drop them all. */
  #borrows = 0;
  /** Own handles that are lent to calls out of the component, the last call's last. */
  readonly #lent: Handle[] = [];

  /** A call comes in. */
  enter(): void {
    if (this.#state !== "idle") throw createTrap("a component is entered while it runs");
    this.#state = "running";
  }

  /** The call returns. */
  exit(): void {
    if (this.#borrows !== 0) throw createTrap("a call returned with borrowed handles that it did not drop");
    this.#state = "idle";
  }

  /** May its code wait now? Not while the host allocates in its memory or cleans up after a call, nor before a call. */
  get mayWait(): boolean {
    return this.#state === "running";
  }

  /** Code of the component calls out. It may not while the host allocates in its memory or cleans up after a call. */
  checkMayLeave(): void {
    if (this.#state === "may-not-leave") throw createTrap("a component calls out where it must not");
  }

  /** Until {@link allowLeaving} the component may not call out. The result is for {@link allowLeaving}. */
  forbidLeaving(): InstanceState {
    const before = this.#state;
    this.#state = "may-not-leave";
    return before;
  }

  allowLeaving(before: InstanceState): void {
    this.#state = before;
  }

  /** Handles that are lent now; for {@link takeBack}. */
  get lentCount(): number {
    return this.#lent.length;
  }

  lend(handle: Handle): void {
    handle.lends += 1;
    this.#lent.push(handle);
  }

  /** A call has ended: what was lent to it is not any more. */
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
