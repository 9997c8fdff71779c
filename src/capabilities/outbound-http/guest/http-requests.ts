/**
 * The resources of `wasi:http/types` that a guest builds a request from: the request and its options. They check, bound and
 * keep what the guest sets; the host decides what may be sent.
 *
 * @module
 */

import type * as Published from "@bytecodealliance/preview2-shim/interfaces/wasi-http-types";
import { type HttpField, type HttpRequest, HTTP_TOKEN, MAX_HTTP_PART_CHARACTERS } from "../../../contract/http.ts";
import type { GuestContext } from "../../../runner/guest/guest-context.ts";
import { DONE, expectString, expectU64, expectVariant, ok, type Result } from "../../../runner/guest/guest-values.ts";
import { constructorFor, HOST_ONLY, requireHost, seal } from "../../../runner/guest/namespaces.ts";
import { REFUSED } from "./exchange-future.ts";
import { OutgoingBody, OutgoingContent } from "./http-bodies.ts";
import { declaredBytes, type Fields, immutableFields, takeEntries } from "./http-fields.ts";
import type { Implementation } from "../../../runner/wasi/published-types.ts";
import { NS_PER_MS } from "../../../contract/time-units.ts";

const METHODS = ["get", "head", "post", "put", "delete", "connect", "options", "trace", "patch", "other"] as const;
const SCHEMES = ["HTTP", "HTTPS", "other"] as const;
/** RFC 3986, section 3.1. */
const SCHEME = /^[a-z][a-z0-9+.-]*$/i;
/** RFC 3986, section 3.2, except that the host must not be empty: user information, host and port. */
const AUTHORITY =
  /^(?:[a-z0-9._~!$&'()*+,;=:%-]*@)?(?:\[[a-z0-9._~!$&'()*+,;=:-]+\]|[a-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]*)?$/i;
/**
 * A path, which is empty or begins with a slash where there is an authority (RFC 3986, section 3.3), and a query, but no
 * fragment. Any visible characters are accepted: some should be encoded, but few clients encode them.
 */
const PATH_WITH_QUERY = /^(?:[/?][\x21\x22\x24-\x7e]*)?$/;
/** The longest timeout to pass on: longer than any request lives. */
const MAX_TIMEOUT_MS = 86_400_000;

type Answer = Result<undefined, undefined>;

/** A request that a guest gave away to send it. */
export interface TakenRequest {
  readonly asked: HttpRequest;
  readonly content: OutgoingContent | undefined;
}

/** Takes a request and its options from a guest; throws for any other object. */
export let takeRequest: (request: unknown, options: unknown) => TakenRequest;

type Times = Pick<HttpRequest, "connectMs" | "firstByteMs" | "betweenBytesMs">;

const NO_TIMES: Times = { connectMs: undefined, firstByteMs: undefined, betweenBytesMs: undefined };

let timesOf: (options: unknown) => Times;

export class OutgoingRequest implements Implementation<Published.OutgoingRequest> {
  readonly #context: GuestContext;
  readonly #headers: readonly HttpField[];
  #method: Published.Method = { tag: "get" };
  #scheme: Published.Scheme | undefined;
  #authority: string | undefined;
  #pathWithQuery: string | undefined;
  #content: OutgoingContent | undefined;

