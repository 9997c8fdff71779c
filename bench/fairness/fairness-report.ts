/**
 * The figures of fairness for people: a table in Markdown, and what to beware of. Pure.
 *
 * @module
 */

import { digits, spread, table, times } from "../figures/report-text.ts";
import { ATTACKS } from "./attacks.ts";
import { type FairnessCell, PROMISED_P99_RATIO } from "./fairness.ts";

/** A load generator that is later than this part of a p99 makes a good part of it. */
const LATE_GENERATOR = 0.5;

/** The table of a run, and what its attacks are. */
export function fairnessText(cells: readonly FairnessCell[]): string {
  const attacks = [...new Set(cells.map(({ attack }) => attack))];
  return [
    attacks.map((attack) => `- ${attack}: ${ATTACKS[attack].summary}`).join("\n"),
    table(
      ["beside", "good plugin", "p50 quiet, ms", "p50 ratio", "p99 quiet, ms", "p99 beside it, ms", "p99 ratio"],
      cells.map((cell) => [
        cell.attack,
        cell.job,
        spread(cell.quietP50Ms, digits),
        spread(cell.p50, times),
        spread(cell.quietP99Ms, digits),
        spread(cell.attackedP99Ms, digits),
        spread(cell.p99, times),
      ]),
    ),
  ].join("\n\n");
}

/** What must be known to read the figures rightly, and which of them break the promise. */
export function fairnessWarnings(cells: readonly FairnessCell[]): readonly string[] {
  return cells.flatMap(({ attack, job, p99, attackedP99Ms, sendLagMs, errors }) => [
    ...(errors > 0 ? [`${job} beside ${attack}: ${errors} of its requests were refused or failed`] : []),
    ...(p99.median > PROMISED_P99_RATIO
      ? [
          `${job} beside ${attack}: p99 is ${times(p99.median)} its quiet value, at most ${PROMISED_P99_RATIO}× is promised`,
        ]
      : []),
    ...(sendLagMs.median > LATE_GENERATOR * attackedP99Ms.median
      ? [
          `${job} beside ${attack}: the load generator itself was ${digits(sendLagMs.median)} ms late (p99), which is part of the latencies`,
        ]
      : []),
  ]);
}
