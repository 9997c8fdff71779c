/**
 * The messages between the driver and the thread of the embedded store. A batch is one message, and its results are
 * one message (those of large values several): the names as plain strings, the small values packed into one buffer,
 * which is handed over, and large ones without a copy of theirs.
 *
 * @module
 */

import type { ErrorCode } from "../../errors/table.ts";
import type { OperationKind } from "../operation.ts";
import type { KeyAddress } from "../store.ts";

/** From this size on a value is not copied to be packed. */
const APART_BYTES = 64 * 1024;

/** Length of a value that is not packed but the next one of those apart. */
const APART = -1;
/** Length of what is not there. */
const NONE = -2;

/** Values in a message: each length stands for one, in their order. */
export interface PackedValues {
  readonly lengths: readonly number[];
  readonly packed: Uint8Array;
  readonly apart: readonly Uint8Array[];
}

/** To the thread. */
export type ThreadRequest =
  | BatchRequest
  | { readonly kind: "ping"; readonly id: number; readonly timeoutMs: number }
  /** Finish what is in flight, close the database, end. */
  | { readonly kind: "close" };

/** A batch, its addresses written flat. The claims of its entries are those from 0 on, of its kind. */
export interface BatchRequest {
  readonly kind: OperationKind;
  readonly id: number;
  readonly timeoutMs: number;
  readonly names: readonly string[];
  /** What a write is to leave there. */
  readonly values?: PackedValues;
}

/** From the thread. */
export type ThreadReply =
  | { readonly kind: "opened" }
  /** The database cannot be opened; the thread ends. */
  | ({ readonly kind: "refused" } & Failure)
  | BatchReply
  /** `reason`: why the database cannot be read. */
  | { readonly kind: "pong"; readonly id: number; readonly reason: string | undefined };

/** Results of a batch's entries from `from` on, as many as `values` has; a write that succeeded has none. */
export interface BatchReply {
  readonly kind: "results";
  readonly id: number;
  readonly from: number;
  readonly values: PackedValues;
  readonly failures: readonly (Failure & { readonly at: number })[];
  readonly isLast: boolean;
}

/** An error as it crosses threads: without its cause, which may quote a value. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a thread is started with. */
export interface ThreadData {
  readonly path: string;
  readonly maxBytes: number | undefined;
  /** See `sqlite-claims.ts`. */
  readonly claims: SharedArrayBuffer;
}

/** A message and what of it is handed over with it. */
export interface Packed {
  readonly values: PackedValues;
  readonly transfer: ArrayBuffer[];
}

/** The values of a message to the thread. Shared memory is passed on as it is; everything else is copied. */
export function packShared(values: readonly Uint8Array[]): Packed {
  return pack(values, (value) => (value.buffer instanceof SharedArrayBuffer ? "share" : "copy"));
}

/** The values of a message from the thread, which has no more use for them. */
export function packOwned(values: readonly (Uint8Array | undefined)[]): Packed {
  return pack(values, (value) => (value.buffer.byteLength === value.byteLength ? "transfer" : "copy"));
}

function pack(
  values: readonly (Uint8Array | undefined)[],
  wayOf: (value: Uint8Array) => "share" | "transfer" | "copy",
): Packed {
  const lengths: number[] = [];
  const apart: Uint8Array[] = [];
  const small: Uint8Array[] = [];
  const transfer: ArrayBuffer[] = [];
  let bytes = 0;
  for (const value of values) {
    const way = value === undefined || value.length < APART_BYTES ? "copy" : wayOf(value);
    if (value === undefined) lengths.push(NONE);
    else if (way === "copy") {
      lengths.push(value.length);
      small.push(value);
      bytes += value.length;
    } else {
      lengths.push(APART);
      apart.push(value);
      if (way === "transfer" && value.buffer instanceof ArrayBuffer) transfer.push(value.buffer);
    }
  }
  const packed = new Uint8Array(bytes);
  let at = 0;
  for (const value of small) {
    packed.set(value, at);
    at += value.length;
  }
  transfer.push(packed.buffer);
  return { values: { lengths, packed, apart }, transfer };
}

/** The values of a message; those that were packed are views of one buffer. */
export function unpack({ lengths, packed, apart }: PackedValues): (Uint8Array | undefined)[] {
  let at = 0;
  let next = 0;
  return lengths.map((length) => {
    if (length === NONE) return undefined;
    if (length === APART) return apart[next++];
    return packed.subarray(at, (at += length));
  });
}

/** Addresses as {@link BatchRequest} has them. */
export function namesOf(addresses: Iterable<KeyAddress>): string[] {
  const names: string[] = [];
  for (const { namespace, bucket, key } of addresses) {
    names.push(namespace.kind, namespace.kind === "private" ? namespace.plugin : namespace.name, bucket, key);
  }
  return names;
}
