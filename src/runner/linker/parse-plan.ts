/**
 * Checks a link plan before it is used: every index is in bounds and points backwards where it must, every name is text.
 * The compiler made the plan from hostile bytes, which may have taken that process over; the runner executes only what
 * passes this check.
 *
 * @module
 */

import {
  BIT_TYPES,
  LINK_PLAN_FORMAT,
  type LinkPlan,
  MEMORY_PAGES_MAX,
  type PlanChangeMap,
  type PlanChanges,
  type PlanFreshness,
  type PlanInstance,
  type PlanItem,
  type PlanLift,
  type PlanLower,
  type PlanMemory,
  type PlanModule,
  type PlanCanonicalOptions,
  type PlanResource,
  type PlanSignature,
  type PlanType,
  type PlanTypeDefinition,
  START_TIMES,
  type StartTime,
  STRING_ENCODINGS,
} from "../../contract/link-plan.ts";
import { PRIMITIVE_TYPES } from "../../contract/primitive-types.ts";
import { HostError } from "../../errors/host-error.ts";

/** The most entries of a list, and characters of a text, in a plan. */
const LENGTH_MAX = 100_000;

/** Parses and checks the text of a plan's file. Throws `load-failed`. */
export function parsePlan(text: string): LinkPlan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw flaw("it is not JSON", error);
  }
  return new PlanParser(fields(value)).parse();
}

type Fields = Readonly<Record<string, unknown>>;

class PlanParser {
  readonly #plan: Fields;
  readonly #counts: Readonly<Record<string, number>>;

  constructor(plan: Fields) {
    this.#plan = plan;
    const counted = ["types", "signatures", "resources", "modules", "instances", "options", "lowers", "lifts"];
    this.#counts = Object.fromEntries(counted.map((name) => [name, list(plan[name]).length]));
  }

