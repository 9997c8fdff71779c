/**
 * Classifies failed requests as `wasi:http` names the failures. The driver's one classification of errors: of Node, of
 * its resolver, of TLS and of undici. What a plugin reads is the case alone, and where the case has room the code
 * of a resolver or an alert; never an address, a path or a message.
 *
 * @module
 */

import type { HttpErrorCode, HttpFailure } from "../../contract/http.ts";

/** An error whose reason is known already. It is passed to callbacks of undici and comes back from them. */
export class ExchangeError extends Error {
  override readonly name = "ExchangeError";
  readonly failure: HttpFailure;

  constructor(failure: HttpFailure) {
    super(failure.detail === undefined ? failure.code : `${failure.code}: ${failure.detail}`);
    this.failure = failure;
  }
}

/** How far an exchange had come. */
export type ExchangePhase = "request" | "response";

const BY_CODE: Readonly<Record<string, HttpErrorCode>> = {
  ECONNREFUSED: "connection-refused",
  ECONNRESET: "connection-terminated",
  EPIPE: "connection-terminated",
  UND_ERR_SOCKET: "connection-terminated",
  UND_ERR_CLOSED: "connection-terminated",
  UND_ERR_DESTROYED: "connection-terminated",
  ETIMEDOUT: "connection-timeout",
  UND_ERR_CONNECT_TIMEOUT: "connection-timeout",
  EHOSTUNREACH: "destination-IP-unroutable",
  ENETUNREACH: "destination-IP-unroutable",
  EADDRNOTAVAIL: "destination-IP-unroutable",
  EHOSTDOWN: "destination-unavailable",
  EACCES: "destination-unavailable",
  EPERM: "destination-unavailable",
  EMFILE: "connection-limit-reached",
  ENFILE: "connection-limit-reached",
  UND_ERR_MAX_ORIGINS_REACHED: "connection-limit-reached",
  UND_ERR_HEADERS_OVERFLOW: "HTTP-response-header-section-size",
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: "HTTP-request-body-size",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "HTTP-response-incomplete",
  EPROTO: "TLS-protocol-error",
};

/** OpenSSL's verdicts on a certificate, by the beginning of their code. */
const CERTIFICATE =
  /^(?:CERT_|CRL_|ERR_TLS_CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_)/;
const ALERT = /^ERR_SSL_(?:TLSV1|SSLV3)_(?:UNRECOGNIZED_NAME|ALERT_[A-Z_]+)/;

/** Classifies the error that a driver's callback got. */
export function describeFailure(error: unknown, phase: ExchangePhase): HttpFailure {
  if (error instanceof ExchangeError) return error.failure;
  const code = codeOf(error);
  if (code.startsWith("HPE_") || (error as Error | null)?.name === "HTTPParserError")
    return { code: phase === "response" ? "HTTP-response-incomplete" : "HTTP-protocol-error" };
  if (ALERT.test(code)) return { code: "TLS-alert-received", detail: code.replace(/^ERR_SSL_/, "") };
  if (CERTIFICATE.test(code)) return { code: "TLS-certificate-error" };
  if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_")) return { code: "TLS-protocol-error" };
  const known = BY_CODE[code];
  if (known === "connection-terminated" && phase === "response") return { code: "HTTP-response-incomplete" };
  // Before the header section is whole nothing can be incomplete: it says two things of one length.
  if (known === "HTTP-response-incomplete" && phase === "request") return { code: "HTTP-protocol-error" };
  return known === undefined ? { code: "internal-error" } : { code: known };
}

/** Classifies what a resolver threw. */
export function describeLookupFailure(error: unknown): HttpFailure {
  const code = codeOf(error);
  return code === "ETIMEOUT" || code === "ECANCELLED" ? { code: "DNS-timeout" } : { code: "DNS-error", detail: code };
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}
