/**
 * What the rounds of a job are made with.
 *
 * @module
 */

import type { Measurement } from "../figures/measurement.ts";
import type { Generator } from "../generator/generator.ts";
import type { Servers } from "../servers/servers.ts";
import type { ComparisonPlan } from "./comparison-plan.ts";

/** Rounds beyond those of the plan, where these leave something open. */
export interface MoreRounds {
  /** Rounds at most, those of the plan among them. */
  readonly atMost: number;
  /** Do the rounds so far suffice? */
  readonly suffices: (measurements: readonly Measurement[]) => boolean;
}

/** What the rounds are made with. */
export interface RoundsSetting {
  readonly plan: ComparisonPlan;
  readonly servers: Servers;
  readonly generator: Generator;
  readonly folder: string;
  readonly report: (line: string) => void;
  /** No more than the plan's if absent. */
  readonly more?: MoreRounds | undefined;
  /** Aborted: no further measurement is begun. */
  readonly signal: AbortSignal;
}
