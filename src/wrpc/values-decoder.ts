/**
 * Decodes the parameters or the result of a call from bytes that arrive in chunks. It knows how many bytes it needs at
 * least before it looks at them again, so a peer that sends byte by byte costs little. It keeps what has arrived, at most
 * up to the limit; a length that is only announced costs nothing.
 *
 * @module
 */

import { type ReadFlaw, ValueReader } from "./value-reader.ts";
import type { ValueCodec } from "./value-codec.ts";

/** The state of the bytes so far. */
export type Decoding<Value> =
  /** They are not all there. */
  | { readonly kind: "more" }
  | { readonly kind: "decoded"; readonly value: Value }
  | Exclude<ReadFlaw, { readonly kind: "short" }>;

const MORE = { kind: "more" } as const;

/** The first room for bytes that wait for others. */
const FIRST_ROOM_BYTES = 1_024;

const NOTHING = Buffer.alloc(0);

export class ValuesDecoder<Value> {
  readonly #codec: ValueCodec<Value>;
  readonly #maxBytes: number;
  /** Room for the bytes that have arrived, at most twice as large as they are. */
  #room: Buffer = NOTHING;
  #length = 0;
  /** Fewer bytes than these are certainly not enough. */
  #needBytes: number;

  /** `maxBytes`: the most that the encoded values may have. */
  constructor(codec: ValueCodec<Value>, maxBytes: number) {
    this.#codec = codec;
    this.#maxBytes = maxBytes;
    this.#needBytes = codec.minBytes;
  }

  /** How much memory it keeps. */
  get heldBytes(): number {
    return this.#room.length;
  }

  /** How many more bytes certainly follow. */
  get missingBytes(): number {
    return Math.max(0, this.#needBytes - this.#length);
  }

  /**
   * Takes more bytes. Once it returns something other than `more`, do not call it again. Byte strings of the value may
   * be views of what was passed.
   */
  push(chunk: Uint8Array): Decoding<Value> {
    const length = this.#length + chunk.length;
    if (length > this.#maxBytes) return this.#end({ kind: "too-large", announcedBytes: length });
    // The parameters of most calls arrive together: they are not copied.
    const bytes = this.#length === 0 && length >= this.#needBytes ? chunk : this.#keep(chunk);
    if (length < this.#needBytes) return MORE;
    const reader = new ValueReader(bytes, this.#maxBytes);
    const value = this.#codec.read(reader);
    const { flaw, offset } = reader;
    if (flaw?.kind === "short") {
      this.#needBytes = flaw.needBytes;
      if (this.#length === 0) this.#keep(chunk);
      return MORE;
    }
    if (flaw !== undefined) return this.#end(flaw);
    const extra = length - offset;
    if (extra > 0) return this.#end({ kind: "malformed", problem: `${extra} bytes follow the last value` });
    return this.#end({ kind: "decoded", value });
  }

  #end(decoding: Decoding<Value>): Decoding<Value> {
    this.#room = NOTHING;
    this.#length = 0;
    return decoding;
  }

  /** Copies a chunk behind the others and returns all. */
  #keep(chunk: Uint8Array): Uint8Array {
    const length = this.#length + chunk.length;
    if (length > this.#room.length) {
      const room = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, Math.max(FIRST_ROOM_BYTES, 2 * length)));
      room.set(this.#room.subarray(0, this.#length));
      this.#room = room;
    }
    this.#room.set(chunk, this.#length);
    this.#length = length;
    return this.#room.subarray(0, length);
  }
}
