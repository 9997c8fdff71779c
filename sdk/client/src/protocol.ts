/**
 * Constants of the wire protocol; docs/protocol.md of network-host describes it.
 *
 * Generated from src/contract/ by scripts/generate-sdk/client.ts; do not edit.
 *
 * @module
 */

/** First token of every request's subject. */
export const SUBJECT_ROOT = "rpc";

/** Headers of requests and replies. */
export const HEADER = {
  method: "Rpc-Method",
  id: "Rpc-Id",
  timeoutMs: "Rpc-Timeout-Ms",
  status: "Rpc-Status",
  error: "Rpc-Error",
  retryable: "Rpc-Retryable",
  retryAfterMs: "Retry-After-Ms",
  serviceError: "Nats-Service-Error",
  serviceErrorCode: "Nats-Service-Error-Code",
  traceparent: "traceparent",
  tracestate: "tracestate",
} as const;

export const PLUGIN_NAME: RegExp = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
export const PLUGIN_NAME_MAX_LENGTH = 63;
export const METHOD_MAX_BYTES = 255;
export const REQUEST_ID_MAX_LENGTH = 128;
export const MAX_STATUS = 65535;
