/**
 * A small file that is read again at each connect, because others renew it: what it held last counts where it is
 * away, or half written, at that moment. An exception there would end the NATS client's connection permanently.
 *
 * @module
 */

import { closeSync, openSync, readSync } from "node:fs";
import { HostError } from "../errors/host-error.ts";

/** More than any certificate chain or credential has. */
const MAX_FILE_BYTES = 1024 * 1024;

/** What a file is, and what is done with it. */
export interface KeptFileOptions<T> {
  /** What messages call it: `the NATS credentials file`. */
  readonly what: string;
  readonly paths: readonly string[];
  /** Makes of the files' contents what is used of them. What it throws is told, so its message must quote none of them. */
  readonly parse: (contents: readonly string[]) => T;
  /** The files cannot be used as they are now; what they held last is. Told once for each reason. */
  readonly warn: (error: HostError) => void;
}

export class KeptFile<T> {
  readonly #parts: KeptFileOptions<T>;
  #last: T;
  #warned: string | undefined;

  /** Reads the files. Throws `usage-invalid` where they cannot be used. */
  constructor(parts: KeptFileOptions<T>) {
    this.#parts = parts;
    this.#last = this.#read();
  }

  /** What the files hold now, or else what they held last. Never throws. */
  current(): T {
    try {
      this.#last = this.#read();
      this.#warned = undefined;
    } catch (error) {
      const fault = error instanceof HostError ? error : this.#unusable(error);
      if (this.#warned !== fault.message) this.#parts.warn(fault);
      this.#warned = fault.message;
    }
    return this.#last;
  }

  #read(): T {
    try {
      return this.#parts.parse(this.#parts.paths.map(readBounded));
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  #unusable(error: unknown): HostError {
    const { what, paths } = this.#parts;
    const why = error instanceof Error ? error.message : "it holds something else";
    return new HostError("usage-invalid", `${what} ${paths.join(", ")} cannot be used: ${why}`, { cause: error });
  }
}

/** The text of a file that may be a pipe, and that is refused where it is not a small one. */
export function readBounded(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length > MAX_FILE_BYTES) throw new RangeError(`it has more than ${MAX_FILE_BYTES} bytes`);
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(file);
  }
}
