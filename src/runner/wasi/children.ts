/**
 * WASI's rule of children: what a resource gives out as a part of itself is dropped before it. Who drops the parent, or
 * gives it away, while a child lives is trapped.
 *
 * Counted are the streams of bodies. Pollables may outlive what they are of, as the WIT has it. So may header fields and
 * trailers, of which it says that they must not: they are copies, here as in Wasmtime, and a runtime that frees in an
 * order of its own (Python does) would trap for nothing.
 *
 * @module
 */

import type { GuestContext } from "../guest/guest-context.ts";

/** Kept by the parent. */
export class Children {
  readonly #context: GuestContext;
  /** What the parent is, for the message: `an outgoing-body`. */
  readonly #parent: string;
  #alive = 0;

  constructor(context: GuestContext, parent: string) {
    this.#context = context;
    this.#parent = parent;
  }

  /** Counts a child in; the result is to be called, once, when it is dropped or given away. */
  adopt(): () => void {
    this.#alive += 1;
    return () => {
      this.#alive -= 1;
    };
  }

  /** The parent is about to go: traps if a child is there. */
  requireNone(): void {
    if (this.#alive > 0) throw this.#context.trap(`${this.#parent} was dropped before its child resource`);
  }
}
