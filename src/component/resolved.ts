/**
 * What indices resolve to: the entries of a component's index spaces.
 *
 * @module
 */

import type { TypeDefinition } from "./model.ts";
import type { Place } from "./rejection.ts";

/** Where a type's own references are looked up. */
export interface TypeScope {
  /** The type at an index; `place` is where the index stands. */
  type(index: number, place: Place): ResolvedType;
}

/** A resolved type. Value and function types refer to others by index, in the scope where they are defined. */
export type ResolvedType =
  | {
      readonly kind: "defined";
      readonly definition: TypeDefinition;
      readonly scope: TypeScope;
      /** What an instance has, for the type of a component or an instance. */
      readonly exports: ReadonlyMap<string, Item> | undefined;
      readonly size: number;
    }
  /** Some resource, known by the name under which it is imported or exported. */
  | { readonly kind: "resource"; readonly name: string; readonly size: 1 }
  /** A type that belongs to an imported instance: a resource inside it is that instance's. */
  | { readonly kind: "imported"; readonly from: string; readonly type: ResolvedType; readonly size: number };

/** What a name of an instance or component stands for. */
export type Item =
  | { readonly sort: "func"; readonly type: ResolvedType }
  | { readonly sort: "type"; readonly type: ResolvedType }
  | { readonly sort: "instance"; readonly instance: ResolvedInstance }
  | { readonly sort: "component"; readonly component: ResolvedComponent };

/** An instance: what it exports, and the name of the import where it is one. */
export interface ResolvedInstance {
  readonly importName: string | undefined;
  readonly exports: ReadonlyMap<string, Item>;
}

/** A component: what an instance of it exports. */
export interface ResolvedComponent {
  readonly exports: ReadonlyMap<string, Item>;
}

/** An import or export of a scope with the place where it stands. */
export interface NamedEntry {
  readonly name: string;
  readonly item: Item;
  readonly place: Place;
}

/** The definition of a resolved type, unless it is an abstract resource. */
export function definitionOf(type: ResolvedType): TypeDefinition | undefined {
  let current = type;
  while (current.kind === "imported") current = current.type;
  return current.kind === "defined" ? current.definition : undefined;
}

/** Marks what is taken out of an imported instance. */
export function importedFrom(instance: ResolvedInstance, item: Item): Item {
  const from = instance.importName;
  if (from === undefined || !("type" in item) || item.type.kind === "imported") return item;
  return { sort: item.sort, type: { kind: "imported", from, type: item.type, size: item.type.size } };
}
