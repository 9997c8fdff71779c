/**
 * A link plan: how a component is put together from its core modules, as data. The compiler writes it, the
 * linker engine in a runner executes it. Every reference is an index that points backwards, or a name of a core
 * export; there is no code in a plan but the core modules beside it.
 *
 * Terms are those of the component model: `Explainer.md` for definitions, `CanonicalABI.md` for lifting,
 * lowering and their options.
 *
 * @module
 */

import type { PrimitiveType } from "./primitive-types.ts";

/** File of an artifact that holds its plan. */
export const LINK_PLAN_FILE = "component.plan.json";

/** Version of the plan's layout: a runner refuses any other. */
export const LINK_PLAN_FORMAT = 4;

/** Most flat parameters that a function passes as core values; more go through memory (`MAX_FLAT_PARAMS`). */
export const MAX_FLAT_PARAMS = 16;

/** A value's type: a primitive, or an index into {@link LinkPlan.types}. */
export type PlanType = PrimitiveType | number;

/** A named part of a type: a record's field, or a variant's case, which may have no type. */
export type PlanField = readonly [name: string, type: PlanType];
export type PlanCase = readonly [name: string, type: PlanType | null];

/** A type's definition. It refers to types of smaller index only. */
export type PlanTypeDefinition =
  | { readonly kind: "record"; readonly fields: readonly PlanField[] }
  | { readonly kind: "variant"; readonly cases: readonly PlanCase[] }
  | { readonly kind: "list"; readonly element: PlanType }
  | { readonly kind: "tuple"; readonly elements: readonly PlanType[] }
  | { readonly kind: "flags"; readonly names: readonly string[] }
  | { readonly kind: "enum"; readonly names: readonly string[] }
  | { readonly kind: "option"; readonly some: PlanType }
  | { readonly kind: "result"; readonly ok: PlanType | null; readonly err: PlanType | null }
  | { readonly kind: "own"; readonly resource: number }
  | { readonly kind: "borrow"; readonly resource: number };

/** What a function takes and gives. */
export interface PlanSignature {
  readonly params: readonly PlanType[];
  readonly result: PlanType | null;
}

/** A resource type: the host's, known by where it was imported from, or one that a component of the plan defines. */
export type PlanResource =
  | { readonly kind: "imported"; readonly interface: string; readonly name: string }
  | { readonly kind: "defined"; readonly component: number; readonly destructor: PlanItem | null };

/** Something that a core module can be given or asked for. */
export type PlanItem =
  /** An export of a core instance. */
  | { readonly kind: "export"; readonly instance: number; readonly name: string }
  /** A component function as a core function: index into {@link LinkPlan.lowers}. */
  | { readonly kind: "lower"; readonly index: number }
  /** A function on handles, in the table of a component instance. */
  | {
      readonly kind: "resource-new" | "resource-rep" | "resource-drop";
      readonly resource: number;
      readonly component: number;
    };

/** Types of core values that are nothing but bits. */
export const BIT_TYPES = ["i32", "i64", "f32", "f64", "v128"] as const;

export type BitType = (typeof BIT_TYPES)[number];

/** A mutable global that a core module exports for its state to be put back: its name and what it holds. */
export type PlanGlobal = readonly [name: string, type: BitType];

/** A core module imports from a module of this name what the host itself gives it; no component may use the name. */
export const HOST_MODULE = "network-host";

/** Most pages of a memory whose addresses have 32 bits. */
export const MEMORY_PAGES_MAX = 65_536;

/** A memory of a core module's own. */
export interface PlanMemory {
  /** The name under which it is exported. */
  readonly name: string;
  /** Its size where the module imports it from {@link HOST_MODULE} by that name; `null` where it makes it. */
  readonly imported: { readonly minPages: number; readonly maxPages: number | null } | null;
}

/** Base-2 logarithm of the size of a block of memory whose changes are noted as one. */
export const CHANGE_BLOCK_LOG2 = 11;

