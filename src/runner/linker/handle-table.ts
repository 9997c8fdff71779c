/**
 * The table of a component instance's handles (component-model `CanonicalABI.md`, "Handle Tables" and "Resource
 * Handles"). The guest has only indices into it, so it cannot use a handle that it never got or has dropped.
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";

/** The most handles in one table. The guest's context also bounds those to the host's resources. */
const HANDLES_MAX = 1 << 20;

/** An entry of the table. */
export interface Handle {
  /** The resource type, by its index in the plan. */
  readonly resource: number;
  /** The representation: an object of the host, or a number of the component that defines the resource. */
  readonly rep: unknown;
  /** Owned, or borrowed for the length of a call. */
  readonly own: boolean;
  /** The number of running calls that have borrowed it. */
  lends: number;
}

/** A table's content, to restore it from. */
export interface SavedHandles {
  readonly handles: readonly (Handle | undefined)[];
  readonly free: readonly number[];
}

/** The handles of one component instance. */
export class HandleTable {
  /** Index 0 is never a handle. */
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

  /** The handle at an index. Traps where the handle does not exist or is of another resource type. */
  get(index: number, resource: number): Handle {
    const handle = this.#handles[index];
    if (handle === undefined) throw createTrap("a handle is not the guest's");
    if (handle.resource !== resource) throw createTrap("a handle is of another resource");
    return handle;
  }

  /** Removes a handle. Traps like {@link get}, and where the handle is lent to a call. */
  remove(index: number, resource: number): Handle {
    const handle = this.get(index, resource);
    if (handle.lends > 0) throw createTrap("a handle is lent to a call");
    this.#handles[index] = undefined;
    this.#free.push(index);
    return handle;
  }

  /** All handles, in the order of their indices. */
  all(): Handle[] {
    return this.#handles.filter((handle) => handle !== undefined);
  }

  save(): SavedHandles {
    return { handles: [...this.#handles], free: [...this.#free] };
  }

  restore({ handles, free }: SavedHandles): void {
    // A table that was never used needs no copy: the usual case of components without resources.
    if (this.#handles.length === 1 && handles.length === 1) return;
    this.#handles = [...handles];
    this.#free = [...free];
  }
}
