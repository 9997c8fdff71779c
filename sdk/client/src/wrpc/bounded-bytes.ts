/**
 * Bytes of a peer that come in parts, up to a bound.
 *
 * @module
 */

export class BoundedBytes {
  readonly #maxBytes: number;
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Keeps the part; false where that would be too much. */
  add(part: Uint8Array): boolean {
    if (this.#length + part.length > this.#maxBytes) return false;
    this.#parts.push(part);
    this.#length += part.length;
    return true;
  }

  /** All parts as one. */
  join(): Uint8Array {
    const [only, ...more] = this.#parts;
    if (only !== undefined && more.length === 0) return only;
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
