/**
 * Values of `.wast` scripts, as the linker gives and takes them: a list is an array, a record an object, flags an
 * object of booleans.
 *
 * @module
 */

import { camelCase } from "../../../src/runner/linker/compiled-type.ts";
import { type Expression, type List, wordAt } from "./expression.ts";

/** A value that a script writes: `(u32.const 7)`. */
export function valueOf(list: List): unknown {
  const kind = wordAt(list, 0)?.replace(/\.const$/, "");
  const [, first] = list.items;
  const inner = (): unknown[] => list.items.slice(1).map((item) => valueOf(expectList(item)));
  switch (kind) {
    case "bool":
      return wordAt(list, 1) === "true";
    case "u64":
    case "s64":
      return BigInt(numberText(list));
    case "u8":
    case "s8":
    case "u16":
    case "s16":
    case "u32":
    case "s32":
    case "f32":
    case "f64":
      return Number(numberText(list).replace(/^nan.*/, "NaN"));
    case "str":
    case "char":
    case "enum":
      return textOf(first);
    case "list":
    case "tuple":
      return inner();
    case "record":
      return Object.fromEntries(list.items.slice(1).map((item) => field(expectList(item))));
    case "flags":
      return Object.fromEntries(list.items.slice(1).map((item) => [camelCase(textOf(item)), true]));
    case "variant":
      return tagged(textOf(first), list.items[2]);
    case "result.ok":
    case "result.err":
      return { tag: kind.slice("result.".length), val: first === undefined ? undefined : valueOf(expectList(first)) };
    case "option.some":
      return valueOf(expectList(first));
    case "option.none":
      return undefined;
    case undefined:
    default:
      throw new Error(`a value of the kind ${kind} is not known`);
  }
}

/** A returned value in the form that {@link valueOf} gives. */
export function comparable(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return [...(value as unknown as Iterable<unknown>)];
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== false);
  return Object.fromEntries(entries.map(([name, inner]) => [name, comparable(inner)]));
}

/** `(field "name" u32.const 7)`: the value's own parentheses are left out. */
function field({ items, ...place }: List): [string, unknown] {
  return [camelCase(textOf(items[1])), valueOf({ ...place, items: items.slice(2) })];
}

function tagged(tag: string, payload: Expression | undefined): unknown {
  return payload === undefined ? { tag } : { tag, val: valueOf(expectList(payload)) };
}

function numberText(list: List): string {
  return (wordAt(list, 1) ?? "").replaceAll("_", "");
}

function textOf(expression: Expression | undefined): string {
  if (expression?.kind !== "text") throw new Error("a script's value lacks its text");
  return expression.bytes.toString("utf8");
}

function expectList(expression: Expression | undefined): List {
  if (expression?.kind !== "list") throw new Error("a script has a word where a value is expected");
  return expression;
}
