/**
 * Decides which request to send for what a plugin asked, or why it is refused. Everything that reaches the network is made
 * or checked here: method, target, path, every field. Pure.
 *
 * An ill-formed request is refused, not repaired. Only fields that belong to the connection are left out silently, because
 * a plugin that forwards what it received cannot know them.
 *
 * @module
 */

import {
  type HttpFailure,
  type HttpField,
  httpFieldBytes,
  type HttpRequest,
  isHostsField,
  isHttpFieldValue,
  isHttpToken,
} from "../../../contract/http.ts";
import type { PluginLimits } from "../../../contract/limits.ts";
import type { OutboundRequest } from "../../../egress/outbound-http.ts";
import type { HttpScheme } from "../../../policy/allowed-host.ts";
import type { EgressRules } from "../../../policy/egress-rules.ts";
import { parseHttpTarget } from "../../../policy/http-target.ts";

/** The limits on outbound HTTP. */
export type HttpLimits = Pick<
  PluginLimits,
  "httpConcurrency" | "httpHeaderBytes" | "httpRequestBytes" | "httpResponseBytes" | "httpFirstByteMs" | "httpTotalMs"
>;

/** A checked request, without its timeouts. */
export type CheckedRequest = Omit<OutboundRequest, "connectMs" | "firstByteMs" | "betweenBytesMs">;

/** The request to send, or the refusal: a failure for the guest, and a reason for the plugin's log. */
export type RequestDecision =
  | { readonly kind: "allowed"; readonly request: CheckedRequest }
  | {
      readonly kind: "refused";
      readonly failure: HttpFailure;
      /** A part of a sentence for the plugin's log. It may quote the plugin. */
      readonly reason: string;
    };

const MAX_METHOD_CHARACTERS = 32;
const MAX_PATH_CHARACTERS = 8_192;

/** One slash, then visible ASCII without a fragment. `//` would begin an authority in a relative reference. */
const ORIGIN_FORM = /^\/(?!\/)[\x21\x22\x24-\x7e]*$/;
const DIGITS = /^(?:0|[1-9][0-9]{0,15})$/;

/** Decides on a request under the rules and limits of a version. */
export function decideRequest(rules: EgressRules, limits: HttpLimits, asked: HttpRequest): RequestDecision {
  const method = asked.method;
  if (!isMethod(method)) return refused({ code: "HTTP-request-method-invalid" }, "its method cannot be used");
  if (asked.path.length > MAX_PATH_CHARACTERS)
    return refused({ code: "HTTP-request-URI-too-long" }, `its path has more than ${MAX_PATH_CHARACTERS} characters`);
  if (!ORIGIN_FORM.test(asked.path))
    return refused({ code: "HTTP-request-URI-invalid" }, "its path does not begin with one slash, or is not a path");
  const target = isScheme(asked.scheme) ? parseHttpTarget(asked.scheme, asked.authority) : undefined;
  if (target === undefined)
    return refused({ code: "HTTP-request-URI-invalid" }, "its scheme or authority is not valid");
  const fields = checkFields(asked.fields, limits);
  if (fields.kind === "refused") return fields;
  const body = decideBody(asked, fields.lengths, limits);
  if (body.kind === "refused") return body;
  const decision = rules.decide(target, method);
  if (decision.kind === "refused") {
    // A name that resolves to such an address is detected when it is dialled.
    const code = decision.by === "address" ? "destination-IP-prohibited" : "HTTP-request-denied";
    return refused({ code }, decision.reason);
  }
  return {
    kind: "allowed",
    request: { target, method, path: asked.path, fields: fields.fields, body: body.body, dial: decision.dial },
  };
}

/** CONNECT asks for a tunnel, and TRACE for an echo of what the host adds: neither asks for a resource. */
function isMethod(method: string): boolean {
  if (method.length > MAX_METHOD_CHARACTERS || !isHttpToken(method)) return false;
  return !["CONNECT", "TRACE"].includes(method.toUpperCase());
}

function isScheme(scheme: string): scheme is HttpScheme {
  return scheme === "http" || scheme === "https";
}

type FieldsDecision =
  | { readonly kind: "allowed"; readonly fields: readonly HttpField[]; readonly lengths: readonly string[] }
  | Extract<RequestDecision, { kind: "refused" }>;

/** The fields to send, and separately the values of `content-length`. */
function checkFields(asked: readonly HttpField[], { httpHeaderBytes }: HttpLimits): FieldsDecision {
  const bytes = httpFieldBytes(asked);
  if (bytes > httpHeaderBytes) {
    const failure = { code: "HTTP-request-header-section-size", bytes } as const;
    return refused(failure, `its header fields have ${bytes} bytes, at most ${httpHeaderBytes} are allowed`);
  }
  const fields: HttpField[] = [];
  const lengths: string[] = [];
  for (const field of asked) {
    const [name, value] = field;
    if (!isHttpToken(name) || !isHttpFieldValue(value))
      return refused({ code: "HTTP-protocol-error" }, "one of its header fields is not valid");
    if (isHostsField(name)) continue;
    if (name.toLowerCase() === "content-length") lengths.push(Buffer.from(value).toString("latin1"));
    else fields.push(field);
  }
  return { kind: "allowed", fields, lengths };
}

type BodyDecision =
  | { readonly kind: "allowed"; readonly body: OutboundRequest["body"] }
  | Extract<RequestDecision, { kind: "refused" }>;

function decideBody(
  { hasBody }: HttpRequest,
  [length, ...others]: readonly string[],
  { httpRequestBytes }: HttpLimits,
): BodyDecision {
  // Two lengths, even equal ones, allow request smuggling.
  if (others.length > 0 || (length !== undefined && !DIGITS.test(length)))
    return refused({ code: "HTTP-protocol-error" }, "its content-length is not one number");
  const bytes = length === undefined ? undefined : Number(length);
  if (bytes !== undefined && bytes > httpRequestBytes)
    return refused(
      { code: "HTTP-request-body-size", bytes },
      `its body has ${bytes} bytes, at most ${httpRequestBytes} are allowed`,
    );
  if (hasBody) return { kind: "allowed", body: { kind: "stream", bytes } };
  if (bytes !== undefined && bytes > 0)
    return refused({ code: "HTTP-request-body-size", bytes: 0 }, "it has a content-length and no body");
  return { kind: "allowed", body: { kind: "none" } };
}

function refused(failure: HttpFailure, reason: string): Extract<RequestDecision, { kind: "refused" }> {
  return { kind: "refused", failure, reason };
}
