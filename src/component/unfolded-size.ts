/**
 * The size of a type with all its references written out. A few hundred bytes can describe a type of
 * exponential size, and code generators write types out.
 *
 * @module
 */

import { COMPONENT_LIMITS } from "../contract/component-limits.ts";
import type { TypeDefinition, ValueType } from "./model.ts";
import { type Place, rejection } from "./rejection.ts";

/** Nodes of one type with everything in it written out; the largest in WASI 0.2, HTTP's error code, has some 100. */
export const UNFOLDED_TYPE_MAX: number = COMPONENT_LIMITS.typeParts;

/**
 * The number of nodes that a definition unfolds to. `sizeOf` gives the sizes of the types it refers to, which
 * were defined before it. Types of components and instances count as one: what is in them was counted there.
 */
export function unfoldedSize(definition: TypeDefinition, sizeOf: (type: ValueType) => number, place: Place): number {
  let size = 1;
  for (const type of referencesOf(definition)) size += sizeOf(type);
  if (size <= UNFOLDED_TYPE_MAX) return size;
  throw rejection(
    `a type unfolds to more than ${UNFOLDED_TYPE_MAX} parts`,
    place,
    "make the type smaller, or pass the data as bytes in a format of your own",
  );
}

/** Types that a definition refers to; names without a type (flags, enum cases) count as parts of it. */
function referencesOf(definition: TypeDefinition): readonly ValueType[] {
  switch (definition.kind) {
    case "record":
      return definition.fields.map((field) => field.type);
    case "variant":
      return definition.cases.map((variantCase) => variantCase.type ?? "bool");
    case "tuple":
      return definition.elements;
    case "list":
      return [definition.element];
    case "option":
      return [definition.some];
    case "result":
      return [definition.ok ?? "bool", definition.err ?? "bool"];
    case "func":
      return [...definition.params.map((param) => param.type), definition.result ?? "bool"];
    case "flags":
    case "enum":
      return definition.names.map(() => "bool");
    case "own":
    case "borrow":
      return [definition.resource];
    case "primitive":
    case "resource":
    case "component-type":
    case "instance-type":
      break;
  }
  return [];
}
