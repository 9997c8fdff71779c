/**
 * A channel of frames over a stream socket, the same on both sides. Frames that are sent within one tick
 * leave in one write, on `process.nextTick`, so that a lone message waits for nothing and a burst costs one
 * system call. Incoming frames are views into the received chunk where they fit one, and are copied at most
 * once where they do not.
 *
 * @module
 */

import type { Socket } from "node:net";
import { nextTick } from "node:process";
import { FrameError } from "./codec.ts";
import { FrameWriter } from "./frame-writer.ts";
import { encodeMessage, type HostMessage, type RunnerMessage } from "./messages.ts";

/** Bytes of `u32 length | u8 kind`. */
const HEADER_BYTES = 5;

/** Largest payload of a frame: the largest value or payload, and room for names and ids. */
export const MAX_FRAME_BYTES = 17 * 1024 * 1024;

/** Callbacks of a channel. */
export interface ChannelHandlers {
  /** A whole frame. The payload is valid until the callback returns unless it is kept as it is (it is never reused). */
  frame(kind: number, payload: Buffer): void;
  /** The other side broke the layout, or the socket failed. Called at most once; the channel is closed by then. */
  error(error: Error): void;
  /** The other side closed the socket. Called at most once. */
  close(): void;
}

/** One side's end of the connection between the host and a runner. */
export class Channel<Outgoing extends HostMessage | RunnerMessage> {
  readonly #socket: Socket;
  readonly #handlers: ChannelHandlers;
  readonly #writer = new FrameWriter();
  readonly #incoming = new FrameAssembler();
  #state: "open" | "closed" = "open";
  #flushScheduled = false;

  constructor(socket: Socket, handlers: ChannelHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => {
      if (this.#state === "closed") return;
      this.#state = "closed";
      this.#handlers.close();
    });
  }

  /** Queues a message for this tick's write. After the channel has closed it is dropped: the close was reported. */
  send(message: Outgoing): void {
    if (this.#state === "closed") return;
    encodeMessage(message, this.#writer);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    nextTick(() => this.#flush());
  }

  /** Bytes that were sent and not yet taken by the other side. */
  get bufferedBytes(): number {
    return this.#writer.pendingBytes + this.#socket.writableLength;
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
    this.#flushScheduled = false;
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
    try {
      this.#incoming.push(chunk);
      for (;;) {
        // A handler may close the channel: frames behind that are not delivered.
        if (this.#state === "closed") return;
        const frame = this.#incoming.next();
        if (frame === undefined) return;
        this.#handlers.frame(frame.kind, frame.payload);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#fail(error);
    }
  }

  #fail(error: Error): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#socket.destroy();
    this.#handlers.error(error);
  }
}

interface Frame {
  readonly kind: number;
  readonly payload: Buffer;
}

/** Cuts a byte stream into frames without copying a large frame once per chunk. */
export class FrameAssembler {
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes of the frame that is being waited for, header included; a header's worth while its length is unknown. */
  #wanted = HEADER_BYTES;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next whole frame, or `undefined` until more bytes come. Throws {@link FrameError} on an oversize length. */
  next(): Frame | undefined {
    if (this.#length < this.#wanted) return undefined;
    let head = this.#head();
    const payloadBytes = head.readUInt32LE(0);
    if (payloadBytes > MAX_FRAME_BYTES) throw new FrameError(`a frame of ${payloadBytes} bytes is too large`);
    this.#wanted = HEADER_BYTES + payloadBytes;
    if (this.#length < this.#wanted) return undefined;
    if (head.length < this.#wanted) head = this.#join();
    const frame = { kind: head.readUInt8(4), payload: head.subarray(HEADER_BYTES, this.#wanted) };
    this.#drop(head, this.#wanted);
    this.#wanted = HEADER_BYTES;
    return frame;
  }

  /** The first chunk, with at least a header in it. */
  #head(): Buffer {
    const first = this.#chunks[0] as Buffer;
    return first.length >= HEADER_BYTES ? first : this.#join();
  }

  #join(): Buffer {
    const joined = Buffer.concat(this.#chunks, this.#length);
    this.#chunks = [joined];
    return joined;
  }

  #drop(head: Buffer, bytes: number): void {
    this.#length -= bytes;
    if (head.length === bytes) this.#chunks.shift();
    else this.#chunks[0] = head.subarray(bytes);
  }
}