  parse(): LinkPlan {
    const plan = this.#plan;
    if (plan["format"] !== LINK_PLAN_FORMAT) throw flaw("its format is another one");
    const parts = <Part>(name: string, parse: (value: Fields, index: number) => Part): Part[] =>
      list(plan[name]).map((value, index) => parse(fields(value), index));
    return {
      format: LINK_PLAN_FORMAT,
      components: integer(plan["components"], LENGTH_MAX),
      types: parts("types", (value, index) => this.#typeDefinition(value, index)),
      signatures: parts("signatures", (value) => this.#signature(value)),
      resources: parts("resources", (value) => this.#resource(value)),
      modules: parts("modules", parseModule),
      instances: parts("instances", (value) => this.#instance(value)),
      options: parts("options", (value) => this.#options(value)),
      lowers: parts("lowers", (value) => this.#lower(value)),
      lifts: parts("lifts", (value) => this.#lift(value)),
      exports: this.#exports(plan["exports"]),
      freshness: parseFreshness(fields(plan["freshness"])),
      changes: parseChanges(fields(plan["changes"])),
      starts: parseStartTime(plan["starts"]),
    };
  }

  #index(of: string, value: unknown): number {
    return integer(value, (this.#counts[of] ?? 0) - 1);
  }

  #component(value: unknown): number {
    return integer(value, integer(this.#plan["components"], LENGTH_MAX) - 1);
  }

  /** `below` is the number of types defined so far. */
  #type(value: unknown, below = this.#counts["types"] ?? 0): PlanType {
    const primitive = PRIMITIVE_TYPES.find((name) => name === value);
    return primitive ?? integer(value, below - 1);
  }

  #optionalType(value: unknown, below?: number): PlanType | null {
    return value === null ? null : this.#type(value, below);
  }

  #typeDefinition(value: Fields, below: number): PlanTypeDefinition {
    const type = (inner: unknown): PlanType => this.#type(inner, below);
    const optional = (inner: unknown): PlanType | null => this.#optionalType(inner, below);
    switch (value["kind"]) {
      case "record":
        return { kind: "record", fields: pairs(value["fields"], type) };
      case "variant":
        return { kind: "variant", cases: nonEmpty(pairs(value["cases"], optional)) };
      case "list":
        return { kind: "list", element: type(value["element"]) };
      case "tuple":
        return { kind: "tuple", elements: list(value["elements"]).map(type) };
      case "flags":
        return { kind: "flags", names: list(value["names"]).map(text) };
      case "enum":
        return { kind: "enum", names: nonEmpty(list(value["names"]).map(text)) };
      case "option":
        return { kind: "option", some: type(value["some"]) };
      case "result":
        return { kind: "result", ok: optional(value["ok"]), err: optional(value["err"]) };
      case "own":
        return { kind: "own", resource: this.#index("resources", value["resource"]) };
      case "borrow":
        return { kind: "borrow", resource: this.#index("resources", value["resource"]) };
      default:
        throw flaw("a type is of no known kind");
    }
  }

  #signature(value: Fields): PlanSignature {
    return {
      params: list(value["params"]).map((type) => this.#type(type)),
      result: this.#optionalType(value["result"]),
    };
  }

  #resource(value: Fields): PlanResource {
    if (value["kind"] === "imported")
      return { kind: "imported", interface: text(value["interface"]), name: text(value["name"]) };
    if (value["kind"] !== "defined") throw flaw("a resource is of no known kind");
    const { destructor } = value;
    return {
      kind: "defined",
      component: this.#component(value["component"]),
      destructor: destructor === null ? null : this.#item(destructor),
    };
  }

  #item(value: unknown): PlanItem {
    const item = fields(value);
    switch (item["kind"]) {
      case "export":
        return { kind: "export", instance: this.#index("instances", item["instance"]), name: text(item["name"]) };
      case "lower":
        return { kind: "lower", index: this.#index("lowers", item["index"]) };
      case "resource-new":
      case "resource-rep":
      case "resource-drop":
        return {
          kind: item["kind"],
          resource: this.#index("resources", item["resource"]),
          component: this.#component(item["component"]),
        };
      default:
        throw flaw("an item is of no known kind");
    }
  }

  #optionalItem(value: unknown): PlanItem | null {
    return value === null ? null : this.#item(value);
  }

  #instance(value: Fields): PlanInstance {
    const imports = list(value["imports"]).map((wanted) => {
      const [module, name, item] = tuple(wanted, 3);
      return [text(module), text(name), this.#item(item)] as const;
    });
    return { module: this.#index("modules", value["module"]), imports };
  }

  #options(value: Fields): PlanCanonicalOptions {
    const encoding = STRING_ENCODINGS.find((name) => name === value["encoding"]);
    if (encoding === undefined) throw flaw("a string encoding is unknown");
    return {
      component: this.#component(value["component"]),
      encoding,
      memory: this.#optionalItem(value["memory"]),
      realloc: this.#optionalItem(value["realloc"]),
    };
  }

  #lower(value: Fields): PlanLower {
    const target = fields(value["target"]);
    if (target["kind"] !== "lift" && target["kind"] !== "import") throw flaw("a function is of no known kind");
    return {
      signature: this.#index("signatures", value["signature"]),
      options: this.#index("options", value["options"]),
      target:
        target["kind"] === "lift"
          ? { kind: "lift", index: this.#index("lifts", target["index"]) }
          : { kind: "import", interface: text(target["interface"]), name: text(target["name"]) },
    };
  }

  #lift(value: Fields): PlanLift {
    return {
      signature: this.#index("signatures", value["signature"]),
      options: this.#index("options", value["options"]),
      core: this.#item(value["core"]),
      postReturn: this.#optionalItem(value["postReturn"]),
    };
  }

  #exports(value: unknown): LinkPlan["exports"] {
    return record(value, (functions) => record(functions, (index) => this.#index("lifts", index)));
  }
}

function parseModule(value: Fields): PlanModule {
  return {
    file: text(value["file"]),
    memories: list(value["memories"]).map((memory) => parseMemory(fields(memory))),
    changeMaps: list(value["changeMaps"]).map((map) => parseChangeMap(fields(map), list(value["memories"]).length)),
    checksStopFlag: value["checksStopFlag"] === true,
    globals: pairs(value["globals"], (type) => {
      const known = BIT_TYPES.find((name) => name === type);
      if (known === undefined) throw flaw("a global is of no type that is bits");
      return known;
    }),
    hidesGrowth: value["hidesGrowth"] === true,
    start: value["start"] === null ? null : text(value["start"]),
  };
}

function parseMemory({ name, imported }: Fields): PlanMemory {
  if (imported === null) return { name: text(name), imported };
  const { minPages, maxPages } = fields(imported);
  const max = maxPages === null ? null : integer(maxPages, MEMORY_PAGES_MAX);
  return { name: text(name), imported: { minPages: integer(minPages, max ?? MEMORY_PAGES_MAX), maxPages: max } };
}

/** `memories` is the number of the module's own. */
function parseChangeMap(value: Fields, memories: number): PlanChangeMap {
  const name = text(value["name"]);
  const memory = fields(value["memory"]);
  if (memory["kind"] === "own") return { name, memory: { kind: "own", index: integer(memory["index"], memories - 1) } };
  if (memory["kind"] !== "import") throw flaw("a memory is of no known kind");
  return { name, memory: { kind: "import", module: text(memory["module"]), name: text(memory["name"]) } };
}

function parseChanges(value: Fields): PlanChanges {
  if (value["kind"] === "noted") return { kind: "noted" };
  if (value["kind"] !== "compared") throw flaw("its changes are found in no known way");
  return { kind: "compared", reason: text(value["reason"]) };
}

function parseStartTime(value: unknown): StartTime {
  const known = START_TIMES.find((time) => time === value);
  if (known === undefined) throw flaw("its start functions run at no time");
  return known;
}

function parseFreshness(value: Fields): PlanFreshness {
  if (value["kind"] === "restorable") return { kind: "restorable" };
  return { kind: "fresh", reason: text(value["reason"]) };
}

function fields(value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw flaw("an object is missing");
  return value as Fields;
}

/** An object whose names come from the component, so the result has no prototype. */
function record<Value>(value: unknown, parse: (value: unknown) => Value): Record<string, Value> {
  const parsed = Object.create(null) as Record<string, Value>;
  for (const [name, inner] of Object.entries(fields(value))) parsed[name] = parse(inner);
  return parsed;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length > LENGTH_MAX) throw flaw("a list is missing or too long");
  return value as readonly unknown[];
}

function nonEmpty<Value>(values: readonly Value[]): readonly Value[] {
  if (values.length === 0) throw flaw("a type has no cases");
  return values;
}

function tuple(value: unknown, length: number): readonly unknown[] {
  const values = list(value);
  if (values.length !== length) throw flaw(`a list has not ${length} entries`);
  return values;
}

function pairs<Type>(value: unknown, parse: (type: unknown) => Type): (readonly [string, Type])[] {
  return list(value).map((pair) => {
    const [name, type] = tuple(pair, 2);
    return [text(name), parse(type)] as const;
  });
}

function text(value: unknown): string {
  if (typeof value !== "string" || value.length > LENGTH_MAX) throw flaw("a text is missing or too long");
  return value;
}

function integer(value: unknown, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max)
    throw flaw("an index is out of bounds");
  return value;
}

function flaw(what: string, cause?: unknown): HostError {
  return new HostError("load-failed", `the link plan cannot be used: ${what}`, { cause });
}
