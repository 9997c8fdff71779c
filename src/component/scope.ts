/**
 * Resolves a component's indices: types, functions, instances and components, with aliases followed. Core
 * index spaces are not resolved here, they are only needed to link.
 *
 * Every index points backwards (component-model `Explainer.md`, "Index Spaces"), so one pass in the file's
 * order resolves everything, in linear time and without recursion but for the capped nesting. Checked on the
 * way: that indices exist and have the right kind, and that no type unfolds to more than
 * {@link UNFOLDED_TYPE_MAX} nodes. Whether the component is valid beyond that is for a real validator.
 *
 * Arguments of a component's instantiation are not substituted into the types of its exports: abstract
 * resources of a nested component stay abstract.
 *
 * @module
 */

import type { Component, Declaration, Definition, ExternDescription, TypeDefinition, ValueType } from "./model.ts";
import { type Place, quote, rejection } from "./rejection.ts";
import {
  definitionOf,
  importedFrom,
  type Item,
  type NamedEntry,
  type ResolvedComponent,
  type ResolvedInstance,
  type ResolvedType,
} from "./resolved.ts";
import { unfoldedSize } from "./unfolded-size.ts";

/** The index spaces of a component, a component type or an instance type. */
export class Scope {
  readonly imports: NamedEntry[] = [];
  readonly exports: NamedEntry[] = [];
  readonly #parent: Scope | undefined;
  readonly #types: ResolvedType[] = [];
  readonly #funcs: ResolvedType[] = [];
  readonly #instances: ResolvedInstance[] = [];
  readonly #components: ResolvedComponent[] = [];
  readonly #exported = new Map<string, Item>();

  private constructor(parent: Scope | undefined) {
    this.#parent = parent;
  }

  /** Resolves a component that was read from a file. */
  static of(component: Component): Scope {
    return Scope.#build(component.definitions, undefined);
  }

