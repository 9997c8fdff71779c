/**
 * Describes the interfaces of an encoded world as data, with the host's own reader.
 *
 * @module
 */

import type { TypeDefinition, ValueType } from "../../src/component/model.ts";
import { parseInterfaceName } from "../../src/component/interface-name.ts";
import { readComponent } from "../../src/component/read-component.ts";
import { definitionOf, type NamedEntry, type ResolvedType } from "../../src/component/resolved.ts";
import { Scope } from "../../src/component/scope.ts";
import type { FunctionShape, InterfaceShape, TypeShape } from "../../src/contract/wit-shapes.ts";

const NOWHERE = { offset: 0, path: "the contract" };

/** Interface → its shape, for the imports and exports of a component. */
export function interfaceShapes(bytes: Uint8Array): Record<string, InterfaceShape> {
  const scope = Scope.of(readComponent(bytes));
  const describer = new Describer();
  const shapes: Record<string, InterfaceShape> = {};
  for (const entry of [...scope.imports, ...scope.exports]) {
    const name = parseInterfaceName(entry.name);
    if (name === undefined) throw new Error(`${entry.name} is not the name of an interface`);
    shapes[name.id] = describer.describe(name.id, entry);
  }
  return Object.fromEntries(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Remembers the names of types, so that a type is written out once and named everywhere else. */
class Describer {
  readonly #names = new Map<ResolvedType, string>();

  describe(id: string, { item, name }: NamedEntry): InterfaceShape {
    if (item.sort !== "instance") throw new Error(`${name} is not an interface`);
    const resources: string[] = [];
    const types: Record<string, TypeShape> = {};
    const functions: Record<string, FunctionShape> = {};
    for (const [member, { sort, ...rest }] of item.instance.exports) {
      if (!("type" in rest)) throw new Error(`${name} holds a ${sort}`);
      const { type } = rest;
      if (sort === "func") functions[member] = this.#functionShape(type);
      else if (this.#names.has(base(type))) continue;
      else if (type.kind === "resource") resources.push(member);
      else types[member] = this.#definitionShape(type);
      if (sort === "type") this.#names.set(base(type), `${id}#${member}`);
    }
    return { resources, types, functions };
  }

  #functionShape(type: ResolvedType): FunctionShape {
    const { definition, refer } = this.#open(type);
    if (definition.kind !== "func") throw new Error("not a function");
    return {
      params: Object.fromEntries(definition.params.map((param) => [param.name, refer(param.type)])),
      result: definition.result === undefined ? null : refer(definition.result),
    };
  }

  #open(type: ResolvedType): { definition: TypeDefinition; refer: (type: ValueType) => TypeShape } {
    const defined = base(type);
    const definition = definitionOf(defined);
    if (defined.kind !== "defined" || definition === undefined) throw new Error("not a defined type");
    return {
      definition,
      refer: (inner) => (typeof inner === "string" ? inner : this.#reference(defined.scope.type(inner, NOWHERE))),
    };
  }

  #reference(type: ResolvedType): TypeShape {
    const name = this.#names.get(base(type));
    return name === undefined ? this.#definitionShape(type) : { type: name };
  }

  #definitionShape(type: ResolvedType): TypeShape {
    const { definition, refer } = this.#open(type);
    const optional = (inner: ValueType | undefined): TypeShape | null => (inner === undefined ? null : refer(inner));
    switch (definition.kind) {
      case "primitive":
        return definition.type;
      case "list":
        return { list: refer(definition.element) };
      case "option":
        return { option: refer(definition.some) };
      case "tuple":
        return { tuple: definition.elements.map(refer) };
      case "result":
        return { result: { ok: optional(definition.ok), err: optional(definition.err) } };
      case "record":
        return { record: Object.fromEntries(definition.fields.map((field) => [field.name, refer(field.type)])) };
      case "variant":
        return { variant: Object.fromEntries(definition.cases.map((one) => [one.name, optional(one.type)])) };
      case "flags":
        return { flags: definition.names };
      case "enum":
        return { enum: definition.names };
      case "own":
        return { own: this.#resource(refer(definition.resource)) };
      case "borrow":
        return { borrow: this.#resource(refer(definition.resource)) };
      case "func":
      case "resource":
      case "component-type":
      case "instance-type":
        break;
    }
    throw new Error(`a ${definition.kind} is not a value's type`);
  }

  #resource(shape: TypeShape): string {
    if (typeof shape === "object" && "type" in shape) return shape.type;
    throw new Error("a resource has no name");
  }
}

/** The type itself, where it came through an imported instance. */
function base(type: ResolvedType): ResolvedType {
  return type.kind === "imported" ? base(type.type) : type;
}
