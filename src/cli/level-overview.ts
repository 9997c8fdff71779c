/**
 * The access levels of a plugin side by side: what it declares, what it imports, what it is granted and what it used.
 * Differences call for action: a level that is declared but not imported is useless.
 *
 * @module
 */

import { CAPABILITIES } from "../capabilities/capabilities.ts";
import { ACCESS_LEVELS, type AccessLevel, bitsFromLevels } from "../contract/access-levels.ts";
import type { Examination } from "./examination.ts";
import type { LevelUsage } from "./inspect-usage.ts";

/** One level. `undefined`: not asked for. */
export interface LevelRow {
  readonly level: AccessLevel;
  /** `get-access-levels` asks for it. */
  readonly declared: boolean;
  /** The component imports the interface that the level is for. */
  readonly imported: boolean;
  /** The policy grants it. */
  readonly granted: boolean | undefined;
  /** Operations that the replicas allowed. */
  readonly used: number | undefined;
}

/** Does a component import what the level is for? */
function imports(interfaces: readonly string[], level: AccessLevel): boolean {
  return CAPABILITIES.some(
    ({ entry, operations }) =>
      Object.values(operations).includes(level) && interfaces.some((name) => name.startsWith(`${entry}@`)),
  );
}

/** The rows of a component that could be loaded; `isJudged` says whether the verdict is one of a policy. */
export function levelRows({ outcome }: Examination, isJudged: boolean, usage: LevelUsage | undefined): LevelRow[] {
  if (outcome.kind === "failed") return [];
  const { requested, verdict, imports: imported } = outcome;
  const granted = verdict.kind === "granted" ? verdict.grant.levels : 0;
  return ACCESS_LEVELS.map((level) => ({
    level,
    declared: has(requested, level),
    imported: imports(imported, level),
    granted: isJudged ? has(granted, level) : undefined,
    used: usage?.used[level],
  }));
}

/** The rows as columns of text, with their heading. */
export function levelColumns(rows: readonly LevelRow[]): string[][] {
  const heading = ["LEVEL", "DECLARED", "IMPORTED", "GRANTED", "USED"];
  const lines = rows.map(({ level, declared, imported, granted, used }) => [
    level,
    yesOrNo(declared),
    yesOrNo(imported),
    granted === undefined ? UNKNOWN : yesOrNo(granted),
    used === undefined ? UNKNOWN : String(used),
  ]);
  return [heading, ...lines];
}

/** What the rows say should be changed. */
export function levelRemarks(rows: readonly LevelRow[]): string[] {
  return rows.flatMap(({ level, declared, imported, granted, used }) => {
    if (declared && !imported)
      return [`${level} is declared, and nothing that needs it is imported: do not ask for it`];
    if (granted === true && used === 0) return [`${level} is granted and has not been used so far`];
    return [];
  });
}

const UNKNOWN = "-";

function yesOrNo(value: boolean): string {
  return value ? "yes" : "no";
}

function has(bits: number, level: AccessLevel): boolean {
  return (bits & bitsFromLevels([level])) !== 0;
}
