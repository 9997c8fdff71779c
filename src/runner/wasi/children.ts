/**
 * WASI's rule of child resources: a guest must drop a child before its parent. A guest that drops the parent, or gives it
 * away, while a child lives is trapped.
 *
 * Only the streams of bodies count as children. The WIT lets pollables outlive their parents. It forbids that to header
 * fields and trailers; they may do so here nevertheless, because they are copies, as in Wasmtime, and a runtime that frees
 * objects in its own order, as Python's does, would trap for nothing.
 *
 * @module
 */

import type { GuestContext } from "../guest/guest-context.ts";

/** Counts the living children of one parent, which keeps this object. */
export class Children {
  readonly #context: GuestContext;
  /** What the trap's message calls the parent, for example `an outgoing-body`. */
  readonly #parent: string;
  #alive = 0;

  constructor(context: GuestContext, parent: string) {
    this.#context = context;
    this.#parent = parent;
  }

  /** Counts a child. Call the returned function once, when the child is dropped or given away. */
  adopt(): () => void {
    this.#alive += 1;
    return () => {
      this.#alive -= 1;
    };
  }

  /** The guest drops the parent or gives it away: traps if a child lives. */
  requireNone(): void {
    if (this.#alive > 0) throw this.#context.trap(`${this.#parent} was dropped before its child resource`);
  }
}