  constructor(key: typeof HOST_ONLY, context: GuestContext, headers: unknown) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#headers = takeEntries(headers);
  }

  body(): Result<OutgoingBody, undefined> {
    if (this.#content !== undefined) return REFUSED;
    this.#content = new OutgoingContent(declaredBytes(this.#headers), "HTTP-request-body-size");
    return ok(new OutgoingBody(HOST_ONLY, this.#context, this.#content));
  }

  method(): Published.Method {
    return this.#method;
  }

  setMethod(method: unknown): Answer {
    const { tag, val } = expectVariant(method, METHODS);
    if (tag !== "other") this.#method = { tag };
    else if (isShort(val, HTTP_TOKEN)) this.#method = { tag, val };
    else return this.#refuse();
    return DONE;
  }

  pathWithQuery(): string | undefined {
    return this.#pathWithQuery;
  }

  setPathWithQuery(path: unknown): Answer {
    if (path !== undefined && !isShort(path, PATH_WITH_QUERY)) return this.#refuse();
    this.#pathWithQuery = path;
    return DONE;
  }

  scheme(): Published.Scheme | undefined {
    return this.#scheme;
  }

  setScheme(scheme: unknown): Answer {
    if (scheme === undefined) {
      this.#scheme = undefined;
      return DONE;
    }
    const { tag, val } = expectVariant(scheme, SCHEMES);
    if (tag !== "other") this.#scheme = { tag };
    else if (isShort(val, SCHEME)) this.#scheme = { tag, val };
    else return this.#refuse();
    return DONE;
  }

  authority(): string | undefined {
    return this.#authority;
  }

  setAuthority(authority: unknown): Answer {
    if (authority !== undefined && !isShort(authority, AUTHORITY)) return this.#refuse();
    this.#authority = authority;
    return DONE;
  }

  headers(): Fields {
    return immutableFields(this.#context, this.#headers);
  }

  /** A private method, so that it throws for a forged request, whose private fields no line has read before. */
  #refuse(): Result<never, undefined> {
    return REFUSED;
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
    // The request can no longer be sent.
    this.#content?.break();
  }

  static {
    takeRequest = (request, options) => {
      const outgoing = request as OutgoingRequest;
      const times = options === undefined ? NO_TIMES : timesOf(options);
      const asked: HttpRequest = {
        method: methodText(outgoing.#method),
        scheme: schemeText(outgoing.#scheme),
        authority: outgoing.#authority ?? "",
        path: originForm(outgoing.#pathWithQuery ?? ""),
        fields: outgoing.#headers,
        hasBody: outgoing.#content !== undefined,
        ...times,
      };
      // The guest gave both handles away with this call, so it will not drop them.
      outgoing.#context.closeHandle();
      (options as RequestOptions | undefined)?.[Symbol.dispose]();
      return { asked, content: outgoing.#content };
    };
  }
}
seal(OutgoingRequest);

export class RequestOptions implements Implementation<Published.RequestOptions> {
  readonly #context: GuestContext;
  #connectTimeout: bigint | undefined;
  #firstByteTimeout: bigint | undefined;
  #betweenBytesTimeout: bigint | undefined;

  constructor(key: typeof HOST_ONLY, context: GuestContext) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
  }

  connectTimeout(): bigint | undefined {
    return this.#connectTimeout;
  }

  setConnectTimeout(duration: unknown): Answer {
    this.#connectTimeout = expectDuration(duration);
    return DONE;
  }

  firstByteTimeout(): bigint | undefined {
    return this.#firstByteTimeout;
  }

  setFirstByteTimeout(duration: unknown): Answer {
    this.#firstByteTimeout = expectDuration(duration);
    return DONE;
  }

  betweenBytesTimeout(): bigint | undefined {
    return this.#betweenBytesTimeout;
  }

  setBetweenBytesTimeout(duration: unknown): Answer {
    this.#betweenBytesTimeout = expectDuration(duration);
    return DONE;
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
  }

  static {
    timesOf = (options) => {
      const given = options as RequestOptions;
      return {
        connectMs: milliseconds(given.#connectTimeout),
        firstByteMs: milliseconds(given.#firstByteTimeout),
        betweenBytesMs: milliseconds(given.#betweenBytesTimeout),
      };
    };
  }
}
seal(RequestOptions);

/** The classes with their constructors for guests. */
export function createRequestClasses(context: GuestContext): Record<string, unknown> {
  return {
    OutgoingRequest: constructorFor(OutgoingRequest, (headers) => new OutgoingRequest(HOST_ONLY, context, headers)),
    RequestOptions: constructorFor(RequestOptions, () => new RequestOptions(HOST_ONLY, context)),
  };
}

function methodText(method: Published.Method): string {
  return method.tag === "other" ? method.val : method.tag.toUpperCase();
}

/** The default scheme is `https`. Case does not matter: RFC 3986, section 3.1. */
function schemeText(scheme: Published.Scheme | undefined): string {
  if (scheme === undefined) return "https";
  return (scheme.tag === "other" ? scheme.val : scheme.tag).toLowerCase();
}

/** An empty path becomes a slash, also before a query: RFC 9112, section 3.2.1. */
function originForm(pathWithQuery: string): string {
  return pathWithQuery === "" || pathWithQuery.startsWith("?") ? `/${pathWithQuery}` : pathWithQuery;
}

function milliseconds(duration: bigint | undefined): number | undefined {
  return duration === undefined ? undefined : Math.min(Math.ceil(Number(duration) / NS_PER_MS), MAX_TIMEOUT_MS);
}

function isShort(text: unknown, pattern: RegExp): text is string {
  const checked = expectString(text);
  return checked.length <= MAX_HTTP_PART_CHARACTERS && pattern.test(checked);
}

function expectDuration(duration: unknown): bigint | undefined {
  return duration === undefined ? undefined : expectU64(duration);
}
