/**
 * Small files that other programs renew, read again at each connect. Where one is missing or half written at that
 * moment, the last valid content counts: an exception would end the NATS client's connection permanently.
 *
 * @module
 */

import { closeSync, openSync, readSync } from "node:fs";
import { HostError } from "../errors/host-error.ts";

/** Larger than any certificate chain or credential. */
const MAX_FILE_BYTES = 1024 * 1024;

export interface KeptFileOptions<T> {
  /** Its name in messages, for example `the NATS credentials file`. */
  readonly what: string;
  readonly paths: readonly string[];
  /** Parses the files' contents. The message of what it throws is shown, so it must not quote them. */
  readonly parse: (contents: readonly string[]) => T;
  /** The files cannot be used now, so their last valid content is. Called once while the reason stays the same. */
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

  /** The files' content now or, where it cannot be used, the last valid one. Never throws. */
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

/** The text of a file, or of a pipe. Throws where it is larger than `MAX_FILE_BYTES`. */
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
