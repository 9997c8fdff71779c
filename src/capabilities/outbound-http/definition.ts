/**
 * `wasi:http` for a guest that sends requests.
 *
 * @module
 */

import type { Capability } from "../capability.ts";
import { TO_GUEST, TO_HOST } from "./messages.ts";

export const OUTBOUND_HTTP = {
  name: "outbound-http",
  interfaces: ["wasi:http/types", "wasi:http/outgoing-handler"],
  entry: "wasi:http/outgoing-handler",
  // The functions in which bodies wait. In components without HTTP, no stream ever waits.
  suspending: [
    "wasi:io/streams#[method]input-stream.blocking-read",
    "wasi:io/streams#[method]input-stream.blocking-skip",
    "wasi:io/streams#[method]output-stream.blocking-write-and-flush",
    "wasi:io/streams#[method]output-stream.blocking-flush",
    "wasi:io/streams#[method]output-stream.blocking-write-zeroes-and-flush",
    "wasi:io/streams#[method]output-stream.blocking-splice",
  ],
  alike: [],
  operations: { request: "outbound-http" },
  counter: {
    name: "network_host_http_requests_total",
    help: "Outbound HTTP requests, by plugin and outcome: ok (any response), aborted, or a case of wasi:http's error-code.",
    hasOperationLabel: false,
    deniedOutcome: "HTTP-request-denied",
  },
  messages: { toHost: TO_HOST, toGuest: TO_GUEST },
} as const satisfies Capability;
