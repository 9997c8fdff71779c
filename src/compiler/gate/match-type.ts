/**
 * Compares a component's function types with those of WIT. Types are compared by structure (names of records'
 * fields and of cases included), resources by the interface that declares them. The work is bounded by the
 * expected type, whatever the component declares.
 *
 * @module
 */

import { parseInterfaceName } from "../../component/interface-name.ts";
import type { TypeDefinition, ValueType } from "../../component/model.ts";
import type { Place } from "../../component/rejection.ts";
import type { ResolvedType } from "../../component/resolved.ts";
import type { FunctionShape, InterfaceTable, TypeShape } from "../../contract/wit-shapes.ts";

/** Compares types with a table of interfaces. */
export class TypeMatcher {
  readonly #table: InterfaceTable;
  readonly #place: Place;

  /** `place` is where the compared import or export stands. */
  constructor(table: InterfaceTable, place: Place) {
    this.#table = table;
    this.#place = place;
  }

  /** What differs first, or `undefined` where nothing does. `owner` is the interface that `actual` is found in. */
  differenceOf(expected: FunctionShape, actual: ResolvedType, owner: string): string | undefined {
    const view = this.#open(actual, owner);
    if (view?.definition.kind !== "func") return "it is not a function";
    const { definition, refer } = view;
    const names = Object.keys(expected.params);
    if (definition.params.length !== names.length) {
      return `it has ${definition.params.length} parameters in place of ${names.length}`;
    }
    for (const [index, name] of names.entries()) {
      const param = definition.params[index];
      const shape = expected.params[name];
      if (param === undefined || shape === undefined || param.name !== name) return `parameter ${index} is not ${name}`;
      if (!this.#matches(shape, refer(param.type))) return `parameter ${name} has another type`;
    }
    return this.#matchesOptional(expected.result, definition.result, refer) ? undefined : "the result has another type";
  }

  /** A type with what is needed to go into it. */
  #open(type: ResolvedType, owner: string): TypeView | undefined {
    if (type.kind === "imported") return this.#open(type.type, interfaceOf(type.from));
    if (type.kind !== "defined") return undefined;
    const { definition, scope } = type;
    return {
      definition,
      refer: (inner) => (typeof inner === "string" ? inner : { type: scope.type(inner, this.#place), owner }),
    };
  }

  #matches(expected: TypeShape, actual: Reference): boolean {
    if (typeof expected === "object" && "type" in expected) return this.#matches(this.#named(expected.type), actual);
    if (typeof actual === "string") return actual === expected;
    const view = this.#open(actual.type, actual.owner);
    if (view === undefined) return false;
    const { definition, refer } = view;
    if (typeof expected === "string") return definition.kind === "primitive" && definition.type === expected;
    return this.#matchesDefinition(expected, definition, refer);
  }

  #matchesDefinition(expected: Exclude<TypeShape, string>, actual: TypeDefinition, refer: Refer): boolean {
    switch (actual.kind) {
      case "list":
        return "list" in expected && this.#matches(expected.list, refer(actual.element));
      case "option":
        return "option" in expected && this.#matches(expected.option, refer(actual.some));
      case "result":
        return (
          "result" in expected &&
          this.#matchesOptional(expected.result.ok, actual.ok, refer) &&
          this.#matchesOptional(expected.result.err, actual.err, refer)
        );
      case "tuple":
        return (
          "tuple" in expected &&
          expected.tuple.length === actual.elements.length &&
          expected.tuple.every((shape, index) => this.#matchesOptional(shape, actual.elements[index], refer))
        );
      case "record":
        return "record" in expected && this.#matchesMembers(expected.record, actual.fields, refer);
      case "variant":
        return "variant" in expected && this.#matchesMembers(expected.variant, actual.cases, refer);
      case "flags":
        return "flags" in expected && sameNames(expected.flags, actual.names);
      case "enum":
        return "enum" in expected && sameNames(expected.enum, actual.names);
      case "own":
        return "own" in expected && resourceOf(refer(actual.resource)) === expected.own;
      case "borrow":
        return "borrow" in expected && resourceOf(refer(actual.resource)) === expected.borrow;
      case "primitive":
      case "func":
      case "resource":
      case "component-type":
      case "instance-type":
        break;
    }
    return false;
  }

  #matchesMembers(
    expected: Readonly<Record<string, TypeShape | null>>,
    actual: readonly { readonly name: string; readonly type: ValueType | undefined }[],
    refer: Refer,
  ): boolean {
    const names = Object.keys(expected);
    return (
      names.length === actual.length &&
      actual.every(
        ({ name, type }, index) => names[index] === name && this.#matchesOptional(expected[name] ?? null, type, refer),
      )
    );
  }

  #matchesOptional(expected: TypeShape | null, actual: ValueType | undefined, refer: Refer): boolean {
    if (expected === null || actual === undefined) return expected === null && actual === undefined;
    return this.#matches(expected, refer(actual));
  }

  #named(reference: string): TypeShape {
    const [id = "", name = ""] = reference.split("#");
    const shape = this.#table[id]?.types[name];
    // The table is generated, and a test follows every reference in it.
    if (shape === undefined) throw new TypeError(`the table has no type ${reference}`);
    return shape;
  }
}

/** A type that another one refers to, and the interface to which abstract resources in it belong. */
type Reference = string | { readonly type: ResolvedType; readonly owner: string };

type Refer = (type: ValueType) => Reference;

interface TypeView {
  readonly definition: TypeDefinition;
  readonly refer: Refer;
}

/** `interface#name` of an abstract resource. */
function resourceOf(reference: Reference): string | undefined {
  if (typeof reference === "string") return undefined;
  const { type, owner } = reference;
  if (type.kind === "imported") return resourceOf({ type: type.type, owner: interfaceOf(type.from) });
  return type.kind === "resource" ? `${owner}#${type.name}` : undefined;
}

function interfaceOf(importName: string): string {
  return parseInterfaceName(importName)?.id ?? importName;
}

function sameNames(expected: readonly string[], actual: readonly string[]): boolean {
  return expected.length === actual.length && expected.every((name, index) => name === actual[index]);
}
