/**
 * Limits on the resources of the runner that one instance may use in one request, in addition to the plugin's limits.
 *
 * @module
 */

import { MAX_HTTP_FIELDS } from "./http.ts";
import { type FixedLimitRow, MIB } from "./limit-row.ts";

/** Bounds of a guest; beyond each, unless it says otherwise, the request ends as a trap. */
export const GUEST_LIMIT_ROWS = {
  openHandles: {
    value: 4_096,
    unit: "count",
    summary: "Resources that the guest holds at a time.",
    enforcedIn: "runner/guest/guest-context",
  },
  randomBytes: {
    value: MIB,
    unit: "bytes",
    summary: "Random bytes that the guest reads.",
    enforcedIn: "runner/guest/guest-context",
  },
  polledHandles: {
    value: 1_024,
    unit: "count",
    summary: "Pollables in one call of poll.",
    enforcedIn: "runner/wasi/poll",
  },
  httpFields: {
    value: MAX_HTTP_FIELDS,
    unit: "count",
    summary: "Fields of one outbound request; a response with more is HTTP-response-header-section-size.",
    enforcedIn: "capabilities/outbound-http/guest/http-fields, egress/undici/exchange",
  },
} as const satisfies Record<string, FixedLimitRow>;

/** The values of {@link GUEST_LIMIT_ROWS}. */
export const GUEST_LIMITS = Object.fromEntries(
  Object.entries(GUEST_LIMIT_ROWS).map(([name, { value }]) => [name, value]),
) as { readonly [Name in keyof typeof GUEST_LIMIT_ROWS]: number };
