/**
 * The outbound HTTP requests of one runner, on the host's side: from its messages to the calls that they belong to, and
 * back. The runner is not trusted: a number that was used before or never, a byte more than it may send, or a demand for
 * more than a window is a {@link Violation}, which ends the runner.
 *
 * Invariants: an exchange ends with its call at the latest, and nothing of it is sent to the runner after that. Messages
 * that the runner sent before it knew of the end are ignored, but still bounded: the windows of the exchange are counted
 * until no message of the call can arrive any more.
 *
 * @module
 */

import type { HttpToHost } from "../messages.ts";
import { Violation } from "../../../channel/violation.ts";
import type { HttpExchange, HttpSink } from "../../../contract/http.ts";
import { FIXED_LIMITS } from "../../../contract/limits.ts";
import { WORK_MS } from "../../../fairness/thread-shares.ts";
import type { HostLink, LinkOptions } from "../../host-side.ts";
import { OUTBOUND_HTTP_GATE } from "./gate.ts";

interface Entry {
  readonly call: number;
  /** `ended`: messages are no longer passed on. */
  state: "open" | "ended";
  exchange: HttpExchange | undefined;
  /** May the runner still send `http-finish`? */
  mayFinish: boolean;
  /** Bytes of the request's body that the runner may still send. */
  writableBytes: number;
  /** Bytes of the response's body that the host may still send. */
  readableBytes: number;
}

type HttpRequestMessage = Extract<HttpToHost, { kind: "http-request" }>;

/** The exchanges of one call. */
interface CallExchanges {
  readonly ids: Set<number>;
  /** How many more requests the call may send. */
  requestsLeft: number;
}

/** The host's end of one runner's outbound HTTP messages. */
export class HttpLink implements HostLink<HttpToHost> {
  readonly #parts: LinkOptions;
  readonly #entries = new Map<number, Entry>();
  readonly #byCall = new Map<number, CallExchanges>();
  #lastId = 0;

  constructor(parts: LinkOptions) {
    this.#parts = parts;
  }

  receive(message: HttpToHost): Violation | undefined {
    return message.kind === "http-request" ? this.#open(message) : this.#receive(message);
  }

  /** Opens an exchange of a call, but sends nothing where the call was cancelled: the runner may not have known. */
  #open({ call: callId, exchange: id, request }: HttpRequestMessage): Violation | undefined {
    const call = this.#parts.calls.use(callId);
    if (call instanceof Violation) return call;
    const ofCall = this.#exchangesOf(callId);
    ofCall.requestsLeft -= 1;
    if (ofCall.requestsLeft < 0) return new Violation(`call ${callId} sends more outbound requests than a guest can`);
    // Numbers ascend and wrap, so half of all numbers are ahead of the last one.
    if ((id - this.#lastId) >> 0 <= 0) return new Violation(`exchange ${id} was started twice`);
    this.#lastId = id;
    const window = FIXED_LIMITS.httpWindowBytes;
    const entry: Entry = {
      call: callId,
      state: call === undefined ? "ended" : "open",
      exchange: undefined,
      mayFinish: true,
      writableBytes: window,
      readableBytes: window,
    };
    this.#entries.set(id, entry);
    ofCall.ids.add(id);
    if (call !== undefined) entry.exchange = call.gate(OUTBOUND_HTTP_GATE).open(request, this.#sink(id, entry), call);
    return undefined;
  }

  #receive(message: Exclude<HttpToHost, HttpRequestMessage>): Violation | undefined {
    const entry = this.#entries.get(message.exchange);
    if (entry === undefined)
      return new Violation(`message for exchange ${message.exchange}, which was never started or is over`);
    const exchange = entry.state === "open" ? entry.exchange : undefined;
    switch (message.kind) {
      case "http-body":
        if (message.bytes.length === 0) return aboutNothing();
        entry.writableBytes -= message.bytes.length;
        if (entry.writableBytes < 0) return new Violation("more of a request's body than was wanted");
        // A copy, because the frame is a view of a chunk that may be much larger.
        exchange?.write(Buffer.from(message.bytes));
        return undefined;
      case "http-finish":
        if (!entry.mayFinish) return new Violation("a request's body is whole twice");
        entry.mayFinish = false;
        exchange?.finish();
        return undefined;
      case "http-read":
        if (message.bytes === 0) return aboutNothing();
        entry.readableBytes += message.bytes;
        if (entry.readableBytes > FIXED_LIMITS.httpWindowBytes)
          return new Violation("a request for more of a response's body than a window holds");
        exchange?.read(message.bytes);
        return undefined;
      case "http-abort":
        this.#remove(message.exchange, entry);
        exchange?.abort();
        return undefined;
    }
  }

  /** Aborts the exchanges of a call for which the runner sends nothing more. */
  endCall(call: number): void {
    this.cancelCall(call);
    this.forgetCall(call);
  }

  /** Aborts the exchanges of a call. Messages of it may still be in flight: {@link forgetCall} follows. */
  cancelCall(call: number): void {
    for (const id of this.#byCall.get(call)?.ids ?? []) this.#abort(this.#entries.get(id));
  }

  /** No message of a call can arrive any more: forgets its exchanges. */
  forgetCall(call: number): void {
    for (const id of this.#byCall.get(call)?.ids ?? []) this.#entries.delete(id);
    this.#byCall.delete(call);
  }

  /** Aborts the exchanges of all calls. */
  endAll(): void {
    for (const call of this.#byCall.keys()) this.endCall(call);
  }

  #exchangesOf(call: number): CallExchanges {
    let ofCall = this.#byCall.get(call);
    if (ofCall === undefined) {
      ofCall = { ids: new Set(), requestsLeft: FIXED_LIMITS.httpRequests };
      this.#byCall.set(call, ofCall);
    }
    return ofCall;
  }

  #remove(id: number, entry: Entry): void {
    entry.state = "ended";
    this.#entries.delete(id);
    this.#byCall.get(entry.call)?.ids.delete(id);
  }

  #abort(entry: Entry | undefined): void {
    if (entry?.state !== "open") return;
    entry.state = "ended";
    entry.exchange?.abort();
  }

  #sink(exchange: number, entry: Entry): HttpSink {
    const isOpen = (): boolean => entry.state === "open";
    const end = (): boolean => {
      const wasOpen = isOpen();
      entry.state = "ended";
      return wasOpen;
    };
    return {
      wanted: (bytes) => {
        if (!isOpen()) return;
        entry.writableBytes += bytes;
        this.#parts.send({ kind: "http-wanted", exchange, bytes }, WORK_MS.httpMessage);
      },
      response: (response) => {
        if (isOpen()) this.#parts.send({ kind: "http-response", exchange, response }, WORK_MS.httpMessage);
      },
      chunk: (bytes) => {
        if (!isOpen()) return;
        entry.readableBytes -= bytes.length;
        this.#parts.send({ kind: "http-chunk", exchange, bytes }, WORK_MS.httpMessage);
      },
      end: (trailers) => {
        if (end()) this.#parts.send({ kind: "http-end", exchange, trailers }, WORK_MS.httpMessage);
      },
      fail: (failure) => {
        if (end()) this.#parts.send({ kind: "http-failed", exchange, failure }, WORK_MS.httpMessage);
      },
    };
  }
}

/** A message about no bytes has no purpose, and a runner could send such messages without end. */
function aboutNothing(): Violation {
  return new Violation("a message of an exchange about no bytes");
}
