/**
 * Chooses how putting an instance back finds what changed in its memories. Comparing costs time for each byte of memory that
 * there is, noting for each store and each block that was changed.
 *
 * @module
 */

import type { CoreModule } from "../../component/core/model.ts";
import { WASM_PAGE_BYTES } from "../../contract/component-limits.ts";
import type { PlanChanges, PlanFreshness } from "../../contract/link-plan.ts";
import { KIB } from "../../contract/limit-row.ts";

/** Changes are noted where memories begin with at least this size, all together: see ADR 49 for the measurements. */
export const NOTED_MIN_BYTES = 128 * KIB;

export function chooseChanges(
  modules: readonly CoreModule[],
  freshness: PlanFreshness,
  notedMinBytes: number,
): PlanChanges {
  if (freshness.kind === "fresh") return { kind: "compared", reason: "an instance is not put back" };
  const pages = modules.flatMap(({ memories }) => memories).reduce((sum, { min }) => sum + Number(min), 0);
  const bytes = pages * WASM_PAGE_BYTES;
  if (bytes >= notedMinBytes) return { kind: "noted" };
  return { kind: "compared", reason: `its memory begins with ${bytes / KIB} KiB, less than ${notedMinBytes / KIB}` };
}
