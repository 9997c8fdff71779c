/**
 * Constants of the wire protocol (docs/protocol.md): subjects and headers.
 *
 * @module
 */

import type { PluginName } from "./names.ts";

/** First token of every request's subject. */
export const SUBJECT_ROOT = "rpc";

/** In the subjects of calls over wRPC, between the plugin and the function. Its dots separate tokens. */
export const WRPC_PROTOCOL = "wrpc.0.0.1";

/** Subject of requests that name their method in a header. */
export function requestSubject(plugin: PluginName): string {
  return `${SUBJECT_ROOT}.${plugin}`;
}

/** Wildcard subject of requests that name their method in the last token. */
export function methodSubjects(plugin: PluginName): string {
  return `${SUBJECT_ROOT}.${plugin}.*`;
}

/** Headers of requests and replies. Reading is case-insensitive; writing uses exactly this spelling. */
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

/** At most this many bytes of UTF-8 in a request's id, whether given by the caller or made by the host. */
export const REQUEST_ID_MAX_BYTES = 128;

/** At most this many bytes of UTF-8 in a method's name. */
export const METHOD_MAX_BYTES = 255;
