/**
 * A channel of messages over a stream socket, the same on both sides: the transport. What messages there are is its side's
 * {@link Protocol}. Messages that are sent within one tick leave in one write, on `process.nextTick`, so that a lone
 * message waits for nothing and a burst costs one system call. A long burst leaves in pieces, and the other side has
 * begun with the first while the last is made.
 *
 * A side with many channels takes turns among them, which its {@link Pace} deals out: one that brings more than fits
 * into its turn rests, and is not read from, until it has the next one. Order is kept, and nothing is lost by a close.
 *
 * The other side is not trusted: the first {@link Violation}, of the layout or of the protocol, closes the channel.
 *
 * @module
 */

import type { Socket } from "node:net";
import { nextTick } from "node:process";
import type { Pace } from "../scheduling/pace.ts";
import { TimeSlice } from "../scheduling/time-slice.ts";
import { FrameAssembler } from "./frame-assembler.ts";
import { FrameWriter } from "./frame-writer.ts";
import type { Protocol } from "./protocol.ts";
import { Violation } from "./violation.ts";

/**
 * So many frames leave at once. Measured with 64 and 256 requests in flight: in one write for all of them the two
 * processes take turns at being idle, and with 16 the system calls cost more than that.
 */
const MAX_UNSENT = 32;

/** Turns without end. */
const UNPACED: Pace = { turnMs: () => Infinity, spend: () => undefined, rest: () => () => undefined };

/** Callbacks of a channel. After {@link ChannelHandlers.violated}, `error` or `close`, one of which comes, there is none. */
export interface ChannelHandlers<Incoming> {
  /**
   * A message. Its bytes may be kept: they are never reused. A violation, where the protocol does not allow the message,
   * closes the channel; `violated` is called with it.
   */
  receive(message: Incoming): Violation | undefined;
  /** The other side broke the layout or the protocol; the channel is closed by then. */
  violated(violation: Violation): void;
  /** The socket failed; the channel is closed by then. */
  error(error: Error): void;
  /** The other side closed the socket. */
  close(): void;
}

/** One side's end of the connection between the host and a runner. */
export class Channel<Incoming, Outgoing> {
  readonly #socket: Socket;
  readonly #protocol: Protocol<Incoming, Outgoing>;
  readonly #handlers: ChannelHandlers<Incoming>;
  readonly #writer = new FrameWriter();
  readonly #incoming: FrameAssembler;
  readonly #pace: Pace;
  readonly #slice = new TimeSlice();
  #state: "open" | "closed" = "open";
  #flushScheduled = false;
  /** Frames that wait for the tick's write. */
  #unsent = 0;
  /** Set while the next turn is awaited: waits no more. */
  #endRest: (() => void) | undefined;

  /** Without `pace`, whatever arrives is delivered at once. */
  constructor(
    socket: Socket,
    protocol: Protocol<Incoming, Outgoing>,
    handlers: ChannelHandlers<Incoming>,
    pace: Pace = UNPACED,
  ) {
    this.#socket = socket;
    this.#protocol = protocol;
    this.#handlers = handlers;
    this.#incoming = new FrameAssembler((tag) => protocol.rule(tag));
    this.#pace = pace;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => {
      this.#catchUp();
      if (this.#end()) this.#handlers.error(error);
    });
    socket.on("close", () => {
      this.#catchUp();
      if (this.#state === "closed") return;
      this.#state = "closed";
      this.#handlers.close();
    });
  }

  /**
   * Queues a message for this tick's write, or for the next of several. After the channel has closed it is dropped: the
   * close was reported.
   */
  send(message: Outgoing): void {
    if (this.#state === "closed") return;
    this.#protocol.encode(message, this.#writer);
    this.#unsent += 1;
    if (this.#unsent >= MAX_UNSENT) this.#flush();
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    nextTick(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  /** Sends a message, and all before it, now: for what must have left before this side does anything else. */
  sendNow(message: Outgoing): void {
    this.send(message);
    this.#flush();
  }

  /** Bytes that were sent and not yet taken by the other side. */
  get bufferedBytes(): number {
    return this.#writer.pendingBytes + this.#socket.writableLength;
  }

  /** Does something that has arrived wait for its turn? More may have arrived behind it that is not read yet. */
  get isBehind(): boolean {
    return this.#endRest !== undefined;
  }

  /** Closes the socket now; what was not taken yet is dropped. Idempotent; no callback follows. */
  destroy(): void {
    this.#state = "closed";
    this.#socket.destroy();
  }

  /** Closes the socket. Idempotent; no callback follows. */
  close(): void {
    if (this.#state === "open") this.#flush();
    this.#state = "closed";
    this.#socket.destroySoon();
  }

  #flush(): void {
    this.#unsent = 0;
    const chunks = this.#writer.take();
    if (this.#state === "closed" || chunks.length === 0) return;
    if (chunks.length === 1) {
      this.#socket.write(chunks[0] as Buffer);
      return;
    }
    this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
  }

  #receive(chunk: Buffer): void {
    this.#incoming.push(chunk);
    if (this.#endRest === undefined) this.#takeTurn(this.#pace);
  }

  /** Delivers what has arrived. What does not fit the turn is left for the next one, and nothing is read until then. */
  #takeTurn(pace: Pace): void {
    const delivered = this.#deliver(pace);
    if (delivered === "all") return;
    if (delivered instanceof Violation) {
      if (this.#end()) this.#handlers.violated(delivered);
      return;
    }
    this.#socket.pause();
    this.#endRest = pace.rest(() => {
      this.#endRest = undefined;
      this.#takeTurn(pace);
      if (this.#endRest === undefined) this.#socket.resume();
    });
  }

  #deliver(pace: Pace): "all" | "some" | Violation {
    const slice = this.#slice;
    const startMs = performance.now();
    slice.begin(startMs, pace.turnMs(startMs));
    let nowMs = startMs;
    try {
      for (;;) {
        // A handler may close the channel: frames behind that are not delivered.
        if (this.#state === "closed") return "all";
        // Also behind a single frame: a large value for a store in this process can be a turn of its own.
        if (slice.isOver(nowMs) && (nowMs > startMs || this.#incoming.hasFrame)) return "some";
        const delivered = this.#deliverNext();
        nowMs = performance.now();
        if (delivered === "none") return "all";
        if (delivered !== undefined) return delivered;
      }
    } finally {
      pace.spend(nowMs - startMs, nowMs);
    }
  }

  /** `none` where no whole frame has arrived. */
  #deliverNext(): "none" | Violation | undefined {
    const frame = this.#incoming.next();
    if (frame === undefined) return "none";
    if (frame instanceof Violation) return frame;
    const message = this.#protocol.decode(frame.tag, frame.payload);
    return message instanceof Violation ? message : this.#handlers.receive(message);
  }

  /** The connection is at its end: what had arrived before counts. */
  #catchUp(): void {
    if (this.#endRest === undefined) return;
    this.#endRest();
    this.#endRest = undefined;
    this.#takeTurn(UNPACED);
  }

  /** False where the channel was closed before, and nobody is to be told. */
  #end(): boolean {
    if (this.#state === "closed") return false;
    this.#state = "closed";
    this.#socket.destroy();
    return true;
  }
}
