/**
 * The outbound HTTP requests of one runner, seen from the host: from its messages to the calls they belong to,
 * and back. The runner is not trusted: a number that was used before or never, a byte more than it may send, or
 * a request for more than a window holds is a {@link FrameError}, which ends it.
 *
 * Invariants: an exchange ends at the latest with its call; nothing of it is sent to the runner after that. What
 * crosses its end on the way is ignored, and is no more than could be on the way: its windows are counted until
 * the runner has spoken its last word of the call.
 *
 * @module
 */

import { FrameError } from "../../channel/codec.ts";
import type { HttpHostMessage, HttpRunnerMessage } from "../../channel/http-messages.ts";
import type { HttpExchange, HttpSink } from "../../contract/http.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { RunnerCall } from "./runner-call.ts";

interface Entry {
  readonly call: number;
  /** `ended`: nothing is passed on any more. */
  state: "open" | "ended";
  exchange: HttpExchange | undefined;
  /** May the runner still say that the request's body is whole? */
  mayFinish: boolean;
  /** Bytes of the request's body that the runner may still send. */
  writableBytes: number;
  /** Bytes of the response's body that may still be sent to the runner. */
  readableBytes: number;
}

type HttpRequestMessage = Extract<HttpRunnerMessage, { kind: "http-request" }>;

export class HttpExchanges {
  readonly #send: (message: HttpHostMessage) => void;
  readonly #entries = new Map<number, Entry>();
  /** Call → its exchanges. */
  readonly #byCall = new Map<number, Set<number>>();
  #lastId = 0;

  constructor(send: (message: HttpHostMessage) => void) {
    this.#send = send;
  }

  /** Opens an exchange of a call; `undefined` where the call has ended and the request may have been on its way. */
  open({ call: callId, exchange: id, request }: HttpRequestMessage, call: RunnerCall | undefined): void {
    // Numbers go up and around, so half of them are ahead of the last one.
    if ((id - this.#lastId) >> 0 <= 0) throw new FrameError(`exchange ${id} was started twice`);
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
    this.#add(id, entry);
    if (call !== undefined) entry.exchange = call.openHttp(request, this.#sink(id, entry));
  }

  /** Acts on what the runner says of an exchange. */
  receive(message: Exclude<HttpRunnerMessage, HttpRequestMessage>): void {
    const entry = this.#entries.get(message.exchange);
    if (entry === undefined)
      throw new FrameError(`message for exchange ${message.exchange}, which was never started or is over`);
    const exchange = entry.state === "open" ? entry.exchange : undefined;
    switch (message.kind) {
      case "http-body":
        refuseEmpty(message.bytes.length);
        entry.writableBytes -= message.bytes.length;
        if (entry.writableBytes < 0) throw new FrameError("more of a request's body than was wanted");
        // A copy: the frame is a view of a chunk that may be much larger.
        exchange?.write(Buffer.from(message.bytes));
        break;
      case "http-finish":
        if (!entry.mayFinish) throw new FrameError("a request's body is whole twice");
        entry.mayFinish = false;
        exchange?.finish();
        break;
      case "http-read":
        refuseEmpty(message.bytes);
        entry.readableBytes += message.bytes;
        if (entry.readableBytes > FIXED_LIMITS.httpWindowBytes)
          throw new FrameError("a request for more of a response's body than a window holds");
        exchange?.read(message.bytes);
        break;
      case "http-abort":
        this.#remove(message.exchange, entry);
        exchange?.abort();
        break;
    }
  }

  /** Aborts what a call has left behind, of which the runner says nothing any more. */
  endCall(call: number): void {
    this.cancelCall(call);
    this.forgetCall(call);
  }

  /** Aborts what a call has left behind. Messages of it may still be on their way: {@link forgetCall} follows. */
  cancelCall(call: number): void {
    for (const id of this.#byCall.get(call) ?? []) this.#abort(this.#entries.get(id));
  }

  /** Nothing of a call can come any more. */
  forgetCall(call: number): void {
    for (const id of this.#byCall.get(call) ?? []) this.#entries.delete(id);
    this.#byCall.delete(call);
  }

  /** Aborts everything. */
  endAll(): void {
    for (const call of this.#byCall.keys()) this.endCall(call);
  }

  #add(id: number, entry: Entry): void {
    this.#entries.set(id, entry);
    const ids = this.#byCall.get(entry.call);
    if (ids === undefined) this.#byCall.set(entry.call, new Set([id]));
    else ids.add(id);
  }

  #remove(id: number, entry: Entry): void {
    entry.state = "ended";
    this.#entries.delete(id);
    this.#byCall.get(entry.call)?.delete(id);
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
        this.#send({ kind: "http-wanted", exchange, bytes });
      },
      response: (response) => {
        if (isOpen()) this.#send({ kind: "http-response", exchange, response });
      },
      chunk: (bytes) => {
        if (!isOpen()) return;
        entry.readableBytes -= bytes.length;
        this.#send({ kind: "http-chunk", exchange, bytes });
      },
      end: (trailers) => {
        if (end()) this.#send({ kind: "http-end", exchange, trailers });
      },
      fail: (failure) => {
        if (end()) this.#send({ kind: "http-failed", exchange, failure });
      },
    };
  }
}

/** A runner has nothing to say by no bytes, and could say it without end. */
function refuseEmpty(bytes: number): void {
  if (bytes === 0) throw new FrameError("a message of an exchange about no bytes");
}
