/**
 * Rule: nothing of a component lives on V8's garbage-collected heap. No limit of a plugin bounds that heap: `memoryBytes`
 * is about linear memory. So garbage collection is refused wherever it occurs: structs, arrays, `i31`, references to
 * them, casts, recursive and derived types. (Exceptions live there, too: the gate refuses the tags they need.)
 *
 * References to functions, and `externref`, of which the host gives none, do not fall under this rule: a component has
 * as many as it has functions.
 *
 * @module
 */

import type { HostError } from "../../errors/host-error.ts";
import { BUILD_FAULTS } from "../build-faults.ts";
import type { ByteReader } from "../byte-reader.ts";

/** The error for a part of garbage collection; `what` names it. */
export function garbageCollected(reader: ByteReader, what: string): HostError {
  return reader.unsupported(`garbage collection (${what})`, BUILD_FAULTS.garbageCollection.remedy);
}
