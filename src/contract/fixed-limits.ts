/**
 * Bounds that no file changes, from the tables of their subjects.
 *
 * @module
 */

import { CACHE_LIMIT_ROWS } from "./cache-limits.ts";
import { CHILD_LIMIT_ROWS } from "./child-limits.ts";
import { CONFIG_LIMIT_ROWS } from "./config-limits.ts";
import { EGRESS_LIMIT_ROWS } from "./egress-limits.ts";
import { REGISTRY_LIMIT_ROWS } from "./registry-limits.ts";
import { REQUEST_LIMIT_ROWS } from "./request-limits.ts";
import { STORE_LIMIT_ROWS } from "./store-limits.ts";
import { TEST_LIMIT_ROWS } from "./test-limits.ts";
import { WRPC_LIMIT_ROWS } from "./wrpc-limits.ts";
import { WRPC_NATS_LIMIT_ROWS } from "./wrpc-nats-limits.ts";
import { type FixedLimitRow, valuesOf } from "./limit-row.ts";

export const FIXED_LIMIT_ROWS = {
  ...CHILD_LIMIT_ROWS,
  ...STORE_LIMIT_ROWS,
  ...EGRESS_LIMIT_ROWS,
  ...REQUEST_LIMIT_ROWS,
  ...CONFIG_LIMIT_ROWS,
  ...CACHE_LIMIT_ROWS,
  ...REGISTRY_LIMIT_ROWS,
  ...TEST_LIMIT_ROWS,
  ...WRPC_LIMIT_ROWS,
  ...WRPC_NATS_LIMIT_ROWS,
} as const satisfies Record<string, FixedLimitRow>;

/** The values of {@link FIXED_LIMIT_ROWS}. */
export const FIXED_LIMITS: { readonly [Name in keyof typeof FIXED_LIMIT_ROWS]: number } = valuesOf(FIXED_LIMIT_ROWS);
