/**
 * Whether the store takes what the replica's plugins may do: found out by reading and writing, since a store that
 * answers may still refuse both (no right, a validator, a full disk, no majority).
 *
 * A look reads, if a plugin may read. If one may write, it goes by the newest sign: a write of a plugin that succeeded,
 * or else the outcome of a write to a value of the host's own, which no plugin can name, once in a while. A plugin's
 * write that failed is not a sign: it may have been too large, or have had no time.
 *
 * A look never waits for a write longer than for a read: until the write has ended, the sign before it counts.
 *
 * @module
 */

import { FIXED_LIMITS } from "../contract/limits.ts";
import type { BucketName } from "../contract/names.ts";
import { toHostError } from "../errors/host-error.ts";
import { HOST_NAMESPACE } from "./data.ts";
import type { KeyAddress, KeyValueStore } from "./store.ts";

/** What plugins may do with the store. */
export interface StoreNeeds {
  readonly read: boolean;
  readonly write: boolean;
}

/** What a look found. `reason` is for the log and for whoever may see readiness: it names no secret. */
export type StoreState = { readonly kind: "up" } | { readonly kind: "down"; readonly reason: string };

/** Options of {@link StoreWatch}. */
export interface StoreWatchOptions {
  readonly store: KeyValueStore;
  /** Asked at each look. */
  needs(): StoreNeeds;
  /** Told of the first state, and of each that differs from the one before. Must not throw. */
  changed(state: StoreState): void;
}

const OWN_ADDRESS: KeyAddress = {
  namespace: { kind: "private", plugin: HOST_NAMESPACE },
  bucket: "health" as BucketName,
  key: "last-write",
};

const LOOK_INTERVAL_MS = FIXED_LIMITS.storeOwnWriteIntervalMs / 2;

const NOT_ASKED = { kind: "down", reason: "it has not answered yet" } as const satisfies StoreState;

export class StoreWatch implements Disposable {
  readonly #options: StoreWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #state: StoreState | undefined;
  #look: Promise<StoreState> | undefined;
  #ownWrite: Promise<void> | undefined;
  /** When the last sign of the store's taking writes or not began to be one, as `performance.now()` counts. */
  #signAt = Number.NEGATIVE_INFINITY;
  /** What the last sign says: why a write failed, or that one succeeded. */
  #writeFailure: string | undefined = NOT_ASKED.reason;
  #isClosed = false;

  /** Looks at once, and then again and again until it is disposed of. */
  constructor(options: StoreWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), LOOK_INTERVAL_MS).unref();
    void this.look();
  }

  /** What the last look found. */
  get state(): StoreState {
    return this.#state ?? NOT_ASKED;
  }

  /** Looks now, or joins a look in progress. Settles within a moment and never rejects. */
  look(): Promise<StoreState> {
    this.#look ??= this.#lookNow().finally(() => (this.#look = undefined));
    return this.#look;
  }

  /** The store has taken a write, whoever's it was. */
  noteWritten(): void {
    this.#signAt = performance.now();
    this.#writeFailure = undefined;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #lookNow(): Promise<StoreState> {
    const needs = this.#options.needs();
    const [readFailure, writeFailure] = await Promise.all([
      this.#failureOf(this.#read(needs)),
      needs.write ? this.#lookAtWrites() : undefined,
    ]);
    const reason = readFailure ?? writeFailure;
    const state: StoreState = reason === undefined ? { kind: "up" } : { kind: "down", reason };
    this.#become(state);
    return state;
  }

  async #read({ read }: StoreNeeds): Promise<void> {
    const options = { timeoutMs: FIXED_LIMITS.storeLookMs };
    if (read) await this.#options.store.get(OWN_ADDRESS, options);
    else await this.#options.store.ping(options);
  }

  async #lookAtWrites(): Promise<string | undefined> {
    if (performance.now() - this.#signAt >= FIXED_LIMITS.storeOwnWriteIntervalMs)
      this.#ownWrite ??= this.#writeOwn().finally(() => (this.#ownWrite = undefined));
    if (this.#ownWrite !== undefined) await settledOrLate(this.#ownWrite, FIXED_LIMITS.storeLookMs);
    return this.#writeFailure;
  }

  /** Never rejects. */
  async #writeOwn(): Promise<void> {
    const beganAt = performance.now();
    // Another value each time: a server that has nothing to change needs no disk and asks no majority.
    const value = Buffer.from(`${new Date().toISOString()} ${process.pid}`);
    const options = { timeoutMs: FIXED_LIMITS.storeOwnWriteMs };
    const failure = await this.#failureOf(this.#options.store.set(OWN_ADDRESS, value, options));
    if (failure === undefined) return this.noteWritten();
    // A plugin's write that succeeded meanwhile is newer.
    if (this.#signAt >= beganAt) return;
    this.#signAt = beganAt;
    this.#writeFailure = failure;
  }

  async #failureOf(operation: Promise<unknown>): Promise<string | undefined> {
    try {
      await operation;
      return undefined;
    } catch (error) {
      const { message } = toHostError(error);
      const trouble = this.#options.store.trouble();
      // The reason stays the same then, whichever step an operation was at when it was given up.
      if (trouble?.kind === "cut-off") return trouble.reason;
      return trouble === undefined ? message : `${message} (${trouble.reason})`;
    }
  }

  #become(state: StoreState): void {
    const before = this.#state;
    this.#state = state;
    if (!this.#isClosed && (before === undefined || !isSame(before, state))) this.#options.changed(state);
  }
}

function isSame(one: StoreState, other: StoreState): boolean {
  return one.kind === "up" ? other.kind === "up" : other.kind === "down" && other.reason === one.reason;
}

/** Resolves when the promise, which never rejects, does, or when the time is over. */
async function settledOrLate(promise: Promise<void>, timeoutMs: number): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(() => over.resolve(), timeoutMs);
  await Promise.race([promise, over.promise]);
  clearTimeout(timer);
}
