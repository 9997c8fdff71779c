/**
 * Reads the primitives of the WebAssembly binary format from a range of bytes. Bounds are checked before
 * anything is read or allocated; the only error is `component-rejected`.
 *
 * Sources: WebAssembly core specification, 5.2 "Values"; component-model `Binary.md`.
 *
 * @module
 */

import { COMPONENT_LIMITS } from "../contract/component-limits.ts";
import type { HostError } from "../errors/host-error.ts";
import { type Place, rejection } from "./rejection.ts";

/** Names longer than this are refused; the longest that toolchains emit are mangled symbols of a few hundred bytes. */
export const NAME_MAX_BYTES: number = COMPONENT_LIMITS.nameBytes;

/**
 * Items (definitions, fields, cases, imports, exports, and so on) in one file, nested ones included: bounds
 * the memory that reading takes. CPython with its libraries, the largest known component, has some 30,000.
 */
export const ITEMS_MAX: number = COMPONENT_LIMITS.items;

const MALFORMED_ADVICE =
  "the file is damaged or was not made by a component toolchain: build it again and check it with `wasm-tools validate`";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What is left of {@link ITEMS_MAX}, shared by all readers of one file. */
interface Budget {
  items: number;
}

/** A cursor over a range of the file. Offsets are always those of the whole file. */
export class ByteReader {
  /** Which part of the file this is, for messages. */
  readonly path: string;
  /** Offset of the first byte behind the range. */
  readonly end: number;
  readonly #bytes: Uint8Array;
  readonly #budget: Budget;
  #offset: number;

  private constructor(bytes: Uint8Array, offset: number, end: number, path: string, budget: Budget) {
    this.#bytes = bytes;
    this.#offset = offset;
    this.end = end;
    this.path = path;
    this.#budget = budget;
  }

  /** A reader of a whole file. */
  static of(bytes: Uint8Array, path: string): ByteReader {
    return new ByteReader(bytes, 0, bytes.length, path, { items: ITEMS_MAX });
  }

  /** Offset of the next byte. */
  get offset(): number {
    return this.#offset;
  }

  get atEnd(): boolean {
    return this.#offset >= this.end;
  }

  /** Here, for an error that is found later. */
  place(): Place {
    return { offset: this.#offset, path: this.path };
  }

  /** A reader of the next `length` bytes, which this one skips. */
  sub(length: number, path: string = this.path): ByteReader {
    const start = this.#offset;
    this.skip(length);
    return new ByteReader(this.#bytes, start, start + length, path, this.#budget);
  }

  u8(): number {
    const byte = this.#offset < this.end ? this.#bytes[this.#offset] : undefined;
    if (byte === undefined) throw this.malformed("unexpected end");
    this.#offset += 1;
    return byte;
  }

  /** The next byte, which stays to be read. */
  peek(): number {
    const byte = this.u8();
    this.#offset -= 1;
    return byte;
  }

  /** An unsigned LEB128 number of 32 bits (5.2.2). */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      if (shift === 28 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw this.malformed("a number is longer than 32 bits");
  }

  /** A signed LEB128 number of 33 bits, which type indices are written as. */
  s33(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) continue;
      const negative = (byte & 0x40) !== 0;
      value -= negative ? 2 ** (shift + 7) : 0;
      if (value >= 2 ** 32 || value < -(2 ** 32)) break;
      return value;
    }
    throw this.malformed("a number is longer than 33 bits");
  }

  /** Skips a LEB128 number of up to `bits` bits whose value does not matter. */
  skipLeb(bits: 32 | 64): void {
    for (let read = 0; read < Math.ceil(bits / 7); read += 1) if (this.u8() < 0x80) return;
    throw this.malformed(`a number is longer than ${bits} bits`);
  }

  /** An unsigned LEB128 number of 64 bits, as a memory of 64-bit addresses declares its size. */
  u64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.u8();
      if (shift === 63n && byte > 0x01) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw this.malformed("a number is longer than 64 bits");
  }

  skip(length: number): void {
    if (length > this.end - this.#offset) throw this.malformed(`${length} bytes are announced and fewer follow`);
    this.#offset += length;
  }

  /** The next `length` bytes as a view. */
  bytes(length: number): Uint8Array {
    const start = this.#offset;
    this.skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Everything up to the end as a view; nothing is skipped. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#offset, this.end);
  }

  /** A length-prefixed UTF-8 name (5.2.4). */
  name(): string {
    const place = this.place();
    const length = this.u32();
    if (length > NAME_MAX_BYTES) {
      throw rejection(
        `a name is ${length} bytes long; at most ${NAME_MAX_BYTES} are accepted`,
        place,
        "shorten the symbol or do not export it",
      );
    }
    try {
      return utf8.decode(this.bytes(length));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw this.malformed("a name is not valid UTF-8");
    }
  }

  /** A vector (5.1.3): a count and that many items, every one at least a byte long. */
  vector<Item>(readItem: (reader: ByteReader) => Item): Item[] {
    const count = this.u32();
    if (count > this.end - this.#offset) throw this.malformed(`a list of ${count} items does not fit its section`);
    this.#budget.items -= count;
    if (this.#budget.items < 0) {
      throw rejection(
        `the component holds more than ${ITEMS_MAX} definitions, names and fields`,
        this.place(),
        "link less into it or strip what is not needed",
      );
    }
    const items: Item[] = [];
    for (let index = 0; index < count; index += 1) items.push(readItem(this));
    return items;
  }

  /** Skips a vector whose items are not kept, so that they cost no memory. */
  skipVector(skipItem: (reader: ByteReader) => unknown): void {
    const count = this.u32();
    if (count > this.end - this.#offset) throw this.malformed(`a list of ${count} items does not fit its section`);
    for (let index = 0; index < count; index += 1) skipItem(this);
  }

  /** The error for bytes that no validator accepts. */
  malformed(what: string): HostError {
    return rejection(`the component is malformed: ${what}`, this.place(), MALFORMED_ADVICE);
  }

  /** The error for a feature of the format that this host does not support. */
  unsupported(what: string, advice: string): HostError {
    return rejection(`${what} is not supported`, this.place(), advice);
  }
}
