/**
 * One value of a batch, read or written once for all the operations on it that wait at that moment.
 *
 * Operations of one entry are concurrent: none had its result when the last one came. So all reads may have
 * the same answer, and of all writes the last one's value is written and the others are as if it had
 * followed them at once; each is acknowledged by that one write. What nobody waits for any more when the
 * entry is sent was refused as "nothing was written", and is not written.
 *
 * @module
 */

import type { HostError } from "../errors/host-error.ts";
import type { Operation } from "./operation.ts";
import type { KeyAddress } from "./store.ts";

/** What a driver performs and settles. */
export class Entry<Result> {
  readonly id: string;
  readonly address: KeyAddress;
  readonly #operations: Operation<Result>[] = [];
  #bytes = 0;
  #readBytes = 0;
  #sends = 0;
  #sentValue: Uint8Array | undefined;
  #recall: (() => boolean) | undefined;
  #outcome: "open" | "succeeded" | "failed" = "open";

  constructor(first: Operation<Result>) {
    this.id = first.id;
    this.address = first.address;
    this.join(first);
  }

  /** Bytes of its id and of the largest of its values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The same with the value that was read. */
  get movedBytes(): number {
    return this.#bytes + this.#readBytes;
  }

  /** The operations that have its result. */
  get operations(): number {
    return this.#operations.length;
  }

  /** Did the store do it, whether or not somebody still waited? */
  get hasSucceeded(): boolean {
    return this.#outcome === "succeeded";
  }

  /** How often it was sent: 0 means that no server can have seen it. */
  get sends(): number {
    return this.#sends;
  }

  /** Does anybody still wait for it? What nobody waits for is not to be begun. */
  get isWaitedFor(): boolean {
    return this.#operations.some((operation) => operation.isWaitedFor);
  }

  /** When the last one ceases to wait, in milliseconds as `performance.now()` counts them. */
  get deadline(): number {
    return this.#operations.reduce((latest, { deadline }) => Math.max(latest, deadline), 0);
  }

  /** What is to be written. From the first send on it stays the same. */
  get value(): Uint8Array {
    const value = this.#sentValue ?? this.#operations.findLast((operation) => operation.isWaitedFor)?.value;
    return value ?? NOTHING;
  }

  /** Adds an operation on the same value. Only before the entry is sent. */
  join(operation: Operation<Result>): void {
    this.#operations.push(operation);
    this.#bytes = Math.max(this.#bytes, operation.bytes);
    operation.begin(() => this.#sendsAtEndOf(operation));
  }

  /**
   * To be called whenever it leaves for a server, at the latest moment that still allows not to send it.
   *
   * @param recall where it may be left out even then: takes it back when the last one ceases to wait for it, and tells
   * whether it did, so that nothing of it was or will be done
   */
  send(recall?: () => boolean): void {
    this.#sentValue ??= this.value;
    this.#sends += 1;
    this.#recall = recall;
  }

  succeed(result: Result): void {
    if (this.#outcome === "open") this.#outcome = "succeeded";
    if (result instanceof Uint8Array) this.#readBytes = result.length;
    for (const operation of this.#operations) operation.succeed(result);
  }

  fail(error: HostError): void {
    if (this.#outcome === "open") this.#outcome = "failed";
    for (const operation of this.#operations) operation.fail(error);
  }

  /** How often it was sent, as far as it matters to an operation whose time is over. */
  #sendsAtEndOf(operation: Operation<Result>): number {
    if (this.#recall === undefined) return this.#sends;
    const isLast = !this.#operations.some((other) => other !== operation && other.isWaitedFor);
    return isLast && this.#recall() ? 0 : this.#sends;
  }
}

const NOTHING = new Uint8Array(0);
