/**
 * Rule: nothing of a component lives on the heap that V8 collects. No limit of a plugin bounds that heap: `memoryBytes`
 * is about linear memory. So types and instructions of two proposals are refused wherever they stand: those of garbage
 * collection (structs, arrays, `i31`, their references, casts, recursive and derived types), and those of exception
 * handling (tags, `try`, `throw`, references to exceptions).
 *
 * References to functions, and `externref`, of which the host gives none, are no matter of this rule: a component has
 * as many as it has functions.
 *
 * @module
 */

import type { HostError } from "../../errors/host-error.ts";
import type { ByteReader } from "../byte-reader.ts";

const GARBAGE_COLLECTION_ADVICE =
  "build the plugin with a toolchain that keeps its objects in linear memory, as those for C, Rust, Go, Python and JavaScript do";
const EXCEPTIONS_ADVICE = "build the plugin without WebAssembly exceptions, for example with `-fno-exceptions`";

/** What to do about what this reader does not know. */
export const NEW_PROPOSALS_ADVICE = "build the module without new proposals of WebAssembly";

/** The error for a part of garbage collection; `what` names it. */
export function garbageCollected(reader: ByteReader, what: string): HostError {
  return reader.unsupported(`garbage collection (${what})`, GARBAGE_COLLECTION_ADVICE);
}

/** The error for a part of exception handling; `what` names it. */
export function exceptional(reader: ByteReader, what: string): HostError {
  return reader.unsupported(`exception handling (${what})`, EXCEPTIONS_ADVICE);
}
