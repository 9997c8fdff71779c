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

/** Reads the fields of one frame's payload in order. Byte fields are views into the frame, not copies. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
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
    const bytes = this.#bytes.subarray(at, at + length);
    if (isAscii(bytes)) return bytes.toString("latin1");
    try {
      return decoder.decode(bytes);
    } catch {
      throw new FrameError("a text field is not UTF-8");
    }
  }

  /** Everything that is left. */
  rest(): Buffer {
    const at = this.#at;
    this.#at = this.#bytes.length;
    return this.#bytes.subarray(at);
  }

  /** Call when all fields are read: bytes left over are an error. */
  end(): void {
    if (this.#at !== this.#bytes.length)
      throw new FrameError(`${this.#bytes.length - this.#at} bytes too many in a frame`);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw new FrameError("a field reaches past the end of its frame");
    this.#at = at + length;
    return at;
  }
}

function isAscii(bytes: Buffer): boolean {
  if (bytes.length > 256) return false;
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 0x7f) return false;
  return true;
}
