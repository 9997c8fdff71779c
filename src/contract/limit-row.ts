/**
 * The form of every limit: what it bounds, where, and what happens beyond it. The schemas, the
 * code that enforces a limit and docs/limits.md all come from such rows.
 *
 * @module
 */

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** A limit with a default, which files may change within its range. */
export interface LimitRow {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: "bytes" | "ms" | "count";
  /** What it bounds, and what happens beyond it. */
  readonly summary: string;
  /** Module that enforces it. */
  readonly enforcedIn: string;
}

/** A bound that no file changes. */
export interface FixedLimitRow {
  readonly value: number;
  readonly unit: LimitRow["unit"];
  readonly summary: string;
  readonly enforcedIn: string;
}

/** The defaults of a table. */
export function defaultsOf<Table extends Record<string, LimitRow>>(
  table: Table,
): { readonly [Name in keyof Table]: number } {
  return Object.fromEntries(Object.entries(table).map(([name, row]) => [name, row.default])) as {
    [Name in keyof Table]: number;
  };
}

/** The values of a table. */
export function valuesOf<Table extends Record<string, FixedLimitRow>>(
  table: Table,
): { readonly [Name in keyof Table]: number } {
  return Object.fromEntries(Object.entries(table).map(([name, row]) => [name, row.value])) as {
    [Name in keyof Table]: number;
  };
}
