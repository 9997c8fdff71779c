/**
 * The shape of `limits` and `replica`, made from the table of limits: a key for each row, its range, its
 * default and its description.
 *
 * @module
 */

import { z } from "zod";
import type { LimitRow } from "../contract/limits.ts";
import { parseSizeText, SIZE_TEXT, SIZE_UNITS } from "../contract/size-text.ts";

type LimitValues<Table> = { readonly [Name in keyof Table]?: number };

/** Accepts any subset of the table's limits; sizes also as `512KiB`. The result holds plain numbers. */
export function limitsSchema<Table extends Record<string, LimitRow>>(
  table: Table,
  description: string,
): z.ZodType<LimitValues<Table>> {
  const shape = Object.fromEntries(Object.entries(table).map(([name, row]) => [name, limitSchema(row).optional()]));
  return z
    .strictObject(shape, { error: "write limits as `name: value`, one a line, or leave this out" })
    .meta({ description });
}

function limitSchema(row: LimitRow): z.ZodType<number> {
  const error = `write ${describeRange(row)}`;
  const meta = { description: `${row.summary} Default: ${showValue(row.default, row.unit)}.` };
  const plain = z.int({ error }).min(row.min, { error }).max(row.max, { error });
  if (row.unit !== "bytes") return plain.meta(meta);
  return z
    .union([plain, z.string({ error }).regex(SIZE_TEXT, { error })], { error })
    .transform((size) => (typeof size === "number" ? size : parseSizeText(size)))
    .refine((bytes) => bytes >= row.min && bytes <= row.max, { error })
    .meta(meta);
}

function describeRange({ unit, min, max }: LimitRow): string {
  const what = {
    bytes: "a number of bytes, or a size such as 64KiB or 1MiB,",
    ms: "a whole number of milliseconds",
    count: "a whole number",
  };
  return `${what[unit]} from ${showValue(min, unit)} to ${showValue(max, unit)}`;
}

/** A value as an operator would write it: `1MiB`, `5000`. */
export function showValue(value: number, unit: LimitRow["unit"]): string {
  if (unit !== "bytes" || value === 0) return String(value);
  for (const [name, bytes] of Object.entries(SIZE_UNITS)) {
    const size = value / bytes;
    if (Number.isInteger(size)) return `${size}${name}`;
  }
  return String(value);
}
