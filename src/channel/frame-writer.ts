/**
 * Collects the frames of a tick. Small fields are packed into shared blocks. A large byte field is passed on as a chunk of
 * its own, without a copy, so it must not change until it is written.
 *
 * @module
 */

import type { FrameSink } from "./protocol.ts";

const BLOCK_BYTES = 16 * 1024;
/** From this size on, a byte field is not copied. */
const LARGE_BYTES = 64 * 1024;

/** Writes frames. The caller keeps each payload within the bound of its message. */
export class FrameWriter implements FrameSink {
  #done: Buffer[] = [];
  #doneBytes = 0;
  #block: Buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  /** Where in the block the bytes begin that are not yet in `#done`. */
  #from = 0;
  #at = 0;
  #lengthBlock: Buffer = this.#block;
  #lengthAt = 0;
  #payloadBytes = 0;

  begin(tag: number): void {
    this.#reserve(5);
    this.#lengthBlock = this.#block;
    this.#lengthAt = this.#at;
    this.#at += 4;
    this.#block[this.#at++] = tag;
    this.#payloadBytes = 0;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#at = this.#block.writeUInt8(value, this.#at);
    this.#payloadBytes += 1;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#at = this.#block.writeUInt16LE(value, this.#at);
    this.#payloadBytes += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#at = this.#block.writeUInt32LE(value, this.#at);
    this.#payloadBytes += 4;
  }

  text(value: string): void {
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    if (value.length * 3 <= BLOCK_BYTES - 4) {
      this.#reserve(4 + value.length * 3);
      const bytes = writeText(value, this.#block, this.#at + 4);
      this.#block.writeUInt32LE(bytes, this.#at);
      this.#at += 4 + bytes;
      this.#payloadBytes += 4 + bytes;
    } else {
      this.bytes(Buffer.from(value, "utf8"));
    }
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length);
    this.#payloadBytes += value.length;
    if (value.length >= LARGE_BYTES) {
      this.#cut();
      this.#done.push(Buffer.from(value.buffer, value.byteOffset, value.length));
      this.#doneBytes += value.length;
      return;
    }
    this.#reserve(value.length);
    this.#block.set(value, this.#at);
    this.#at += value.length;
  }

  end(): void {
    this.#lengthBlock.writeUInt32LE(this.#payloadBytes, this.#lengthAt);
  }

  /** Bytes since the last {@link take}. */
  get pendingBytes(): number {
    return this.#doneBytes + this.#at - this.#from;
  }

  /** Returns the chunks since the last call, in the order in which to write them. */
  take(): Buffer[] {
    this.#cut();
    const chunks = this.#done;
    this.#done = [];
    this.#doneBytes = 0;
    return chunks;
  }

  /** Makes room for `bytes` bytes in one piece. The part of a block that {@link take} returned is never written again. */
  #reserve(bytes: number): void {
    if (this.#block.length - this.#at >= bytes) return;
    this.#cut();
    this.#block = Buffer.allocUnsafe(Math.max(BLOCK_BYTES, bytes));
    this.#from = 0;
    this.#at = 0;
  }

  #cut(): void {
    if (this.#at === this.#from) return;
    this.#done.push(this.#block.subarray(this.#from, this.#at));
    this.#doneBytes += this.#at - this.#from;
    this.#from = this.#at;
  }
}

/** Up to this length, a loop over the characters is faster than a call out of JavaScript. */
const SHORT_CHARACTERS = 32;

/** Writes text as UTF-8. Returns the number of bytes. */
function writeText(text: string, block: Buffer, from: number): number {
  if (text.length > SHORT_CHARACTERS) return block.write(text, from, "utf8");
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > LAST_ASCII) return block.write(text, from, "utf8");
    block[from + at] = code;
  }
  return text.length;
}

const LAST_ASCII = 0x7f;
