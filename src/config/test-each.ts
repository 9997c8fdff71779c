/**
 * `each:` of a case: values for the variables in its texts, `${name}`. The case then runs once for every combination, each
 * time from its own beginning.
 *
 * @module
 */

import { z } from "zod";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { Path } from "./yaml-text.ts";

/** One value for every variable. */
export type VariableValues = ReadonlyMap<string, Scalar>;

type Scalar = string | number | boolean;

const NAME = "[a-zA-Z][a-zA-Z0-9]*";
const VARIABLE = new RegExp(`\\$\\{(${NAME})\\}`, "g");

/** What a text has to be that stands for a number: a variable, or its value. */
export const NUMBER_TEXT: RegExp = new RegExp(`^(?:-?[0-9]{1,16}|\\$\\{${NAME}\\})$`);

const EACH_ADVICE =
  "write a list of maps from a variable to its value, a list of values, or { from: 0, to: 100, step: 10 }";
const RANGE_ADVICE = "write whole numbers: `from`, `to` that is not less, and `step` of at least 1";
const SCALAR_ADVICE = "write a text, a number, true or false";

const scalar = z.union([z.string(), z.number(), z.boolean()], { error: SCALAR_ADVICE });
const whole = z.int({ error: RANGE_ADVICE });

const range = z
  .strictObject({
    from: whole.meta({ description: "The first value." }),
    to: whole.meta({ description: "No value is greater." }),
    step: whole.min(1, { error: RANGE_ADVICE }).optional().meta({ description: "Default: 1." }),
  })
  .refine(({ from, to }) => from <= to, { error: RANGE_ADVICE });

const row = z
  .record(
    z.string().regex(new RegExp(`^${NAME}$`), { error: "write a variable's name: letters and digits" }),
    z.union([scalar, z.array(scalar).min(1, { error: "write at least one value" }), range], { error: EACH_ADVICE }),
    { error: EACH_ADVICE },
  )
  .refine((values) => Object.keys(values).length > 0, { error: EACH_ADVICE });

/** The shape of `each`. */
export const eachSchema = z
  .array(row, { error: EACH_ADVICE })
  .min(1, { error: EACH_ADVICE })
  .refine((rows) => rows.every((one) => namesOf(one) === namesOf(rows[0] ?? {})), {
    error: "write the same variables in every map of the list",
  })
  .refine((rows) => countOf(rows) <= FIXED_LIMITS.testRuns, {
    error: `write at most ${FIXED_LIMITS.testRuns} combinations of values`,
  });

type Row = z.output<typeof row>;

/** What `each` has, once it is checked. */
export type Rows = readonly Row[];

function namesOf(one: Row): string {
  return Object.keys(one).sort().join();
}

