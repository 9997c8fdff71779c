/**
 * Reads the types that a core module defines: functions, structs, arrays, groups of recursive types, and types that derive from
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

/** A type as far as the host needs it. */
export type DefinedType =
  /** The binary codes of its parameters' and results' types; of a reference, the first byte. */
  | { readonly kind: "function"; readonly params: readonly number[]; readonly results: readonly number[] }
  /** A struct or an array. */
  | { readonly kind: "object" };

/** Reads a type section, and counts its types. */
export function countTypes(section: ByteReader): TypeCounts {
  const counts = { types: 0, objects: 0 };
  walkTypes(section, ({ kind }) => {
    counts.types += 1;
    if (kind === "object") counts.objects += 1;
  });
  return counts;
}

/** Visits the types of a type section in the order of their indices. */
export function walkTypes(section: ByteReader, visit: (type: DefinedType) => void): void {
  const read = (reader: ByteReader): void => visit(readSubtype(reader));
  section.skipVector((reader) => {
    if (reader.peek() !== GROUP) return read(reader);
    reader.skip(1);
    reader.skipVector(read);
  });
}

function readSubtype(reader: ByteReader): DefinedType {
  const form = reader.u8();
  if (form !== SUBTYPE && form !== FINAL_SUBTYPE) return readComposite(form, reader);
  reader.skipVector((supertype) => supertype.skipLeb(32));
  return readComposite(reader.u8(), reader);
}

function readComposite(form: number, reader: ByteReader): DefinedType {
  switch (form) {
    case FUNCTION_TYPE:
      return { kind: "function", params: readValueTypes(reader), results: readValueTypes(reader) };
    case STRUCT:
      reader.skipVector(skipFieldType);
      return { kind: "object" };
    case ARRAY:
      skipFieldType(reader);
      return { kind: "object" };
    case CONTINUATION:
      throw reader.unsupported("stack switching (a continuation type)", BUILD_FAULTS.stackSwitching.remedy);
    default:
      throw reader.unsupported(`a core type of the form 0x${form.toString(16)}`, BUILD_FAULTS.proposals.remedy);
  }
}

function readValueTypes(reader: ByteReader): number[] {
  const types: number[] = [];
  reader.skipVector((type) => types.push(readValueType(type)));
  return types;
}
