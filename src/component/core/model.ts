/**
 * What a core module's binary says about its environment: what it imports and exports, what every instance allocates, and what
 * its code may do to that.
 *
 * @module
 */

import type { CoreExternKind } from "../../core-wasm/format.ts";
import type { Place } from "../rejection.ts";
import type { TypeCounts } from "./types.ts";

/** Kinds of things in core modules and instances. */
export type CoreSort = "func" | "table" | "memory" | "global" | "tag" | "type" | "module" | "instance";

/** Size of a memory in pages, or of a table in elements. */
export interface Limits {
  readonly min: bigint;
  readonly max: bigint | undefined;
  readonly shared: boolean;
  /** Addresses are 64 bits wide. */
  readonly wide: boolean;
  /** Base-2 logarithm of a memory's page size: 16, unless the module asks for another. */
  readonly pageSizeLog2: number;
}

export interface CoreImport {
  readonly module: string;
  readonly name: string;
  readonly kind: CoreExternKind;
  readonly place: Place;
}

export interface CoreExport {
  readonly name: string;
  readonly kind: CoreExternKind;
  readonly index: number;
  readonly place: Place;
}

/** A memory or table that the module defines (not one it imports). */
export interface Allocation extends Limits {
  readonly place: Place;
}

/** A global that the module defines. */
export interface CoreGlobal {
  /** The binary code of its type, for example 0x7f for `i32`. */
  readonly type: number;
  readonly mutable: boolean;
}

/** What a module's functions may do when they run. */
export interface CodeFacts {
  /** May an element of a table change? */
  readonly changesTables: boolean;
  /** May a passive segment be dropped? */
  readonly dropsSegments: boolean;
  /** Do they ask for the size of a memory, or change it? */
  readonly sizesMemory: boolean;
}

/** Indices of what a module's active segments are written to when it is instantiated. */
export interface FilledItems {
  readonly memories: readonly number[];
  readonly tables: readonly number[];
}

export interface CoreModule {
  readonly place: Place;
  /** The module's own bytes: a view into the file. */
  readonly bytes: Uint8Array;
  readonly imports: readonly CoreImport[];
  readonly exports: readonly CoreExport[];
  readonly memories: readonly Allocation[];
  readonly tables: readonly Allocation[];
  readonly globals: readonly CoreGlobal[];
  /** Number of functions defined. */
  readonly functions: number;
  /** Number of exception tags defined. */
  readonly tags: number;
  /** Without types of objects, the module makes none on the garbage-collected heap. */
  readonly types: TypeCounts;
  readonly code: CodeFacts;
  readonly filled: FilledItems;
  /** Index of the function that runs at instantiation. */
  readonly start: number | undefined;
}
