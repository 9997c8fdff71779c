/**
 * The port to the internet: performs outbound HTTP for the broker. A client belongs to one plugin and
 * shares nothing with another's: no connection, no name, no credential.
 *
 * An implementation checks each address that it dials against the request's rules, after the look-up and not before. It
 * follows no redirect, uses no proxy, decodes no content and retries nothing, and it buffers no more of a body than its
 * window.
 *
 * @module
 */

import type { HttpExchange, HttpField, HttpSink } from "../contract/http.ts";
import type { DialRules } from "../policy/egress-rules.ts";
import type { HttpTarget } from "../policy/http-target.ts";

/** A request that was checked and may be sent. */
export interface OutboundRequest {
  readonly target: HttpTarget;
  readonly method: string;
  /** In origin form: begins with one slash. */
  readonly path: string;
  /** Valid fields, none of the host's own and no `content-length`. */
  readonly fields: readonly HttpField[];
  readonly body:
    | { readonly kind: "none" }
    /** `bytes` where the plugin has said how many there will be. */
    | { readonly kind: "stream"; readonly bytes: number | undefined };
  /** Decides on each address that is dialled. */
  readonly dial: DialRules;
  /** From the beginning until the request is on a connection. */
  readonly connectMs: number;
  /** From the end of the request until the response's header section is whole. */
  readonly firstByteMs: number;
  /** Longest silence within the response's body, while more of it is wanted. */
  readonly betweenBytesMs: number;
}

/** An exchange that holds a connection, or waits for one, until it is closed. */
export interface OutboundExchange extends HttpExchange {
  /** Resolves once it holds nothing any more, which after an abort may take as long as connecting. Never rejects. */
  readonly closed: Promise<void>;
}

/** One plugin's connections. Disposing of it ends them all, at once. */
export interface HttpClient extends AsyncDisposable {
  open(request: OutboundRequest, sink: HttpSink): OutboundExchange;
}

/** Bounds of one client. */
export interface HttpClientOptions {
  /** Connections to one origin at a time. */
  readonly concurrency: number;
  /** Largest header section, and largest trailer section, of a response. */
  readonly headerBytes: number;
  /**
   * Told of each connection to a host that has a name: the target (see `HttpTarget.origin`) and the address that was
   * reached. Must not throw.
   */
  readonly onConnect: (target: string, address: string) => void;
}

/** Makes clients. */
export interface OutboundHttp {
  createClient(options: HttpClientOptions): HttpClient;
}
