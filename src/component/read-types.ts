/**
 * Reads type definitions, and in the types of components and instances the declarations of what they hold
 * (component-model `Binary.md`, "Type Definitions").
 *
 * @module
 */

import { COMPONENT_LIMITS } from "../contract/component-limits.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { Declaration, TypeDefinition } from "./model.ts";
import { RARE_ADVICE, readAlias, readExternDescription, readExternName, readImport } from "./read-externs.ts";
import { readPlainType } from "./read-value-types.ts";

/** How deep instance and component types may be nested; toolchains need two. */
export const TYPE_NESTING_MAX: number = COMPONENT_LIMITS.typeNesting;

const COMPONENT_TYPE = 0x41;
const INSTANCE_TYPE = 0x42;

/** Reads one type definition. `depth` counts the component and instance types around it. */
export function readTypeDefinition(reader: ByteReader, depth: number): TypeDefinition {
  const code = reader.u8();
  if (code === COMPONENT_TYPE) {
    return { kind: "component-type", declarations: readDeclarations(reader, nest(reader, depth), "component") };
  }
  if (code === INSTANCE_TYPE) {
    return { kind: "instance-type", declarations: readDeclarations(reader, nest(reader, depth), "instance") };
  }
  return readPlainType(code, reader);
}

function nest(reader: ByteReader, depth: number): number {
  if (depth < TYPE_NESTING_MAX) return depth + 1;
  throw reader.unsupported(`nesting types more than ${TYPE_NESTING_MAX} deep`, "flatten the component's interfaces");
}

function readDeclarations(reader: ByteReader, depth: number, of: "component" | "instance"): Declaration[] {
  return reader.vector(() => readDeclaration(reader, depth, of));
}

function readDeclaration(reader: ByteReader, depth: number, of: "component" | "instance"): Declaration {
  const place = reader.place();
  const code = reader.u8();
  switch (code) {
    case 0x00:
      throw reader.unsupported("a core type in a component's type", RARE_ADVICE);
    case 0x01:
      return { kind: "type", place, type: readTypeDefinition(reader, depth) };
    case 0x02:
      return readAlias(reader);
    case 0x03:
      if (of === "instance") break;
      return readImport(reader);
    case 0x04:
      return {
        kind: "export-declaration",
        place,
        name: readExternName(reader),
        description: readExternDescription(reader),
      };
    default:
  }
  throw reader.malformed(`0x${code.toString(16)} is not a declaration of ${of === "instance" ? "an" : "a"} ${of} type`);
}
