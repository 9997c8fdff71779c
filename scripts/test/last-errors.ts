/**
 * What vitest writes to standard error: it is passed on as it comes, and its end is kept. That an error came up before or
 * after all tests, in a global set-up for example, is said nowhere else.
 *
 * @module
 */

import { once } from "node:events";
import type { Readable } from "node:stream";
import { linesOf } from "./failures.ts";

/** More than an error with its stack. */
const KEPT_CHARACTERS = 16_384;
const KEPT_LINES = 12;

export class LastErrors {
  readonly #stream: Readable;
  #tail = "";

  constructor(stream: Readable) {
    this.#stream = stream.setEncoding("utf8").on("data", (text: string) => {
      process.stderr.write(text);
      this.#tail = `${this.#tail}${text}`.slice(-KEPT_CHARACTERS);
    });
  }

  /** Resolves when everything was read, or else after the grace. */
  async ended(graceMs: number): Promise<void> {
    if (this.#stream.readableEnded) return;
    await once(this.#stream, "end", { signal: AbortSignal.timeout(graceMs) }).catch(() => undefined);
  }

  /** The last lines that were written, without the frames of what is not the project's own. */
  lines(): string[] {
    const lines = linesOf(this.#tail).filter((line) => !/node_modules|^[⎯\s]*$/.test(line));
    return lines.slice(-KEPT_LINES);
  }
}
