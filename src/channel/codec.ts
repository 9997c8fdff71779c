/**
 * Bounds-checked reading and writing of the fields of a frame. Frames from a runner are untrusted: a field
 * that does not fit its frame is a {@link FrameError}, never a read past the end.
 *
 * @module
 */

/** A frame that breaks the layout. Whoever receives one ends the connection and the process behind it. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** Where a message's fields are written to; see `FrameWriter`. */
export interface FieldSink {
  begin(kind: number): void;
  u8(value: number): void;
  u16(value: number): void;
  u32(value: number): void;
  text(value: string): void;
  bytes(value: Uint8Array): void;
  end(): void;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the fields of one frame's payload in order. Byte fields are views into the frame, not copies. The payload itself
 * is a part of the bytes that it came in: a view of its own for each frame would cost more than its fields.
 */
export class FieldReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  /** The payload is in `bytes` from `at` to `end`. */
  constructor(bytes: Buffer, at = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  u8(): number {
    const at = this.#take(1);
    return this.#bytes.readUInt8(at);
  }

  u16(): number {
    const at = this.#take(2);
    return this.#bytes.readUInt16LE(at);
  }

  u32(): number {
    const at = this.#take(4);
    return this.#bytes.readUInt32LE(at);
  }

  /** Length-prefixed bytes. */
  bytes(): Buffer {
    const length = this.u32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Length-prefixed UTF-8; ill-formed UTF-8 is an error. */
  text(): string {
    const length = this.u32();
    const at = this.#take(length);
    // Short ASCII is by far the most common and does not need the strict decoder.
    if (isShortAscii(this.#bytes, at, at + length)) return this.#bytes.toString("latin1", at, at + length);
    try {
      return decoder.decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw new FrameError("a text field is not UTF-8");
    }
  }

  /** Everything that is left. */
  rest(): Buffer {
    const at = this.#take(this.#end - this.#at);
    return this.#bytes.subarray(at, this.#end);
  }

  /** Call when all fields are read: bytes left over are an error. */
  end(): void {
    if (this.#at !== this.#end) throw new FrameError(`${this.#end - this.#at} bytes too many in a frame`);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw new FrameError("a field reaches past the end of its frame");
    this.#at = at + length;
    return at;
  }
}

const SHORT_BYTES = 256;

function isShortAscii(bytes: Buffer, from: number, to: number): boolean {
  if (to - from > SHORT_BYTES) return false;
  for (let at = from; at < to; at++) if ((bytes[at] as number) > 0x7f) return false;
  return true;
}
