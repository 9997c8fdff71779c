/**
 * The form in which the host and its runners exchange outbound HTTP: that of `wasi:http`, without its resources.
 *
 * @module
 */

/** The cases of `wasi:http/types#error-code`, in the WIT's order: the index is the variant's discriminant. */
export const HTTP_ERROR_CODES = [
  "DNS-timeout",
  "DNS-error",
  "destination-not-found",
  "destination-unavailable",
  "destination-IP-prohibited",
  "destination-IP-unroutable",
  "connection-refused",
  "connection-terminated",
  "connection-timeout",
  "connection-read-timeout",
  "connection-write-timeout",
  "connection-limit-reached",
  "TLS-protocol-error",
  "TLS-certificate-error",
  "TLS-alert-received",
  "HTTP-request-denied",
  "HTTP-request-length-required",
  "HTTP-request-body-size",
  "HTTP-request-method-invalid",
  "HTTP-request-URI-invalid",
  "HTTP-request-URI-too-long",
  "HTTP-request-header-section-size",
  "HTTP-request-header-size",
  "HTTP-request-trailer-section-size",
  "HTTP-request-trailer-size",
  "HTTP-response-incomplete",
  "HTTP-response-header-section-size",
  "HTTP-response-header-size",
  "HTTP-response-body-size",
  "HTTP-response-trailer-section-size",
  "HTTP-response-trailer-size",
  "HTTP-response-transfer-coding",
  "HTTP-response-content-coding",
  "HTTP-response-timeout",
  "HTTP-upgrade-failed",
  "HTTP-protocol-error",
  "loop-detected",
  "configuration-error",
  "internal-error",
] as const;

export type HttpErrorCode = (typeof HTTP_ERROR_CODES)[number];

/** Why an exchange ended without a response or in the middle of one. */
export interface HttpFailure {
  readonly code: HttpErrorCode;
  /** Of the cases that carry a size: how many bytes there were. */
  readonly bytes?: number;
  /** Of `DNS-error` the resolver's code, of `TLS-alert-received` the alert, of `internal-error` a safe sentence. */
  readonly detail?: string;
}

/** Methods that a policy can name. */
export const LIMITABLE_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

export type LimitableMethod = (typeof LIMITABLE_METHODS)[number];

/** A header field: a name as it was given, and a value of any octets but controls. */
export type HttpField = readonly [name: string, value: Uint8Array];

/** Fields in one header or trailer section, at most: each costs more than its bytes. */
export const MAX_HTTP_FIELDS = 1_024;

/** Names and values of one section that a guest can hold, at most. */
export const MAX_HTTP_FIELD_BYTES: number = 128 * 1_024;

/** Characters of a method, a scheme, an authority or a path that a guest can set, at most. */
export const MAX_HTTP_PART_CHARACTERS = 8_192;

/** A request as a plugin asks for it, without its body. */
export interface HttpRequest {
  /** As on the wire: `GET`. */
  readonly method: string;
  /** In lower case; `http` and `https` are known. */
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly fields: readonly HttpField[];
  /** Will there be a body? It may still be empty. */
  readonly hasBody: boolean;
  /** The plugin's own bounds; the host's hold beside them. */
  readonly connectMs: number | undefined;
  readonly firstByteMs: number | undefined;
  readonly betweenBytesMs: number | undefined;
}

/** A response without its body. */
export interface HttpResponse {
  readonly status: number;
  readonly fields: readonly HttpField[];
}

/**
 * Fields that belong to a connection or to whoever opens it, so they are never a plugin's: it can set none of
 * them, none of them leaves the host if it tries, and none of a response's reaches it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
 */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Does a field of this name belong to the host? */
export function isHostsField(name: string): boolean {
  const lower = name.toLowerCase();
  return CONNECTION_FIELDS.has(lower) || lower.startsWith("proxy-");
}

/** A token of HTTP (RFC 9110, 5.6.2): the name of a method or a field. */
export const HTTP_TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Is this a method or a field's name? RFC 9110, section 5.6.2. */
export function isHttpToken(text: string): boolean {
  return HTTP_TOKEN.test(text);
}

/** Is this a field's value? Any octets but controls, the tab excepted: RFC 9110, section 5.5, obs-text included. */
export function isHttpFieldValue(value: Uint8Array): boolean {
  return value.every((octet) => (octet >= 0x20 ? octet !== 0x7f : octet === 0x09));
}

/** Bytes that a list of fields counts as: names, values, and four for the colon, the space and the line's end. */
export function httpFieldBytes(fields: readonly HttpField[]): number {
  return fields.reduce((bytes, [name, value]) => bytes + name.length + value.length + 4, 0);
}

/**
 * Receives the events of a request. `end` or `fail` is the last one; exactly one of them is called, unless the exchange was
 * aborted. May be called from within the call that opens the exchange. Must not throw.
 */
export interface HttpSink {
  /** So many more bytes of the request's body may be written, beside the window of the beginning. */
  wanted(bytes: number): void;
  /** Once, before any chunk. */
  response(response: HttpResponse): void;
  /** At most as many bytes as were asked for; not to be changed. */
  chunk(bytes: Uint8Array): void;
  end(trailers: readonly HttpField[]): void;
  fail(failure: HttpFailure): void;
}

/**
 * One request and its response in flight. Of both bodies, `FIXED_LIMITS.httpWindowBytes` may go unasked at first;
 * what was taken of them is asked for again, so that neither side ever holds more.
 */
export interface HttpExchange {
  /** Bytes of the request's body, passed on uncopied. */
  write(bytes: Uint8Array): void;
  /** The request's body is whole. */
  finish(): void;
  /** So many more bytes of the response's body may be told. */
  read(bytes: number): void;
  /** Aborts it, at once and without calling the sink. Idempotent; harmless after the end. */
  abort(): void;
}
