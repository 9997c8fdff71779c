/**
 * Skips the types that a core module defines (WebAssembly core specification, 5.3.6 to 5.3.8): functions, and nothing
 * else.
 *
 * @module
 */

import { FUNCTION_TYPE } from "../../core-wasm/format.ts";
import type { ByteReader } from "../byte-reader.ts";
import { BUILD_FAULTS } from "../build-faults.ts";
import { garbageCollected } from "./collected.ts";
import { readValueType } from "./value-type.ts";

/** Of the proposal for stack switching. */
const CONTINUATION = 0x5d;

const GARBAGE_COLLECTED = new Map([
  [0x5f, "a struct type"],
  [0x5e, "an array type"],
  [0x50, "a derived type"],
  [0x4f, "a derived type"],
  [0x4e, "a group of recursive types"],
]);

export function skipType(reader: ByteReader): void {
  const form = reader.u8();
  const refused = GARBAGE_COLLECTED.get(form);
  if (refused !== undefined) throw garbageCollected(reader, refused);
  if (form === CONTINUATION)
    throw reader.unsupported("stack switching (a continuation type)", BUILD_FAULTS.stackSwitching.remedy);
  if (form !== FUNCTION_TYPE)
    throw reader.unsupported(`a core type of the form 0x${form.toString(16)}`, BUILD_FAULTS.proposals.remedy);
  reader.skipVector(readValueType);
  reader.skipVector(readValueType);
}
