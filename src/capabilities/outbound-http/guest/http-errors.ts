/**
 * The `error-code` of `wasi:http/types`: from a failure in a message to the variant, whose cases carry payloads of five
 * kinds.
 *
 * @module
 */

import type { ErrorCode } from "@bytecodealliance/preview2-shim/interfaces/wasi-http-types";
import type { HttpFailure } from "../../../contract/http.ts";

/** The variant's case for a failure. */
export function toErrorCode({ code, bytes, detail }: HttpFailure): ErrorCode {
  switch (code) {
    case "DNS-error":
      return { tag: code, val: detail === undefined ? {} : { rcode: detail } };
    case "TLS-alert-received":
      return { tag: code, val: detail === undefined ? {} : { alertMessage: detail } };
    case "HTTP-request-body-size":
    case "HTTP-response-body-size":
      return { tag: code, val: bytes === undefined ? undefined : BigInt(bytes) };
    case "HTTP-request-header-section-size":
    case "HTTP-request-trailer-section-size":
    case "HTTP-response-header-section-size":
    case "HTTP-response-trailer-section-size":
      return { tag: code, val: bytes };
    case "HTTP-request-header-size":
      return { tag: code, val: undefined };
    case "HTTP-request-trailer-size":
    case "HTTP-response-header-size":
    case "HTTP-response-trailer-size":
      return { tag: code, val: bytes === undefined ? {} : { fieldSize: bytes } };
    case "HTTP-response-transfer-coding":
    case "HTTP-response-content-coding":
    case "internal-error":
      return { tag: code, val: detail };
    case "DNS-timeout":
    case "destination-not-found":
    case "destination-unavailable":
    case "destination-IP-prohibited":
    case "destination-IP-unroutable":
    case "connection-refused":
    case "connection-terminated":
    case "connection-timeout":
    case "connection-read-timeout":
    case "connection-write-timeout":
    case "connection-limit-reached":
    case "TLS-protocol-error":
    case "TLS-certificate-error":
    case "HTTP-request-denied":
    case "HTTP-request-length-required":
    case "HTTP-request-method-invalid":
    case "HTTP-request-URI-invalid":
    case "HTTP-request-URI-too-long":
    case "HTTP-response-incomplete":
    case "HTTP-response-timeout":
    case "HTTP-upgrade-failed":
    case "HTTP-protocol-error":
    case "loop-detected":
    case "configuration-error":
      return { tag: code };
  }
}
