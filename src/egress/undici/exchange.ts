/**
 * One request through undici, as its dispatch handler. Holds at most one chunk of the response that is not asked
 * for yet: while there is one, the connection's parser is paused.
 *
 * Timers: connecting, the header section, and silence in the body. All of them end with the exchange.
 *
 * @module
 */

import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import {
  type HttpField,
  type HttpFailure,
  type HttpSink,
  httpFieldBytes,
  isHostsField,
  MAX_HTTP_FIELDS,
} from "../../contract/http.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { OutboundExchange, OutboundRequest } from "../outbound-http.ts";
import { describeFailure, ExchangeError, type ExchangePhase } from "./failures.ts";
import { RequestBody } from "./request-body.ts";

/** Informational responses before the one that counts; a server sends one or two, if any. */
const MAX_INFORMATIONAL = 16;

/** Of a response's transfer codings, what a plugin is told. */
const MAX_CODING_CHARACTERS = 64;

/** Methods whose requests have no content as a rule: a body that turns out to be empty is not sent as one. */
const BARE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS"]);

export interface ExchangeOptions {
  readonly request: OutboundRequest;
  readonly sink: HttpSink;
  readonly dispatcher: Dispatcher;
  readonly headerBytes: number;
  /** Is the name of the request's target being looked up? */
  readonly isLookedUp: () => boolean;
}

export class UndiciExchange implements OutboundExchange, Dispatcher.DispatchHandler {
  readonly #parts: ExchangeOptions;
  readonly #body: RequestBody | undefined;
  readonly #closed = Promise.withResolvers<void>();
  #state: "held" | "dispatched" | "ended" = "held";
  #phase: ExchangePhase = "request";
  #controller: Dispatcher.DispatchController | undefined;
  #askedBytes = FIXED_LIMITS.httpWindowBytes;
  #surplus: Uint8Array | undefined;
  #informational = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ExchangeOptions) {
    this.#parts = parts;
    const { body } = parts.request;
    const isEmpty = body.kind === "none" || body.bytes === 0;
    this.#body = isEmpty ? undefined : new RequestBody((bytes) => this.#state !== "ended" && parts.sink.wanted(bytes));
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Once, by the client. A body that may still turn out to be empty is waited for. */
  start(): void {
    const { request, isLookedUp } = this.#parts;
    const { connectMs, body, method } = request;
    this.#arm(connectMs, () => (isLookedUp() ? "DNS-timeout" : "connection-timeout"));
    const mayBeEmpty = this.#body !== undefined && body.kind === "stream" && body.bytes === undefined;
    if (!mayBeEmpty || !BARE_METHODS.has(method)) this.#dispatch(this.#body);
  }

  write(bytes: Uint8Array): void {
    this.#body?.write(bytes);
    if (bytes.length > 0) this.#dispatch(this.#body);
  }

  finish(): void {
    this.#body?.finish();
    this.#dispatch(undefined);
  }

