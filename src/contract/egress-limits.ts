/**
 * Bounds of outbound HTTP that hold for every plugin.
 *
 * @module
 */

import { type FixedLimitRow, KIB } from "./limit-row.ts";

export const EGRESS_LIMIT_ROWS = {
  httpConnectMs: {
    value: 5_000,
    unit: "ms",
    summary: "Name look-up, connect and TLS handshake of one outbound connection together; then it is an error.",
    enforcedIn: "egress/undici/connector",
  },
  httpAddresses: {
    value: 16,
    unit: "count",
    summary: "Addresses of one name to try for one connection, until one succeeds.",
    enforcedIn: "egress/undici/dial",
  },
  httpIdleMs: {
    value: 4_000,
    unit: "ms",
    summary: "How long an outbound connection without a request is kept.",
    enforcedIn: "egress/undici/client",
  },
  httpOrigins: {
    value: 256,
    unit: "count",
    summary: "Origins to which one plugin may have connections at a time; beyond it: connection-limit-reached.",
    enforcedIn: "egress/undici/client",
  },
  httpRequests: {
    value: 1_024,
    unit: "count",
    summary: "Outbound HTTP requests that one request may make in all; beyond it: connection-limit-reached.",
    enforcedIn: "capabilities/outbound-http/guest/link, capabilities/outbound-http/host/link",
  },
  httpWindowBytes: {
    value: 64 * KIB,
    unit: "bytes",
    summary:
      "Body bytes of one outbound request that the host and the runner buffer for each other, in each direction.",
    enforcedIn: "capabilities/outbound-http/host/link, runner/guest/guest-exchange",
  },
} as const satisfies Record<string, FixedLimitRow>;
