/**
 * Cuts a byte stream into frames. A small frame is a view into the chunk that it came in, or is joined from two; a large
 * one is copied once, chunk by chunk as it arrives, into a buffer that holds nothing else, so that its last chunk finds
 * no work of milliseconds left.
 *
 * @module
 */

import { FrameError } from "./codec.ts";
import { holdsStoredValue } from "./messages.ts";

/** Bytes of `u32 length | u8 kind`. */
const HEADER_BYTES = 5;

/** Largest payload of a frame: the largest value or payload, and room for names and ids. */
export const MAX_FRAME_BYTES = 17 * 1024 * 1024;

/** From this size on a payload has a buffer of its own. No socket brings as much in one chunk. */
export const LARGE_FRAME_BYTES = 64 * 1024;

/** What stands behind a header. */
export interface Frame {
  readonly kind: number;
  readonly payload: Buffer;
}

/** Chunks in, frames out. */
export class FrameAssembler {
  #chunks: Buffer[] = [];
  /** Bytes of the chunks. */
  #length = 0;
  /** Bytes of them that the next step needs: a header, a small frame with its header, or what a large one lacks. */
  #wanted = HEADER_BYTES;
  #large: LargeFrame | undefined;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Can {@link next} say more than that it waits? False as long as not even the next header is there. */
  get hasFrame(): boolean {
    return this.#length >= this.#wanted;
  }

  /** The next whole frame, or `undefined` until more bytes come. Throws {@link FrameError} on an oversize length. */
  next(): Frame | undefined {
    if (this.#large !== undefined) return this.#fill(this.#large);
    if (this.#length < this.#wanted) return undefined;
    const head = this.#head();
    const payloadBytes = head.readUInt32LE(0);
    if (payloadBytes > MAX_FRAME_BYTES) throw new FrameError(`a frame of ${payloadBytes} bytes is too large`);
    const kind = head.readUInt8(4);
    if (payloadBytes < LARGE_FRAME_BYTES) return this.#small(head, kind, payloadBytes);
    this.#drop(head, HEADER_BYTES);
    this.#large = { kind, payload: allocate(kind, payloadBytes), filled: 0 };
    return this.#fill(this.#large);
  }

  #small(head: Buffer, kind: number, payloadBytes: number): Frame | undefined {
    this.#wanted = HEADER_BYTES + payloadBytes;
    if (this.#length < this.#wanted) return undefined;
    const whole = head.length < this.#wanted ? this.#join() : head;
    const payload = whole.subarray(HEADER_BYTES, this.#wanted);
    this.#drop(whole, this.#wanted);
    this.#wanted = HEADER_BYTES;
    return { kind, payload };
  }

  #fill(frame: LargeFrame): Frame | undefined {
    const { kind, payload } = frame;
    for (let chunk = this.#chunks[0]; chunk !== undefined && frame.filled < payload.length; chunk = this.#chunks[0]) {
      const bytes = chunk.copy(payload, frame.filled);
      frame.filled += bytes;
      this.#drop(chunk, bytes);
    }
    this.#wanted = payload.length - frame.filled;
    if (this.#wanted > 0) return undefined;
    this.#large = undefined;
    this.#wanted = HEADER_BYTES;
    return { kind, payload };
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

interface LargeFrame {
  readonly kind: number;
  readonly payload: Buffer;
  filled: number;
}

/** A value for the store is in memory that another thread of this process can read without a copy of it. */
function allocate(kind: number, bytes: number): Buffer {
  return holdsStoredValue(kind) ? Buffer.from(new SharedArrayBuffer(bytes)) : Buffer.allocUnsafeSlow(bytes);
}
