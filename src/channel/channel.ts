/**
 * The transport: a channel of messages over a stream socket, with the same code on both sides. A side's {@link Protocol}
 * says which messages it sends and takes. Messages sent within one tick leave in one write, on `process.nextTick`: a lone
 * message does not wait, and a burst costs one system call. A long burst leaves in pieces, so that the other side begins
 * with the first piece while this side makes the last.
 *
 * A side with many channels takes turns among them, which its {@link Pace} deals out. A channel that brings more than fits
 * into its turn waits for the next one, and its socket is not read meanwhile. Messages keep their order, and those that
 * arrived before the other side closed are still delivered.
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
 * The most frames in one write. Measured with 64 and 256 requests in flight: with one write for all frames, the two
 * processes take turns at being idle; with 16 frames, the system calls cost more than that idleness.
 */
const MAX_UNSENT = 32;

/** A pace whose turns never end. */
const UNPACED: Pace = { turnMs: () => Infinity, spend: () => undefined, rest: () => () => undefined };

/** Callbacks of a channel. The last is one of `violated`, `error` and `close`, unless this side closes the channel. */
export interface ChannelHandlers<Incoming> {
  /**
   * Takes a message. The handler may keep its bytes: they are never reused. Returns a violation where the protocol does
   * not allow the message; the channel then closes and calls `violated` with it.
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
  /** Set while the channel waits for its next turn: ends the wait. */
  #endRest: (() => void) | undefined;

  /** Without `pace`, the channel delivers everything as it arrives. */
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
   * Queues a message for this tick's write, or for the next of several. A closed channel drops the message: its close was
   * reported already.
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

  /** Sends a message, and all before it, at once: for a message that must leave before this side does anything else. */
  sendNow(message: Outgoing): void {
    this.send(message);
    this.#flush();
  }

  /** Bytes of sent messages that the operating system has not taken yet. */
  get bufferedBytes(): number {
    return this.#writer.pendingBytes + this.#socket.writableLength;
  }

  /** Do bytes that have arrived wait for the next turn? More may have arrived that are not read yet. */
  get isBehind(): boolean {
    return this.#endRest !== undefined;
  }

  /** Closes the socket at once and drops what it has not sent. Idempotent; no callback follows. */
  destroy(): void {
    this.#state = "closed";
    this.#socket.destroy();
  }

  /** Closes the socket once it has sent everything. Idempotent; no callback follows. */
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

  /** Delivers what has arrived. The rest is left for the next turn, and the socket is not read until then. */
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
        // A handler may close the channel: the frames after that are not delivered.
        if (this.#state === "closed") return "all";
        // Also after a single frame: a large value for a store in this process can fill a whole turn.
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

  /** The connection has ended: delivers what arrived before that, without waiting for a turn. */
  #catchUp(): void {
    if (this.#endRest === undefined) return;
    this.#endRest();
    this.#endRest = undefined;
    this.#takeTurn(UNPACED);
  }

  /** Closes the channel. False where it was closed before: no handler is called then. */
  #end(): boolean {
    if (this.#state === "closed") return false;
    this.#state = "closed";
    this.#socket.destroy();
    return true;
  }
}
