/**
 * What carries an invocation to a server and its result back: TCP or NATS.
 *
 * @module
 */

import type { Failure } from "../call-error.ts";

/** One invocation of a function. */
export interface Invocation {
  readonly func: string;
  /** The encoded parameters, in parts. */
  readonly params: readonly Uint8Array[];
  /** A longer result is a failure. */
  readonly maxResultBytes: number;
  /** Ends it; the transport then keeps nothing of it, and what it returns is ignored. */
  readonly signal: AbortSignal;
}

export type Invoked =
  /** The server has ended the result: all that it sent of it. */
  { readonly kind: "ended"; readonly bytes: Uint8Array } | { readonly kind: "failed"; readonly failure: Failure };

/** Never rejects. */
export interface WrpcTransport {
  /** What it calls, for the texts of errors. */
  readonly plugin: string;
  invoke(invocation: Invocation): Promise<Invoked>;
}
