/**
 * Checks the linker engine's part of an artifact: as the compiler reports it, and as a manifest keeps it.
 *
 * @module
 */

import { z } from "zod";
import { MESSAGE_MAX_LENGTH } from "../../compiler/report.ts";
import { type FreshState, type LinkEntry, RESTORING_FRESH_STATES } from "../../contract/artifact.ts";
import type { PlanChanges } from "../../contract/link-plan.ts";

const reason = z.string().max(MESSAGE_MAX_LENGTH);

const changes: z.ZodType<PlanChanges> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("noted") }),
  z.strictObject({ kind: z.literal("compared"), reason }),
]);

const freshState: z.ZodType<FreshState> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.enum(RESTORING_FRESH_STATES), changes }),
  z.strictObject({ kind: z.literal("made-anew"), reason }),
]);

/** @param plan checks the name of the plan's file */
export function linkEntrySchema(plan: z.ZodType<string>): z.ZodType<LinkEntry> {
  return z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("planned"), plan, freshState }),
    z.strictObject({ kind: z.literal("refused"), reason }),
  ]);
}
