/**
 * One caller's operation, from its call until it has a result.
 *
 * Invariants: it settles once, by whichever comes first: its result, its error, the end of its time. Its
 * value is released when it settles, even where it still is in a queue.
 *
 * @module
 */

import { FIXED_LIMITS } from "../contract/limits.ts";
import { HostError } from "../errors/host-error.ts";
import type { Deadline } from "../scheduling/deadline-wheel.ts";
import type { DeadlineTimer } from "../scheduling/deadline-timer.ts";
import { Link } from "../scheduling/ring.ts";
import { addressId } from "./address.ts";
import type { KeyAddress, OperationOptions } from "./store.ts";

export type OperationKind = "read" | "write";

/** What is asked for. */
export interface OperationRequest {
  readonly kind: OperationKind;
  readonly address: KeyAddress;
  /** What a write is to leave there. */
  readonly value?: Uint8Array;
  readonly options: OperationOptions;
}

/** An operation that somebody waits for. It is linked as long as it waits for a batch. */
export class Operation<Result> extends Link {
  readonly kind: OperationKind;
  readonly address: KeyAddress;
  /** See {@link addressId}. */
  readonly id: string;
  /** Callers take turns; see `FairQueue`. */
  readonly caller: string;
  readonly bytes: number;
  readonly result: Promise<Result>;
  /** Milliseconds as `performance.now()` counts them. */
  readonly deadline: number;
  readonly #timer: DeadlineTimer;
  readonly #timeout: Deadline;
  readonly #isWanted: (() => boolean) | undefined;
  #value: Uint8Array | undefined;
  #state: "waiting" | "settled" = "waiting";
  #resolve!: (result: Result) => void;
  #reject!: (error: HostError) => void;
  #sends: (() => number) | undefined;
  #ended: (operation: Operation<Result>) => void;

  /**
   * @param timer tells it when its time is over
   * @param ended called once, when it settles
   */
  constructor(request: OperationRequest, timer: DeadlineTimer, ended: (operation: Operation<Result>) => void) {
    super();
    const { kind, address, value, options } = request;
    const timeoutMs = boundedMs(options);
    this.kind = kind;
    this.address = address;
    this.id = addressId(address);
    this.caller = options.caller ?? ownerOf(address);
    this.bytes = this.id.length + (value?.length ?? 0);
    this.deadline = performance.now() + timeoutMs;
    this.#isWanted = options.isWanted;
    this.#value = value;
    this.#ended = ended;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = timer;
    this.#timeout = timer.add(this.deadline, () => this.fail(outOfTime(kind, timeoutMs, this.#sends?.() ?? 0)));
  }

  /** Has it not settled, and does whoever asked for it still want it to be sent? */
  get isWaitedFor(): boolean {
    return this.#state === "waiting" && (this.#isWanted?.() ?? true);
  }

  /** Is it part of a batch? */
  get hasBegun(): boolean {
    return this.#sends !== undefined;
  }

  /** A write's value; `undefined` for a read, and once it is settled. */
  get value(): Uint8Array | undefined {
    return this.#value;
  }

  /** From now on `sends` tells how often it was sent to the store, which decides what the end of its time means. */
  begin(sends: () => number): void {
    this.#sends = sends;
  }

  succeed(result: Result): void {
    if (this.#settle()) this.#resolve(result);
  }

  fail(error: HostError): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.#state === "settled") return false;
    this.#state = "settled";
    this.#value = undefined;
    this.#timer.cancel(this.#timeout);
    this.#ended(this);
    return true;
  }
}

function ownerOf({ namespace }: KeyAddress): string {
  return namespace.kind === "private" ? namespace.plugin : namespace.name;
}

/** The time an operation has: what it asks for, between 1 ms and the limit of all of them. */
export function boundedMs({ timeoutMs }: OperationOptions): number {
  return Math.max(1, Math.min(Math.floor(timeoutMs), FIXED_LIMITS.storeOperationMs));
}

function outOfTime(kind: OperationKind, timeoutMs: number, sends: number): HostError {
  if (sends === 0)
    return new HostError("store-unavailable", `a ${kind} could not be sent to the store in ${timeoutMs} ms`);
  const code = kind === "read" ? "store-timeout" : "store-outcome-unknown";
  return new HostError(code, `the store did not answer a ${kind} in ${timeoutMs} ms`);
}
