/**
 * Cuts a byte stream into frames: `u32 length of the payload | u8 tag | payload`. The receiver's protocol says which frames
 * may come, and how large. A small frame is a view into the chunk that it came in, or is joined from several. A large one
 * is copied once, chunk by chunk as it arrives, into a buffer of its own, so that its last chunk does not bring on
 * milliseconds of copying.
 *
 * @module
 */

import { FieldReader } from "./field-reader.ts";
import type { FrameMemory } from "./fields.ts";
import type { FrameRule } from "./protocol.ts";
import { Violation } from "./violation.ts";

/** Bytes of `u32 length | u8 tag`. */
const HEADER_BYTES = 5;

/** From this size on, a payload gets a buffer of its own: one chunk from a socket never holds it whole. */
export const LARGE_FRAME_BYTES = 64 * 1024;

/** A whole frame: its tag, and a reader of its payload. */
export interface Frame {
  readonly tag: number;
  readonly payload: FieldReader;
}

/** The rule for frames with a tag; `undefined` where the receiver takes no such frame. */
export type FrameRules = (tag: number) => FrameRule | undefined;

/** Takes the chunks of one stream, and returns its frames one by one. */
export class FrameAssembler {
  readonly #rules: FrameRules;
  #chunks: Buffer[] = [];
  /** The index in the first chunk of the first byte that is not taken yet. */
  #at = 0;
  /** Bytes that are not taken yet. */
  #length = 0;
  /** How many of these the next step needs: a header, a small frame with its header, or what a large one lacks. */
  #wanted = HEADER_BYTES;
  #large: LargeFrame | undefined;

  constructor(rules: FrameRules) {
    this.#rules = rules;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Might {@link next} return something? False where it is known to lack bytes. */
  get hasFrame(): boolean {
    return this.#length >= this.#wanted;
  }

  /**
   * The next whole frame, or `undefined` until more bytes arrive. A violation as soon as a header announces a frame that
   * the receiver does not take; the bytes after that header have no meaning.
   */
  next(): Frame | Violation | undefined {
    if (this.#large !== undefined) return this.#fill(this.#large);
    if (this.#length < this.#wanted) return undefined;
    const head = this.#first(HEADER_BYTES);
    const payloadBytes = head.readUInt32LE(this.#at);
    const tag = head.readUInt8(this.#at + HEADER_BYTES - 1);
    const rule = this.#rules(tag);
    if (rule === undefined) return new Violation(`unknown tag ${tag} of a frame`);
    if (payloadBytes > rule.maxBytes)
      return new Violation(
        `a frame of ${payloadBytes} bytes is too large: with tag ${tag}, it has ${rule.maxBytes} at most`,
      );
    if (payloadBytes < LARGE_FRAME_BYTES) return this.#small(tag, HEADER_BYTES + payloadBytes);
    this.#take(head, HEADER_BYTES);
    this.#large = { tag, payload: allocate(rule.memory, payloadBytes), filled: 0 };
    return this.#fill(this.#large);
  }

  #small(tag: number, frameBytes: number): Frame | undefined {
    this.#wanted = frameBytes;
    if (this.#length < frameBytes) return undefined;
    const whole = this.#first(frameBytes);
    const payload = new FieldReader(whole, this.#at + HEADER_BYTES, this.#at + frameBytes);
    this.#take(whole, frameBytes);
    this.#wanted = HEADER_BYTES;
    return { tag, payload };
  }

  #fill(frame: LargeFrame): Frame | undefined {
    const { tag, payload } = frame;
    for (let chunk = this.#chunks[0]; chunk !== undefined && frame.filled < payload.length; chunk = this.#chunks[0]) {
      const bytes = chunk.copy(payload, frame.filled, this.#at);
      frame.filled += bytes;
      this.#take(chunk, bytes);
    }
    this.#wanted = payload.length - frame.filled;
    if (this.#wanted > 0) return undefined;
    this.#large = undefined;
    this.#wanted = HEADER_BYTES;
    return { tag, payload: new FieldReader(payload) };
  }

  /** The first chunk, joined with those after it where it has fewer than `bytes` bytes left to take. */
  #first(bytes: number): Buffer {
    const first = this.#chunks[0] as Buffer;
    if (first.length - this.#at >= bytes) return first;
    const joined = Buffer.concat([first.subarray(this.#at), ...this.#chunks.slice(1)], this.#length);
    this.#chunks = [joined];
    this.#at = 0;
    return joined;
  }

  /** Takes bytes of `first`, which must be the first chunk. */
  #take(first: Buffer, bytes: number): void {
    this.#length -= bytes;
    this.#at += bytes;
    if (this.#at < first.length) return;
    this.#chunks.shift();
    this.#at = 0;
  }
}

interface LargeFrame {
  readonly tag: number;
  readonly payload: Buffer;
  filled: number;
}

function allocate(memory: FrameMemory, bytes: number): Buffer {
  return memory === "shared" ? Buffer.from(new SharedArrayBuffer(bytes)) : Buffer.allocUnsafeSlow(bytes);
}
