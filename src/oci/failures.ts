/**
 * Classifies what breaks between the host and a registry: errors of Node, of TLS and of undici. The one place where that is done.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";

const MAX_QUOTED = 200;
/** The error of an exchange that broke. `signal`: what bounded it. */
export function describeTransportFailure(error: unknown, host: string, signal: AbortSignal): HostError {
  const known = hostErrorIn(error);
  if (known !== undefined) return known;
  if (signal.aborted) {
    const reason: unknown = signal.reason;
    if (reason instanceof HostError) return reason;
    const isLate = reason instanceof Error && reason.name === "TimeoutError";
    return unreachable(host, isLate ? "it took too long" : "the exchange was given up", error);
  }
  return unreachable(host, reasonOf(error), error);
}

function unreachable(host: string, reason: string, cause: unknown): HostError {
  return new HostError("registry-unreachable", `the registry ${host} cannot be used now: ${reason}`, { cause });
}

/** An error of ours, which undici or Node may have wrapped on its way. */
function hostErrorIn(error: unknown): HostError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1)
    if (at instanceof HostError) return at;
  const errors = error instanceof AggregateError ? error.errors : [];
  return errors.find((one) => one instanceof HostError);
}

/** Advice where there is some: an operator has to find out what to do from these words. */
function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (/^(?:CERT_|ERR_TLS_CERT|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/.test(code))
    return `its certificate is not trusted (${code}); --registry-ca names a private authority`;
  if (code === "EPROTO" || code.startsWith("ERR_SSL_"))
    return `TLS failed (${code}); if it speaks plain HTTP, name it in --registry-plain-http`;
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") return "it fell silent";
  if (code === "UND_ERR_CONNECT_TIMEOUT") return "it could not be reached in time";
  if (code === "ENOTFOUND") return "its name is unknown";
  return code === "" ? (error instanceof Error ? quoted(error.message) : String(error)) : code;
}

function codeOf(error: unknown): string {
  const inner = error instanceof AggregateError ? error.errors[0] : error;
  const { code } = (inner ?? {}) as { code?: unknown };
  if (typeof code === "string") return code;
  return inner instanceof Error && inner.cause !== undefined ? codeOf(inner.cause) : "";
}

/** A registry's own words, for a message of the log: short and in one line, because they are not trusted. */
export function quoted(text: string): string {
  return text.slice(0, MAX_QUOTED).replaceAll(/\p{Cc}/gu, " ");
}
