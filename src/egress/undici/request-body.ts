/**
 * Passes a request's body to undici, which takes a chunk only when the socket has room for it, and reports what it has taken, so
 * that the writer keeps the socket's pace.
 *
 * @module
 */

import { ExchangeError } from "./failures.ts";

/** Chunks that wait are merged up to this size: a window of single bytes must not cost an object each. */
const MERGED_BYTES = 4 * 1024;

export class RequestBody implements AsyncIterable<Uint8Array> {
  readonly #taken: (bytes: number) => void;
  readonly #chunks: Uint8Array[] = [];
  #state: "open" | "whole" | "closed" = "open";
  #wake: (() => void) | undefined;

  constructor(taken: (bytes: number) => void) {
    this.#taken = taken;
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== "open" || bytes.length === 0) return;
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.length + bytes.length <= MERGED_BYTES)
      this.#chunks[this.#chunks.length - 1] = Buffer.concat([last, bytes]);
    else this.#chunks.push(bytes);
    this.#wake?.();
  }

  /** Nothing more comes. */
  finish(): void {
    if (this.#state === "open") this.#state = "whole";
    this.#wake?.();
  }

  /** The rest is not needed: a reader that waits for it gets an error. Idempotent. */
  close(): void {
    this.#state = "closed";
    this.#chunks.length = 0;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        yield chunk;
        this.#taken(chunk.length);
      } else if (this.#state === "open") {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      } else if (this.#state === "whole") {
        return;
      } else {
        throw new ExchangeError({ code: "connection-terminated" });
      }
    }
  }
}
