/**
 * Writes the primitives of wRPC values. Large byte strings are not copied: the result is a list of parts, which a socket
 * writes as they are.
 *
 * Generated from src/wrpc/value-writer.ts by scripts/generate-sdk/client.ts; do not edit.
 *
 * @module
 */

const FIRST_BYTES = 128;

/** A byte string of this size is a part of its own. */
const REFERENCED_BYTES = 2_048;

/** A number of 64 bits takes at most this many bytes. */
const LEB_MAX_BYTES = 10;

/** Collects values one after another. */
export class ValueWriter {
  readonly #parts: Uint8Array[] = [];
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  /** What precedes it in `#bytes` is in a part already. */
  #start = 0;
  #at = 0;
  #length = 0;

  /** How many bytes have been written. */
  get length(): number {
    return this.#length + this.#at - this.#start;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at] = value & 0xff;
    this.#at += 1;
  }

  f32(value: number): void {
    this.#reserve(4);
    this.#at = this.#bytes.writeFloatLE(value, this.#at);
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** A number from 0 to 2⁵³ − 1. */
  unsigned(value: number): void {
    this.#reserve(LEB_MAX_BYTES);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      this.#bytes[this.#at] = (rest % 0x80) | 0x80;
      this.#at += 1;
    }
    this.#bytes[this.#at] = rest;
    this.#at += 1;
  }

  unsignedLong(value: bigint): void {
    this.#reserve(LEB_MAX_BYTES);
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) this.u8(Number(rest & 0x7fn) | 0x80);
    this.u8(Number(rest));
  }

  signedLong(value: bigint): void {
    for (let rest = value; ; rest >>= 7n) {
      const low = Number(rest & 0x7fn);
      const isLast = rest >= -0x40n && rest < 0x40n;
      this.u8(isLast ? low : low | 0x80);
      if (isLast) return;
    }
  }

  /** UTF-8 without a length. */
  character(value: string): void {
    const length = Buffer.byteLength(value);
    this.#reserve(length);
    this.#at += this.#bytes.write(value, this.#at, length, "utf8");
  }

  /** Length-prefixed UTF-8; an unpaired surrogate becomes U+FFFD. */
  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.unsigned(length);
    if (length < REFERENCED_BYTES) this.character(value);
    else this.raw(Buffer.from(value, "utf8"));
  }

  /** Length-prefixed bytes. A large byte string must not change until the parts have been sent. */
  bytes(value: Uint8Array): void {
    this.unsigned(value.length);
    this.raw(value);
  }

  /** Bytes without a length; see {@link bytes}. */
  raw(value: Uint8Array): void {
    if (value.length < REFERENCED_BYTES) {
      this.#reserve(value.length);
      this.#bytes.set(value, this.#at);
      this.#at += value.length;
      return;
    }
    this.#endPart();
    this.#parts.push(value);
    this.#length += value.length;
  }

  /** What was written, in parts. Call it once, at the end. */
  finish(): readonly Uint8Array[] {
    this.#endPart();
    return this.#parts;
  }

  #endPart(): void {
    if (this.#at === this.#start) return;
    this.#parts.push(this.#bytes.subarray(this.#start, this.#at));
    this.#length += this.#at - this.#start;
    this.#start = this.#at;
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    this.#endPart();
    this.#bytes = Buffer.allocUnsafe(Math.max(FIRST_BYTES, this.#bytes.length, length));
    this.#start = 0;
    this.#at = 0;
  }
}
