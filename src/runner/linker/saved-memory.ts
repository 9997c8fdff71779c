/**
 * The first content of a memory, from which the memories of all instances of a component are put back.
 *
 * @module
 */

import type { ChangeMap } from "./change-map.ts";

export interface SavedMemory {
  /** Its size. */
  readonly byteLength: number;
  /** The same memory of another instance; `changes` where its changes are noted. */
  attach(memory: WebAssembly.Memory, changes: ChangeMap | undefined): AttachedMemory;
}

/** A memory of one instance, with the content to which it is put back. */
export interface AttachedMemory {
  readonly memory: WebAssembly.Memory;
  /** Has it exactly the saved content, with nothing after it? */
  equals(): boolean;
  /** It is in the state to which it is put back: what follows may change it. It may have grown by pages of zeroes. */
  begin(): void;
  /** Puts it back; pages that it has grown by become zero. */
  restore(): void;
}
