/**
 * Skips the types that a core module defines: functions, structs, arrays, groups of recursive types, and types that derive from
 * others (WebAssembly core specification, 5.3.7 to 5.3.10).
 *
 * @module
 */

import { FUNCTION_TYPE } from "../../core-wasm/format.ts";
import { BUILD_FAULTS } from "../build-faults.ts";
import type { ByteReader } from "../byte-reader.ts";
import { readValueType, skipFieldType } from "./value-type.ts";

const ARRAY = 0x5e;
const STRUCT = 0x5f;
const GROUP = 0x4e;
const FINAL_SUBTYPE = 0x4f;
const SUBTYPE = 0x50;

/** Of the proposal for stack switching. */
const CONTINUATION = 0x5d;

/** How many types a module defines. */
export interface TypeCounts {
  /** All, each of a group for itself: what the module's indices count. */
  readonly types: number;
  /** Of objects: structs and arrays. */
  readonly objects: number;
}

/** Skips a type section, and counts its types. */
export function countTypes(section: ByteReader): TypeCounts {
  const counts = { types: 0, objects: 0 };
  const count = (reader: ByteReader): void => {
    counts.types += 1;
    counts.objects += skipSubtype(reader);
  };
  section.skipVector((reader) => {
    if (reader.peek() !== GROUP) return count(reader);
    reader.skip(1);
    reader.skipVector(count);
  });
  return counts;
}

/** Returns 1 for the type of an object, 0 for that of a function. */
function skipSubtype(reader: ByteReader): number {
  const form = reader.u8();
  if (form !== SUBTYPE && form !== FINAL_SUBTYPE) return skipComposite(form, reader);
  reader.skipVector((supertype) => supertype.skipLeb(32));
  return skipComposite(reader.u8(), reader);
}

function skipComposite(form: number, reader: ByteReader): number {
  switch (form) {
    case FUNCTION_TYPE:
      reader.skipVector(readValueType);
      reader.skipVector(readValueType);
      return 0;
    case STRUCT:
      reader.skipVector(skipFieldType);
      return 1;
    case ARRAY:
      skipFieldType(reader);
      return 1;
    case CONTINUATION:
      throw reader.unsupported("stack switching (a continuation type)", BUILD_FAULTS.stackSwitching.remedy);
    default:
      throw reader.unsupported(`a core type of the form 0x${form.toString(16)}`, BUILD_FAULTS.proposals.remedy);
  }
}