/** The combinations of these rows. */
export function countOf(rows: Rows): number {
  const counts = rows.map((one) =>
    Object.values(one)
      .map(lengthOf)
      .reduce((product, length) => product * length, 1),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

function lengthOf(values: Row[string]): number {
  if (Array.isArray(values)) return values.length;
  return typeof values === "object" ? Math.floor((values.to - values.from) / (values.step ?? 1)) + 1 : 1;
}

/** The combinations, in the order of the file; of several variables in a map, the last one changes first. */
export function* combinations(rows: Rows): Generator<VariableValues> {
  for (const one of rows) {
    const names = Object.keys(one);
    const lengths = names.map((name) => lengthOf(one[name] as Row[string]));
    const count = lengths.reduce((product, length) => product * length, 1);
    for (let at = 0; at < count; at += 1) {
      const values = new Map<string, Scalar>();
      let rest = at;
      for (let index = names.length - 1; index >= 0; index -= 1) {
        const [name = "", length = 1] = [names[index], lengths[index]];
        values.set(name, valueAt(one[name] as Row[string], rest % length));
        rest = Math.floor(rest / length);
      }
      yield new Map(names.map((name) => [name, values.get(name) as Scalar]));
    }
  }
}

function valueAt(values: Row[string], index: number): Scalar {
  if (Array.isArray(values)) return values[index] as Scalar;
  return typeof values === "object" ? values.from + index * (values.step ?? 1) : values;
}

/** As `each` may have it, for people: `{ status: 257 }`. */
export function describeValues(values: VariableValues): string {
  return `{ ${[...values].map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")} }`;
}

/** A case's data with values in the place of its variables. */
export interface FilledCase {
  readonly data: unknown;
  /** What is wrong with the use of variables. Paths are those of the file, from the case on. */
  readonly problems: readonly { readonly path: Path; readonly message: string }[];
  /** Variables that the case does not use. */
  readonly unused: readonly string[];
}

/** Keys below which there are names of others, and how many levels of them: no key of a test file is meant there. */
const LEVELS_OF_NAMES: Readonly<Record<string, number>> = { keys: 2, headers: 1 };

/** Keys of a case that have no variables. */
const FIXED_KEYS: ReadonlySet<string> = new Set(["name", "needs", "each"]);

/**
 * Puts values in the place of variables. A variable within a text becomes its text; one that is all of a text within `json`
 * becomes the value, so that a number stays one. Pure.
 */
export function fillCase(fields: object, values: VariableValues): FilledCase {
  const filling = new Filling(values);
  const data = Object.fromEntries(
    Object.entries(fields).map(([key, part]) => [key, FIXED_KEYS.has(key) ? part : filling.entry(key, part, [key])]),
  );
  return { data, problems: filling.problems, unused: [...filling.unused] };
}

class Filling {
  readonly problems: { path: Path; message: string }[] = [];
  readonly unused: Set<string>;
  readonly #values: VariableValues;

  constructor(values: VariableValues) {
    this.#values = values;
    this.unused = new Set(values.keys());
  }

  /** The value of a key that a test file may have. */
  entry(key: string, part: unknown, path: Path): unknown {
    const levels = LEVELS_OF_NAMES[key];
    if (levels !== undefined) return this.#named(part, levels, path);
    return key === "json" ? this.#json(part, path) : this.#part(part, path);
  }

  #part(part: unknown, path: Path): unknown {
    if (typeof part === "string") return this.#text(part, path);
    if (Array.isArray(part)) return part.map((inner, index) => this.#part(inner, [...path, index]));
    return mapEntries(part, (key, inner) => [key, this.entry(key, inner, [...path, key])]);
  }

  /** Values by names that the author has given; those of the last level may have variables. */
  #named(part: unknown, levels: number, path: Path): unknown {
    if (levels === 0) return this.#part(part, path);
    const taken = new Set<string>();
    return mapEntries(part, (key, inner) => {
      const below = [...path, key];
      const name = levels === 1 ? this.#text(key, below) : key;
      if (taken.has(name)) this.problems.push({ path: below, message: `"${name}" is there twice, by its variables` });
      taken.add(name);
      return [name, this.#named(inner, levels - 1, below)];
    });
  }

  #json(part: unknown, path: Path): unknown {
    if (typeof part === "string") {
      const [only] = part.matchAll(VARIABLE);
      return only?.[0] === part ? this.#valueOf(only[1] ?? "", path) : this.#text(part, path);
    }
    if (Array.isArray(part)) return part.map((inner, index) => this.#json(inner, [...path, index]));
    return mapEntries(part, (key, inner) => [key, this.#json(inner, [...path, key])]);
  }

  #text(text: string, path: Path): string {
    return text.replaceAll(VARIABLE, (_, name: string) => String(this.#valueOf(name, path)));
  }

  #valueOf(name: string, path: Path): Scalar {
    this.unused.delete(name);
    const value = this.#values.get(name);
    if (value !== undefined) return value;
    const message = `\${${name}} has no value in \`each\`, which has ${[...this.#values.keys()].join(", ")}`;
    this.problems.push({ path, message });
    return "";
  }
}

/** Of what is a map; all else stays as it is. */
function mapEntries(part: unknown, map: (key: string, value: unknown) => [key: string, value: unknown]): unknown {
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => map(key, value)));
}
