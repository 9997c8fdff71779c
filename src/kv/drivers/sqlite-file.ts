/**
 * Checks whether the open file is still the one at its path. A process that holds a deleted or replaced file keeps reading and
 * writing without an error, and all of that is lost when the process ends.
 *
 * @module
 */

import { statSync } from "node:fs";
import { HostError } from "../../errors/host-error.ts";

export class DatabaseFile {
  readonly #path: string;
  readonly #identity: string | undefined;

  /** To be made when the file has just been opened. */
  constructor(path: string) {
    this.#path = path;
    this.#identity = identityOf(path);
  }

  /** What happened to it; `undefined` where nothing has. Costs microseconds. */
  get flaw(): HostError | undefined {
    const identity = identityOf(this.#path);
    if (identity === this.#identity) return undefined;
    const what = identity === undefined ? "deleted or moved" : "replaced";
    const message = `the database ${this.#path} was ${what} while it was open; put it back, or restart the replica`;
    return new HostError("store-unavailable", message);
  }
}

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}
