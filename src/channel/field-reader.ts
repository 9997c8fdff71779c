/**
 * Reads and checks the fields of a frame. Frames from a runner are untrusted: a field that does not fit its frame or its
 * bound makes the frame a {@link Violation}, and never causes a read past the end.
 *
 * The reader keeps the first violation. Fields after it read as empty, so that no field's codec has to check. The code that
 * reads a frame calls {@link FieldReader.end} and, where that returns a violation, drops what it has read.
 *
 * @module
 */

import { Violation } from "./violation.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const EMPTY = Buffer.alloc(0);

/**
 * Reads the fields of one frame's payload in order. Byte fields are views into the frame, not copies. The payload is a
 * range of the bytes that it arrived in: a view for each frame would cost more than reading its fields.
 */
export class FieldReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #violation: Violation | undefined;

  /** The payload is in `bytes` from `at` to `end`. */
  constructor(bytes: Buffer, at = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  /** Has a field that was read so far broken a rule? */
  get isBroken(): boolean {
    return this.#violation !== undefined;
  }

  u8(): number {
    const at = this.#at;
    if (!this.#take(1)) return 0;
    return this.#bytes.readUInt8(at);
  }

  u16(): number {
    const at = this.#at;
    if (!this.#take(2)) return 0;
    return this.#bytes.readUInt16LE(at);
  }

  u32(): number {
    const at = this.#at;
    if (!this.#take(4)) return 0;
    return this.#bytes.readUInt32LE(at);
  }

  /** Length-prefixed bytes, at most `maxBytes` of them. */
  bytes(maxBytes: number): Buffer {
    const length = this.#length(maxBytes);
    const at = this.#at;
    if (!this.#take(length)) return EMPTY;
    return this.#bytes.subarray(at, at + length);
  }

  /** Length-prefixed UTF-8, at most `maxBytes` bytes; ill-formed UTF-8 is a violation. */
  text(maxBytes: number): string {
    const length = this.#length(maxBytes);
    const at = this.#at;
    if (!this.#take(length)) return "";
    // Short ASCII is by far the most common and does not need the strict decoder.
    if (isShortAscii(this.#bytes, at, at + length)) return this.#bytes.toString("latin1", at, at + length);
    try {
      return decoder.decode(this.#bytes.subarray(at, at + length));
    } catch {
      this.fail("a text field is not UTF-8");
      return "";
    }
  }

  /** Records a violation that only the caller can see: of a rule that the reader does not know. */
  fail(reason: string): void {
    this.#violation ??= new Violation(reason);
    this.#at = this.#end;
  }

  /** Call when all fields are read. Returns the first violation; leftover bytes are one, too. */
  end(): Violation | undefined {
    if (this.#at !== this.#end) this.fail(`${this.#end - this.#at} bytes too many in a frame`);
    return this.#violation;
  }

  #length(maxBytes: number): number {
    const length = this.u32();
    if (length <= maxBytes) return length;
    this.fail(`a field of ${length} bytes, at most ${maxBytes} are allowed`);
    return 0;
  }

  #take(length: number): boolean {
    if (length > this.#end - this.#at) {
      this.fail("a field reaches past the end of its frame");
      return false;
    }
    this.#at += length;
    return true;
  }
}

const SHORT_BYTES = 256;

function isShortAscii(bytes: Buffer, from: number, to: number): boolean {
  if (to - from > SHORT_BYTES) return false;
  for (let at = from; at < to; at++) if ((bytes[at] as number) > 0x7f) return false;
  return true;
}
