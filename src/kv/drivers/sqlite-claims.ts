/**
 * Decides who owns a batch's entries: a waiter may withdraw one until the thread begins it, and the thread begins only entries
 * that were not withdrawn. Both threads see this in shared memory, so "nothing was written" is never reported for an entry
 * that is written later, however long the message or another process's lock takes.
 *
 * @module
 */

import type { OperationKind } from "../operation.ts";

const OPEN = 0;
const BEGUN = 1;
const RECALLED = 2;

/** The claims of one batch of reads and of one of writes, which is how many the thread is given at a time. */
export class Claims {
  /** To be handed to the other thread. */
  readonly memory: SharedArrayBuffer;
  readonly #states: Int32Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#states = new Int32Array(memory);
  }

  /** For batches of a bounded number of entries. */
  static forBatchesOf(entries: number): Claims {
    return new Claims(new SharedArrayBuffer(2 * entries * Int32Array.BYTES_PER_ELEMENT));
  }

  /** Makes an entry of a new batch free for both sides. */
  open(kind: OperationKind, entry: number): void {
    Atomics.store(this.#states, this.#at(kind, entry), OPEN);
  }

  /** Takes it back permanently. @returns whether that was still possible: then it is never begun */
  recall(kind: OperationKind, entry: number): boolean {
    return Atomics.compareExchange(this.#states, this.#at(kind, entry), OPEN, RECALLED) !== BEGUN;
  }

  /** Begins it. @returns false if it was taken back */
  begin(kind: OperationKind, entry: number): boolean {
    return Atomics.compareExchange(this.#states, this.#at(kind, entry), OPEN, BEGUN) !== RECALLED;
  }

  /** Nothing of it was done after all: it may be taken back again. */
  release(kind: OperationKind, entry: number): void {
    Atomics.compareExchange(this.#states, this.#at(kind, entry), BEGUN, OPEN);
  }

  /** Was it taken back? */
  isRecalled(kind: OperationKind, entry: number): boolean {
    return Atomics.load(this.#states, this.#at(kind, entry)) === RECALLED;
  }

  #at(kind: OperationKind, entry: number): number {
    return kind === "read" ? entry : this.#states.length / 2 + entry;
  }
}
