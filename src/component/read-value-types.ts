/**
 * Reads the types of values, functions and resources (component-model `Binary.md`, "Type Definitions").
 *
 * @module
 */

import { BUILD_FAULTS } from "./build-faults.ts";
import type { PrimitiveType } from "../contract/primitive-types.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { FunctionType, NamedType, TypeDefinition, ValueType, ValueTypeDefinition, VariantCase } from "./model.ts";

/** Code → primitive type. */
const PRIMITIVES = new Map<number, PrimitiveType>([
  [0x7f, "bool"],
  [0x7e, "s8"],
  [0x7d, "u8"],
  [0x7c, "s16"],
  [0x7b, "u16"],
  [0x7a, "s32"],
  [0x79, "u32"],
  [0x78, "s64"],
  [0x77, "u64"],
  [0x76, "f32"],
  [0x75, "f64"],
  [0x74, "char"],
  [0x73, "string"],
]);

/** Code → what this host does not run yet; the names are for the message. */
const UNSUPPORTED_TYPES = new Map<number, string>([
  [0x3e, "a resource with an asynchronous destructor"],
  [0x43, "an asynchronous function type"],
  [0x63, "the type `map`"],
  [0x64, "the type `error-context`"],
  [0x65, "the type `future`"],
  [0x66, "the type `stream`"],
  [0x67, "a list of fixed length"],
]);

/** Representation of a resource: `i32`, the only one that exists. */
const RESOURCE_REPRESENTATION = 0x7f;

/** What to do where a component needs component-model async. */
export const ASYNC_ADVICE: string = BUILD_FAULTS.async.remedy;

/** Reads a type definition whose code has been read; `code` is not that of a component or instance type. */
export function readPlainType(code: number, reader: ByteReader): TypeDefinition {
  if (code === 0x40) return readFunctionType(reader);
  if (code === 0x3f) return readResource(reader);
  return readValueTypeDefinition(code, reader);
}

function readValueTypeDefinition(code: number, reader: ByteReader): ValueTypeDefinition {
  switch (code) {
    case 0x72:
      return { kind: "record", fields: reader.vector(readNamedType) };
    case 0x71:
      return { kind: "variant", cases: reader.vector(readVariantCase) };
    case 0x70:
      return { kind: "list", element: readValueType(reader) };
    case 0x6f:
      return { kind: "tuple", elements: reader.vector(readValueType) };
    case 0x6e:
      return { kind: "flags", names: reader.vector((item) => item.name()) };
    case 0x6d:
      return { kind: "enum", names: reader.vector((item) => item.name()) };
    case 0x6b:
      return { kind: "option", some: readValueType(reader) };
    case 0x6a:
      return { kind: "result", ok: readOptionalType(reader), err: readOptionalType(reader) };
    case 0x69:
      return { kind: "own", resource: reader.u32() };
    case 0x68:
      return { kind: "borrow", resource: reader.u32() };
    default:
      return { kind: "primitive", type: primitiveOf(code, reader) };
  }
}

function primitiveOf(code: number, reader: ByteReader): PrimitiveType {
  const primitive = PRIMITIVES.get(code);
  if (primitive !== undefined) return primitive;
  const unsupported = UNSUPPORTED_TYPES.get(code);
  if (unsupported !== undefined) throw reader.unsupported(unsupported, ASYNC_ADVICE);
  throw reader.malformed(`0x${code.toString(16)} is not a type`);
}

/** A value type in place: a primitive's code, or an index as a non-negative signed number. */
export function readValueType(reader: ByteReader): ValueType {
  const code = reader.peek();
  const primitive = PRIMITIVES.get(code);
  if (primitive !== undefined) {
    reader.skip(1);
    return primitive;
  }
  const index = reader.s33();
  if (index < 0) return primitiveOf(code, reader);
  return index;
}

function readNamedType(reader: ByteReader): NamedType {
  return { name: reader.name(), type: readValueType(reader) };
}

/** A case ends with the place of a `refines` index that no version of the format uses. */
function readVariantCase(reader: ByteReader): VariantCase {
  const name = reader.name();
  const type = readOptionalType(reader);
  if (reader.u8() !== 0) throw reader.malformed("a variant's case refines another one");
  return { name, type };
}

function readOptionalType(reader: ByteReader): ValueType | undefined {
  const presence = reader.u8();
  if (presence > 1) throw reader.malformed("an optional type is neither there nor absent");
  return presence === 1 ? readValueType(reader) : undefined;
}

function readFunctionType(reader: ByteReader): FunctionType {
  const params = reader.vector(readNamedType);
  const results = reader.u8();
  if (results === 0) return { kind: "func", params, result: readValueType(reader) };
  if (results !== 1 || reader.u8() !== 0) {
    throw reader.unsupported("a function with several named results", "return a tuple or a record");
  }
  return { kind: "func", params, result: undefined };
}

function readResource(reader: ByteReader): TypeDefinition {
  if (reader.u8() !== RESOURCE_REPRESENTATION) throw reader.malformed("a resource is not represented as an i32");
  const presence = reader.u8();
  if (presence > 1) throw reader.malformed("a destructor is neither there nor absent");
  return { kind: "resource", destructor: presence === 1 ? reader.u32() : undefined };
}
