/**
 * Reads the primitives of wRPC values from bytes of an untrusted peer: integers in LEB128, lengths, UTF-8. Nothing is read
 * past the end, and nothing is allocated for a length that is only announced: byte fields are views.
 *
 * The reader keeps the first thing that went wrong. Reads after it return empty values, so that no codec has to check;
 * whoever reads asks {@link ValueReader.flaw} at the end and drops what was read.
 *
 * @see https://webassembly.github.io/spec/core/binary/values.html#integers
 * Generated from src/wrpc/value-reader.ts by scripts/generate-sdk/client.ts; do not edit.
 *
 * @module
 */

/** Why values could not be read. */
export type ReadFlaw =
  /** They end too early. At least `needBytes` are needed from the beginning, and at most the limit. */
  | { readonly kind: "short"; readonly needBytes: number }
  /** They break the format; `problem` is safe to show. */
  | { readonly kind: "malformed"; readonly problem: string }
  /** They announce more bytes than are allowed. */
  | { readonly kind: "too-large"; readonly announcedBytes: number };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const EMPTY = Buffer.alloc(0);

const LEB_BITS = 7;
const LEB_MORE = 0x80;
const LEB_PAYLOAD = 0x7f;
const LEB_SIGN = 0x40;

/** A string that is shorter is looked at byte by byte: ASCII does not need the strict decoder. */
const SHORT_BYTES = 256;

/** Reads values one after another. */
export class ValueReader {
  readonly #bytes: Buffer;
  readonly #maxBytes: number;
  #at = 0;
  #flaw: ReadFlaw | undefined;

  /** `maxBytes`: how many bytes the values may take, whether they are there already or not. */
  constructor(bytes: Uint8Array, maxBytes: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#maxBytes = maxBytes;
  }

  /** What went wrong first, if anything did. */
  get flaw(): ReadFlaw | undefined {
    return this.#flaw;
  }

  /** How many bytes have been read. */
  get offset(): number {
    return this.#at;
  }

  u8(): number {
    return this.#take(1) ? (this.#bytes[this.#at - 1] as number) : 0;
  }

  s8(): number {
    return this.#take(1) ? this.#bytes.readInt8(this.#at - 1) : 0;
  }

  f32(): number {
    return this.#take(4) ? this.#bytes.readFloatLE(this.#at - 4) : 0;
  }

  f64(): number {
    return this.#take(8) ? this.#bytes.readDoubleLE(this.#at - 8) : 0;
  }

  /** An unsigned number of at most 32 bits. */
  unsigned(bits: number): number {
    const first = this.u8();
    // Nearly all lengths and counts are short.
    if (first < LEB_MORE) return this.#within(first, bits);
    let value = first & LEB_PAYLOAD;
    for (let shift = LEB_BITS; shift < bits; shift += LEB_BITS) {
      const byte = this.u8();
      value += (byte & LEB_PAYLOAD) * 2 ** shift;
      if (byte < LEB_MORE) return this.#within(value, bits);
    }
    return this.#tooLong(bits);
  }

  /** A signed number of at most 32 bits. */
  signed(bits: number): number {
    let value = 0;
    for (let shift = 0; shift < bits; shift += LEB_BITS) {
      const byte = this.u8();
      value += (byte & LEB_PAYLOAD) * 2 ** shift;
      if (byte >= LEB_MORE) continue;
      if ((byte & LEB_SIGN) !== 0) value -= 2 ** (shift + LEB_BITS);
      return value >= 2 ** (bits - 1) || value < -(2 ** (bits - 1)) ? this.#tooLong(bits) : value;
    }
    return this.#tooLong(bits);
  }

  u64(): bigint {
    const { value } = this.#longNumber();
    return value >= 2n ** 64n ? BigInt(this.#tooLong(64)) : value;
  }

  s64(): bigint {
    const { value, bits, last } = this.#longNumber();
    const number = (last & LEB_SIGN) === 0 ? value : value - 2n ** bits;
    return BigInt.asIntN(64, number) === number ? number : BigInt(this.#tooLong(64));
  }

  /** One character: the length of its UTF-8 follows from its first byte. */
  char(): string {
    const first = this.#bytes[this.#at] ?? 0;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    return this.#decode(length);
  }

  /** Length-prefixed UTF-8. */
  text(): string {
    return this.#decode(this.unsigned(32));
  }

  /** Length-prefixed bytes, as a view. */
  bytes(): Uint8Array {
    const length = this.unsigned(32);
    return this.#take(length) ? this.#bytes.subarray(this.#at - length, this.#at) : EMPTY;
  }

  /** This many bytes, as a view. */
  raw(length: number): Uint8Array {
    return this.#take(length) ? this.#bytes.subarray(this.#at - length, this.#at) : EMPTY;
  }

  /** The count of a list whose elements take at least `minBytes` each; 0 where they are not all there. */
  count(minBytes: number): number {
    const count = this.unsigned(32);
    return this.#holds(count * minBytes) ? count : 0;
  }

  /** Records a flaw that only the caller can see. */
  fail(problem: string): void {
    this.#flaw ??= { kind: "malformed", problem };
  }

  #decode(length: number): string {
    if (!this.#take(length)) return "";
    const start = this.#at - length;
    if (length <= SHORT_BYTES && isAscii(this.#bytes, start, this.#at))
      return this.#bytes.toString("latin1", start, this.#at);
    try {
      return utf8.decode(this.#bytes.subarray(start, this.#at));
    } catch {
      this.fail("a string is not UTF-8");
      return "";
    }
  }

  /** Up to ten bytes of a number: its value without a sign, how many bits it has, and its last byte. */
  #longNumber(): { readonly value: bigint; readonly bits: bigint; readonly last: number } {
    let value = 0n;
    for (let shift = 0n; shift < 64n; shift += 7n) {
      const last = this.u8();
      value |= BigInt(last & LEB_PAYLOAD) << shift;
      if (last < LEB_MORE) return { value, bits: shift + 7n, last };
    }
    return { value: BigInt(this.#tooLong(64)), bits: 0n, last: 0 };
  }

  #within(value: number, bits: number): number {
    return value < 2 ** bits ? value : this.#tooLong(bits);
  }

  #tooLong(bits: number): number {
    this.fail(`a number has more than ${bits} bits`);
    return 0;
  }

  #take(length: number): boolean {
    if (!this.#holds(length)) return false;
    this.#at += length;
    return true;
  }

  /** Are this many more bytes there? They are not read. */
  #holds(length: number): boolean {
    if (this.#flaw !== undefined) return false;
    const end = this.#at + length;
    if (end > this.#maxBytes) this.#flaw = { kind: "too-large", announcedBytes: end };
    else if (end > this.#bytes.length) this.#flaw = { kind: "short", needBytes: end };
    return this.#flaw === undefined;
  }
}

function isAscii(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if ((bytes[at] as number) >= 0x80) return false;
  return true;
}
