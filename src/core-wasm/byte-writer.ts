/**
 * Writes the primitives of the WebAssembly binary format (core specification, 5.2 "Values").
 *
 * @module
 */

/** The bytes of an unsigned LEB128 number. */
export function unsignedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

/** The bytes of a signed LEB128 number of 32 bits. */
export function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const low = rest & 0x7f;
    if (rest >> 6 === 0 || rest >> 6 === -1) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

/** Collects bytes. Each method but `finish` returns the writer. */
export class ByteWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  bytes(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return this;
  }

  u8(...values: readonly number[]): this {
    return this.bytes(Uint8Array.from(values));
  }

  /** An unsigned LEB128 number. */
  u32(value: number): this {
    return this.u8(...unsignedLeb(value));
  }

  /** A signed LEB128 number of 32 bits. */
  s32(value: number): this {
    return this.u8(...signedLeb(value));
  }

  name(text: string): this {
    return this.sized(new ByteWriter().bytes(Buffer.from(text, "utf8")));
  }

  /** Another writer's content, preceded by its length. */
  sized(content: ByteWriter): this {
    return this.u32(content.length).append(content);
  }

  append(content: ByteWriter): this {
    for (const part of content.#parts) this.bytes(part);
    return this;
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts, this.#length);
  }
}