/** A memory that a core module changes, and the map in which the module notes what it changes. */
export interface PlanChangeMap {
  /** The name by which the map is imported from {@link HOST_MODULE}. */
  readonly name: string;
  /** One of its own, by index of {@link PlanModule.memories}, or one that it imports. */
  readonly memory:
    | { readonly kind: "own"; readonly index: number }
    | { readonly kind: "import"; readonly module: string; readonly name: string };
}

/** A core module of the artifact. */
export interface PlanModule {
  readonly file: string;
  readonly memories: readonly PlanMemory[];
  /** Does its code look at the stop flag? Then it imports the flag from {@link HOST_MODULE}. See `stop-flag.ts`. */
  readonly checksStopFlag: boolean;
  /** Empty unless the plan's changes are noted. */
  readonly changeMaps: readonly PlanChangeMap[];
  /** Its own mutable globals. */
  readonly globals: readonly PlanGlobal[];
  /** Is the size that its code sees of its memory one of the globals? Then the memory may have grown unseen. */
  readonly hidesGrowth: boolean;
  /**
   * Name of its start function, if the plan has start functions run later: then the module has no start section. Else `null`.
   */
  readonly start: string | null;
}

/** One import of a core instance: where it is imported from, and what it gets. */
export type PlanImport = readonly [module: string, name: string, item: PlanItem];

/** A core instance; its imports come from instances of smaller index. */
export interface PlanInstance {
  readonly module: number;
  readonly imports: readonly PlanImport[];
}

/** Encodings of strings that a component may choose (component-model `Binary.md`, `opts`), by their codes. */
export const STRING_ENCODINGS = ["utf8", "utf16", "latin1+utf16"] as const;

export type StringEncoding = (typeof STRING_ENCODINGS)[number];

/** Canonical options, with the component instance that they belong to. */
export interface PlanCanonicalOptions {
  readonly component: number;
  readonly encoding: StringEncoding;
  readonly memory: PlanItem | null;
  readonly realloc: PlanItem | null;
}

/** A component function that core code calls: the host's, or one that another component lifted. */
export interface PlanLower {
  readonly signature: number;
  readonly options: number;
  readonly target:
    | { readonly kind: "import"; readonly interface: string; readonly name: string }
    | { readonly kind: "lift"; readonly index: number };
}

/** A core function as a component function. */
export interface PlanLift {
  readonly signature: number;
  readonly options: number;
  readonly core: PlanItem;
  readonly postReturn: PlanItem | null;
}

/** An instance with more mutable globals than this is not put back: the bits of all of them fill half a page. */
export const MAX_RESTORED_GLOBALS = 2_048;

/** Why an instance cannot be put back to its first state, so that each call needs a new one. */
export type PlanFreshness = { readonly kind: "restorable" } | { readonly kind: "fresh"; readonly reason: string };

/** How putting an instance back finds what changed in its memories: it is noted, or all of them are compared. */
export type PlanChanges = { readonly kind: "noted" } | { readonly kind: "compared"; readonly reason: string };

/**
 * When the start functions of its core modules run: each when its module is instantiated, or all when every module is. There
 * may be none.
 */
export const START_TIMES = ["none", "at-instantiation", "later"] as const;

export type StartTime = (typeof START_TIMES)[number];

export interface LinkPlan {
  readonly format: typeof LINK_PLAN_FORMAT;
  /** Number of component instances, the outermost included; each has a handle table. */
  readonly components: number;
  readonly types: readonly PlanTypeDefinition[];
  readonly signatures: readonly PlanSignature[];
  readonly resources: readonly PlanResource[];
  readonly modules: readonly PlanModule[];
  readonly instances: readonly PlanInstance[];
  readonly options: readonly PlanCanonicalOptions[];
  readonly lowers: readonly PlanLower[];
  readonly lifts: readonly PlanLift[];
  /** Exported interface → function → index into {@link LinkPlan.lifts}. */
  readonly exports: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly freshness: PlanFreshness;
  readonly changes: PlanChanges;
  readonly starts: StartTime;
}