  static #build(definitions: readonly (Definition | Declaration)[], parent: Scope | undefined): Scope {
    const scope = new Scope(parent);
    for (const definition of definitions) scope.#define(definition);
    return scope;
  }

  /** The type at an index; `place` is where the index stands. */
  type(index: number, place: Place): ResolvedType {
    return entry(this.#types, index, "type", place);
  }

  #define(definition: Definition | Declaration): void {
    const { place } = definition;
    switch (definition.kind) {
      case "type":
        this.#types.push(this.#defineType(definition.type, place));
        break;
      case "alias":
        this.#defineAlias(definition);
        break;
      case "import":
        this.#defineImport(definition.name, this.#describe(definition.name, definition.description, place), place);
        break;
      case "export-declaration":
        this.#defineExport(definition.name, this.#describe(definition.name, definition.description, place), place);
        break;
      case "export":
        this.#defineComponentExport(definition);
        break;
      case "component":
        this.#components.push({ exports: Scope.#build(definition.component.definitions, this).#exported });
        break;
      case "instance":
        this.#instances.push({ importName: undefined, exports: this.#instanceExports(definition) });
        break;
      case "canon":
        if (definition.canon.kind === "lift") this.#funcs.push(this.#functionType(definition.canon.type, place));
        break;
      case "core-module":
      case "core-instance":
        break;
    }
  }

  #defineType(definition: TypeDefinition, place: Place): ResolvedType {
    const size = unfoldedSize(definition, (type) => this.#sizeOf(type, place), place);
    // Building the body checks it, and finds type bombs inside it.
    const hasBody = definition.kind === "instance-type" || definition.kind === "component-type";
    const exports = hasBody ? Scope.#build(definition.declarations, this).#exported : undefined;
    return { kind: "defined", definition, scope: this, exports, size };
  }

  #sizeOf(type: ValueType, place: Place): number {
    return typeof type === "string" ? 1 : this.type(type, place).size;
  }

  #functionType(index: number, place: Place): ResolvedType {
    const type = this.type(index, place);
    if (definitionOf(type)?.kind !== "func") throw invalid(`type ${index} is not the type of a function`, place);
    return type;
  }

  #defineAlias(alias: Extract<Definition, { kind: "alias" }>): void {
    if (alias.target === "core-export") return;
    if (alias.target === "outer") {
      this.#defineOuterAlias(alias);
      return;
    }
    const instance = entry(this.#instances, alias.instance, "instance", alias.place);
    const item = instance.exports.get(alias.name);
    if (item?.sort !== alias.sort) {
      throw invalid(`instance ${alias.instance} has no ${alias.sort} ${quote(alias.name)}`, alias.place);
    }
    this.#push(importedFrom(instance, item));
  }

  #defineOuterAlias(alias: Extract<Definition, { target: "outer" }>): void {
    const scope = this.#outer(alias.count);
    if (scope === undefined) throw invalid("an outer alias points outside of the file", alias.place);
    if (alias.sort === "type") this.#types.push(scope.type(alias.index, alias.place));
    if (alias.sort === "component") {
      this.#components.push(entry(scope.#components, alias.index, "component", alias.place));
    }
  }

  /** The scope that many components outwards. Nesting is capped, and so is the recursion. */
  #outer(count: number): Scope | undefined {
    if (count === 0) return this;
    return this.#parent === undefined ? undefined : this.#parent.#outer(count - 1);
  }

  #describe(name: string, description: ExternDescription, place: Place): Item {
    switch (description.sort) {
      case "func":
        return { sort: "func", type: this.#functionType(description.type, place) };
      case "type":
        if (description.bound === "resource") return { sort: "type", type: { kind: "resource", name, size: 1 } };
        return { sort: "type", type: this.type(description.type, place) };
      case "instance":
        return { sort: "instance", instance: { importName: undefined, exports: this.#body(description, place) } };
      case "component":
        break;
    }
    return { sort: "component", component: { exports: this.#body(description, place) } };
  }

  /** What the component or instance type behind a description exports. */
  #body(
    description: { readonly sort: "component" | "instance"; readonly type: number },
    place: Place,
  ): ReadonlyMap<string, Item> {
    const type = this.type(description.type, place);
    if (type.kind === "defined" && type.definition.kind === `${description.sort}-type` && type.exports !== undefined) {
      return type.exports;
    }
    throw invalid(`type ${description.type} is not the type of a ${description.sort}`, place);
  }

  #defineImport(name: string, item: Item, place: Place): void {
    const named: Item = item.sort === "instance" ? { ...item, instance: { ...item.instance, importName: name } } : item;
    this.imports.push({ name, item: named, place });
    this.#push(named);
  }

  #defineComponentExport(definition: Extract<Definition, { kind: "export" }>): void {
    const { name, place, ascribed } = definition;
    const item = this.#itemAt(definition.sort, definition.index, place);
    if (item === undefined) throw invalid(`a component cannot export a ${definition.sort}`, place);
    if (ascribed !== undefined && ascribed.sort !== item.sort)
      throw invalid("an export is given the wrong sort", place);
    // A resource of the component's own stays one: only an import makes it somebody else's by its name.
    const isOwn = ascribed === undefined || (ascribed.sort === "type" && ascribed.bound === "resource");
    this.#defineExport(name, isOwn ? item : this.#describe(name, ascribed, place), place);
  }

  /** An export takes a place in the index space, too. */
  #defineExport(name: string, item: Item, place: Place): void {
    if (this.#exported.has(name)) throw invalid(`${quote(name)} is exported twice`, place);
    this.#exported.set(name, item);
    this.exports.push({ name, item, place });
    this.#push(item);
  }

  #instanceExports({ instance, place }: Extract<Definition, { kind: "instance" }>): ReadonlyMap<string, Item> {
    if (instance.kind === "instantiate") {
      return entry(this.#components, instance.component, "component", place).exports;
    }
    const exports = new Map<string, Item>();
    for (const { name, sort, index } of instance.exports) {
      const item = this.#itemAt(sort, index, place);
      if (item === undefined) throw invalid(`an instance cannot export a ${sort}`, place);
      exports.set(name, item);
    }
    return exports;
  }

  #itemAt(sort: string, index: number, place: Place): Item | undefined {
    switch (sort) {
      case "func":
        return { sort, type: entry(this.#funcs, index, sort, place) };
      case "type":
        return { sort, type: this.type(index, place) };
      case "instance":
        return { sort, instance: entry(this.#instances, index, sort, place) };
      case "component":
        return { sort, component: entry(this.#components, index, sort, place) };
      default:
        return undefined;
    }
  }

  #push(item: Item): void {
    switch (item.sort) {
      case "func":
        this.#funcs.push(item.type);
        break;
      case "type":
        this.#types.push(item.type);
        break;
      case "instance":
        this.#instances.push(item.instance);
        break;
      case "component":
        this.#components.push(item.component);
        break;
    }
  }
}

function entry<Entry>(space: readonly Entry[], index: number, sort: string, place: Place): Entry {
  const found = space[index];
  if (found === undefined) throw invalid(`${sort} ${index} does not exist here`, place);
  return found;
}

function invalid(what: string, place: Place) {
  return rejection(
    `the component is invalid: ${what}`,
    place,
    "check it with `wasm-tools validate` and build it again",
  );
}