  read(bytes: number): void {
    this.#askedBytes += bytes;
    const surplus = this.#surplus;
    if (surplus === undefined || this.#state === "ended") return;
    this.#surplus = undefined;
    this.#deliver(surplus);
    if (this.#surplus === undefined) this.#controller?.resume();
  }

  abort(): void {
    this.#end();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#state === "ended") controller.abort(new ExchangeError({ code: "connection-terminated" }));
    else this.#disarm();
  }

  onRequestSent(): void {
    if (this.#phase === "request") this.#arm(this.#parts.request.firstByteMs, () => "HTTP-response-timeout");
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#state === "ended") return;
    if (status < 100) {
      this.#fail({ code: "HTTP-protocol-error" });
      return;
    }
    if (status < 200) {
      // It is followed by another response, and that by another, for as long as a server likes.
      this.#informational += 1;
      if (this.#informational > MAX_INFORMATIONAL) this.#fail({ code: "HTTP-protocol-error" });
      return;
    }
    this.#phase = "response";
    const sent = fieldsOf(controller.rawHeaders);
    const coding = unknownCoding(sent);
    if (coding !== undefined) {
      this.#fail({ code: "HTTP-response-transfer-coding", detail: coding });
      return;
    }
    const fields = sent.filter(isPlugins);
    if (fields.length > MAX_HTTP_FIELDS) {
      this.#fail({ code: "HTTP-response-header-section-size", bytes: httpFieldBytes(fields) });
      return;
    }
    this.#awaitMore();
    this.#parts.sink.response({ status, fields });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#state === "ended") return;
    this.#deliver(chunk);
    if (this.#surplus !== undefined) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const trailers = fieldsOf(controller.rawTrailers).filter(isPlugins);
    if (this.#state !== "ended") {
      const bytes = httpFieldBytes(trailers);
      this.#end();
      const fits = bytes <= this.#parts.headerBytes && trailers.length <= MAX_HTTP_FIELDS;
      if (!fits) this.#parts.sink.fail({ code: "HTTP-response-trailer-section-size", bytes });
      else this.#parts.sink.end(trailers);
    }
    this.#closed.resolve();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: unknown): void {
    this.#fail(describeFailure(error, this.#phase));
    this.#closed.resolve();
  }

  #dispatch(body: RequestBody | undefined): void {
    if (this.#state !== "held") return;
    this.#state = "dispatched";
    const { request, dispatcher } = this.#parts;
    const headers = request.fields.flatMap(([name, value]) => [name, Buffer.from(value).toString("latin1")]);
    if (body !== undefined && request.body.kind === "stream" && request.body.bytes !== undefined)
      headers.push("content-length", String(request.body.bytes));
    const { method, path, target } = request;
    dispatcher.dispatch(
      {
        origin: target.origin,
        path,
        method,
        headers,
        // undici takes any asynchronous iterable; its types do not say so.
        body: (body ?? null) as unknown as Readable | null,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      this,
    );
  }

  /** Passes on as much of a chunk as was asked for and keeps the rest. */
  #deliver(chunk: Uint8Array): void {
    const told = chunk.subarray(0, this.#askedBytes);
    this.#askedBytes -= told.length;
    this.#surplus = told.length < chunk.length ? chunk.subarray(told.length) : undefined;
    if (this.#surplus === undefined) this.#awaitMore();
    else this.#disarm();
    if (told.length > 0) this.#parts.sink.chunk(told);
  }

  #awaitMore(): void {
    this.#arm(this.#parts.request.betweenBytesMs, () => "connection-read-timeout");
  }

  /** `code` is asked for when the time is over. */
  #arm(timeoutMs: number, code: () => HttpFailure["code"]): void {
    this.#disarm();
    this.#timer = setTimeout(() => this.#fail({ code: code() }), timeoutMs);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #fail(failure: HttpFailure): void {
    if (this.#state === "ended") return;
    this.#end();
    this.#parts.sink.fail(failure);
  }

  #end(): void {
    if (this.#state === "ended") return;
    // What was never dispatched holds nothing; what was is let go by undici's last callback.
    if (this.#state === "held") this.#closed.resolve();
    this.#state = "ended";
    this.#disarm();
    this.#surplus = undefined;
    this.#body?.close();
    this.#controller?.abort(new ExchangeError({ code: "connection-terminated" }));
  }
}

/** undici's flat list of names and values; a repeated name occurs as often as it was sent. */
function fieldsOf(raw: Dispatcher.DispatchController["rawHeaders"]): HttpField[] {
  if (!Array.isArray(raw)) return [];
  const fields: HttpField[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = Buffer.from(raw[index] as Buffer | string).toString("latin1");
    const value = raw[index + 1] as Buffer | string;
    fields.push([name, withoutSpace(typeof value === "string" ? Buffer.from(value, "latin1") : value)]);
  }
  return fields;
}

/** White space around a value is not part of it: RFC 9112, section 5.1. undici leaves what stands behind it. */
function withoutSpace(value: Buffer): Buffer {
  let end = value.length;
  while (end > 0 && (value[end - 1] === 0x20 || value[end - 1] === 0x09)) end -= 1;
  return value.subarray(0, end);
}

function isPlugins([name]: HttpField): boolean {
  return !isHostsField(name);
}

/**
 * The transfer codings of a response, if they are others than the one that is undone here: its body is not one that the
 * server meant, and the field that says so is the connection's.
 */
function unknownCoding(fields: readonly HttpField[]): string | undefined {
  const values = fields.filter(([name]) => name.toLowerCase() === "transfer-encoding").map(([, value]) => value);
  const codings = values.map((value) => Buffer.from(value).toString("latin1")).join(", ");
  return codings === "" || codings.toLowerCase() === "chunked" ? undefined : codings.slice(0, MAX_CODING_CHARACTERS);
}
