/**
 * What a component binary says, definition by definition and in the file's order: the reader's result. Indices
 * are kept as they are in the file; `scope.ts` resolves them.
 *
 * Names follow component-model `Binary.md` and `Explainer.md`.
 *
 * @module
 */

import type { StringEncoding } from "../contract/link-plan.ts";
import type { PrimitiveType } from "../contract/primitive-types.ts";
import type { CoreModule, CoreSort } from "./core/model.ts";
import type { Place } from "./rejection.ts";

/** Kinds of things that a component defines, imports and exports. */
export type Sort = "func" | "type" | "component" | "instance";

/** A thing of some sort by its index in that sort's index space. Core sorts are written `core func` and so on. */
export interface SortIndex {
  readonly sort: Sort | `core ${CoreSort}`;
  readonly index: number;
}

/** A value's type: a primitive, or an index into the type index space. */
export type ValueType = PrimitiveType | number;

/** A record's field or a function's parameter. */
export interface NamedType {
  readonly name: string;
  readonly type: ValueType;
}

/** One case of a variant. */
export interface VariantCase {
  readonly name: string;
  readonly type: ValueType | undefined;
}

/** A function's type. */
export interface FunctionType {
  readonly kind: "func";
  readonly params: readonly NamedType[];
  readonly result: ValueType | undefined;
}

/** A type that a value can have. */
export type ValueTypeDefinition =
  | { readonly kind: "primitive"; readonly type: PrimitiveType }
  | { readonly kind: "record"; readonly fields: readonly NamedType[] }
  | { readonly kind: "variant"; readonly cases: readonly VariantCase[] }
  | { readonly kind: "list"; readonly element: ValueType }
  | { readonly kind: "tuple"; readonly elements: readonly ValueType[] }
  | { readonly kind: "flags"; readonly names: readonly string[] }
  | { readonly kind: "enum"; readonly names: readonly string[] }
  | { readonly kind: "option"; readonly some: ValueType }
  | { readonly kind: "result"; readonly ok: ValueType | undefined; readonly err: ValueType | undefined }
  | { readonly kind: "own"; readonly resource: number }
  | { readonly kind: "borrow"; readonly resource: number };

/** Everything that takes a place in the type index space by definition. */
export type TypeDefinition =
  | ValueTypeDefinition
  | FunctionType
  | { readonly kind: "resource"; readonly destructor: number | undefined }
  | { readonly kind: "component-type"; readonly declarations: readonly Declaration[] }
  | { readonly kind: "instance-type"; readonly declarations: readonly Declaration[] };

/** What an import or export is said to be. */
export type ExternDescription =
  | { readonly sort: "func"; readonly type: number }
  | { readonly sort: "component"; readonly type: number }
  | { readonly sort: "instance"; readonly type: number }
  /** A type that equals another one. */
  | { readonly sort: "type"; readonly bound: "equal"; readonly type: number }
  /** Some resource type. */
  | { readonly sort: "type"; readonly bound: "resource" };

/** Names something that is defined elsewhere. */
export type AliasDefinition = {
  readonly kind: "alias";
  readonly place: Place;
} & (
  | { readonly target: "export"; readonly sort: Sort; readonly instance: number; readonly name: string }
  | { readonly target: "core-export"; readonly sort: CoreSort; readonly instance: number; readonly name: string }
  /** `count` components outwards; 0 is this one. */
  | {
      readonly target: "outer";
      readonly sort: "type" | "component" | "core module" | "core type";
      readonly count: number;
      readonly index: number;
    }
);

export interface TypeEntryDefinition {
  readonly kind: "type";
  readonly place: Place;
  readonly type: TypeDefinition;
}

export interface ImportDefinition {
  readonly kind: "import";
  readonly place: Place;
  readonly name: string;
  readonly description: ExternDescription;
}

/** An export's declaration in the type of a component or an instance. */
export interface ExportDeclaration {
  readonly kind: "export-declaration";
  readonly place: Place;
  readonly name: string;
  readonly description: ExternDescription;
}

/** What is in the type of a component or an instance (an instance's has no imports). */
export type Declaration = TypeEntryDefinition | AliasDefinition | ImportDefinition | ExportDeclaration;

/** How lists and strings cross the boundary of a function. */
export interface CanonicalOptions {
  readonly encoding: StringEncoding;
  readonly memory: number | undefined;
  readonly realloc: number | undefined;
  readonly postReturn: number | undefined;
}

export type Canon =
  | {
      readonly kind: "lift";
      readonly coreFunc: number;
      readonly options: CanonicalOptions;
      readonly type: number;
    }
  | { readonly kind: "lower"; readonly func: number; readonly options: CanonicalOptions }
  | { readonly kind: "resource-new" | "resource-drop" | "resource-rep"; readonly type: number };

export interface CoreInstantiateArgument {
  readonly name: string;
  readonly instance: number;
}

export interface CoreInlineExport {
  readonly name: string;
  readonly sort: CoreSort;
  readonly index: number;
}

export type CoreInstance =
  | { readonly kind: "instantiate"; readonly module: number; readonly args: readonly CoreInstantiateArgument[] }
  | { readonly kind: "inline"; readonly exports: readonly CoreInlineExport[] };

/** A named thing: an argument of an instantiation or an export of an instance that is put together in place. */
export interface NamedItem extends SortIndex {
  readonly name: string;
}

export type Instance =
  | { readonly kind: "instantiate"; readonly component: number; readonly args: readonly NamedItem[] }
  | { readonly kind: "inline"; readonly exports: readonly NamedItem[] };

/** One definition of a component. */
export type Definition =
  | { readonly kind: "core-module"; readonly place: Place; readonly module: CoreModule }
  | { readonly kind: "core-instance"; readonly place: Place; readonly instance: CoreInstance }
  | { readonly kind: "component"; readonly place: Place; readonly component: Component }
  | { readonly kind: "instance"; readonly place: Place; readonly instance: Instance }
  | AliasDefinition
  | TypeEntryDefinition
  | { readonly kind: "canon"; readonly place: Place; readonly canon: Canon }
  | ImportDefinition
  | ExportDefinition;

export interface ExportDefinition extends SortIndex {
  readonly kind: "export";
  readonly place: Place;
  readonly name: string;
  /** The type that the export is given, where it is not the exported thing's own. */
  readonly ascribed: ExternDescription | undefined;
}

/** A component. */
export interface Component {
  readonly place: Place;
  readonly byteLength: number;
  readonly definitions: readonly Definition[];
}
