/**
 * The table of a component instance's handles (component-model `CanonicalABI.md`, "Handle Tables" and "Resource
 * Handles"): what the guest has are indices into it, so a handle that was never given out, or that was dropped,
 * does not exist.
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";

/** Most handles in one table. Those to the host's resources are bounded by the guest's context besides. */
const HANDLES_MAX = 1 << 20;

export interface Handle {
  /** The resource type, by its index in the plan. */
  readonly resource: number;
  /** What it stands for: an object of the host, or a number of the component that defines the resource. */
  readonly rep: unknown;
  /** Owned, or borrowed for the length of a call. */
  readonly own: boolean;
  /** Calls that have borrowed it now. */
  lends: number;
}

/** A table's content, to be put back. */
export interface SavedHandles {
  readonly handles: readonly (Handle | undefined)[];
  readonly free: readonly number[];
}

export class HandleTable {
  /** Index 0 is never given out. */
  #handles: (Handle | undefined)[] = [undefined];
  #free: number[] = [];

  add(resource: number, rep: unknown, own: boolean): number {
    const handle: Handle = { resource, rep, own, lends: 0 };
    const free = this.#free.pop();
    if (free !== undefined) {
      this.#handles[free] = handle;
      return free;
    }
    if (this.#handles.length > HANDLES_MAX) throw createTrap("too many handles");
    return this.#handles.push(handle) - 1;
  }

  /** The handle at an index, which has to be of this type. */
  get(index: number, resource: number): Handle {
    const handle = this.#handles[index];
    if (handle === undefined) throw createTrap("a handle is not the guest's");
    if (handle.resource !== resource) throw createTrap("a handle is of another resource");
    return handle;
  }

  /** Takes a handle out, which must not be lent to a call. */
  remove(index: number, resource: number): Handle {
    const handle = this.get(index, resource);
    if (handle.lends > 0) throw createTrap("a handle is lent to a call");
    this.#handles[index] = undefined;
    this.#free.push(index);
    return handle;
  }

  /** The handles in it, by their indices. */
  all(): Handle[] {
    return this.#handles.filter((handle) => handle !== undefined);
  }

  save(): SavedHandles {
    return { handles: [...this.#handles], free: [...this.#free] };
  }

  restore({ handles, free }: SavedHandles): void {
    // A table that was never used stays as it is: the usual case of components without resources.
    if (this.#handles.length === 1 && handles.length === 1) return;
    this.#handles = [...handles];
    this.#free = [...free];
  }
}
