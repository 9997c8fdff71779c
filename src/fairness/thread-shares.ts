/**
 * Fairness of the host's one thread: each plugin's share of it, and when a plugin must let others go first.
 *
 * All work of the thread for a plugin is charged to the plugin's share, a token bucket of milliseconds with a steady
 * rate and a bounded level. A plugin that uses less than that rate is *light* and never waits for its share. One that
 * uses more is *heavy* until its bucket is full again. While a light plugin has been active lately, a heavy one gets
 * only what its share holds, so that the thread, and the processors behind it, are free when the light one needs them.
 * Otherwise a heavy plugin gets the whole thread, but still in short turns.
 *
 * @module
 */

import { availableParallelism } from "node:os";
import type { Pace } from "../scheduling/pace.ts";
import { TokenBucket } from "../scheduling/token-bucket.ts";
import { TransferShare } from "./transfer-share.ts";
import { TurnQueue } from "./turn-queue.ts";

/**
 * How long one plugin's messages may use the thread before others have their turn, in milliseconds. Compared with 2 ms,
 * the neighbours of a flood have a p99 lower by a quarter to a half, and a lone plugin loses nothing.
 */
const TURN_MS = 0.5;

/**
 * The same for a heavy plugin's messages while a light one is active: the work of one turn also reaches the runner, the
 * store and NATS as one burst. Compared with 0.5 ms, the neighbours of a flood have a p99 lower by a third.
 */
const PACED_TURN_MS = 0.1;

/** The highest rate of a share: milliseconds per millisecond. */
const MAX_FILL_RATE = 0.3;
/**
 * The rate for each processor. Work of the thread for a plugin keeps the plugin's runner, the store and NATS busy four
 * to ten times as long, and where processors are few, neighbours wait for those. With twice this rate, neighbours had a
 * p99 higher by a half.
 */
const FILL_RATE_EACH = 0.04;

/**
 * The rate of transfers to and from the store for each processor, in bytes per millisecond. Measured on two processors:
 * with twice this rate, the neighbours of a plugin that writes values of 1 MiB had a p99 higher by a half.
 */
const TRANSFER_RATE_EACH = 5_700;

/** The most that a share saves up: a burst of this much work makes no plugin heavy. */
const MAX_SAVED_MS = 10;

/** The largest debt: one long piece of work counts against a plugin no longer than this takes to fill up. */
const MAX_OWED_MS = 4 * TURN_MS;

/** A light plugin counts as active for this long after its last work. */
const LIGHT_FOR_MS = 100;

/** The same for decisions about processes, which take longer to start and end. */
const NEIGHBOUR_FOR_MS = 1_000;

/**
 * What is charged to a plugin besides its turns: work of the thread in the drivers of the store and of HTTP, where its
 * plugin is not known, and work of the plugin's process that neighbours notice. In milliseconds, measured with a plugin
 * whose requests come one by one, as a heavy one's do. In batches they cost half of that or less.
 */
export const WORK_MS = {
  /** One operation of the store. */
  storeOperation: 0.04,
  /** One event of an outbound exchange: its response, a chunk or its end. */
  httpMessage: 0.1,
  /**
   * The end of an instance by a trap: making the next one takes half a millisecond of a processor, mostly in the
   * kernel.
   */
  trap: 0.3,
} as const;

/** The shares of all plugins of a replica. */
export class ThreadShares {
  readonly #byPlugin = new Map<string, ThreadShare>();
  /** The rate of each share: milliseconds per millisecond. */
  readonly fillRate: number;
  /** The rate of each share's transfers: bytes per millisecond. */
  readonly transferRate: number;
  /** The light plugin that was active last, and when; and when another one was last. */
  #lastShare: ThreadShare | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;
  #otherMs = Number.NEGATIVE_INFINITY;

  constructor(processors: number = availableParallelism()) {
    this.fillRate = Math.min(MAX_FILL_RATE, processors * FILL_RATE_EACH);
    this.transferRate = processors * TRANSFER_RATE_EACH;
  }

  /** The share of a plugin: one for all its versions and processes. */
  of(plugin: string): ThreadShare {
    return this.#byPlugin.get(plugin) ?? this.open(plugin);
  }

  /**
   * Opens the share of a plugin, for the owner of the plugin's state: the owner disposes of the share once the plugin
   * is removed and no work of it waits. Until then {@link of} finds the share by the plugin's name. A plugin that comes
   * back gets a new, full share.
   */
  open(plugin: string): ThreadShare {
    const share = new ThreadShare(this, () => {
      if (this.#byPlugin.get(plugin) === share) this.#byPlugin.delete(plugin);
    });
    this.#byPlugin.set(plugin, share);
    return share;
  }

  /** Disposes of the share of a plugin, if there is one. */
  forget(plugin: string): void {
    this.#byPlugin.get(plugin)?.[Symbol.dispose]();
  }

  /** Resolves when no plugin's work waits for its turn. */
  async settled(): Promise<void> {
    await Promise.all([...this.#byPlugin.values()].map(({ turns }) => turns.settled()));
  }

  /** Does all waiting work now. */
  flush(): void {
    for (const { turns } of this.#byPlugin.values()) turns.flush();
  }

  /** A light plugin is active. */
  noteLight(share: ThreadShare, nowMs: number): void {
    if (this.#lastShare !== share) this.#otherMs = this.#lastMs;
    this.#lastShare = share;
    this.#lastMs = nowMs;
  }

  /** Was another light plugin active in the last `withinMs`? */
  isOtherActive(share: ThreadShare, nowMs: number, withinMs: number): boolean {
    const atMs = this.#lastShare === share ? this.#otherMs : this.#lastMs;
    return nowMs - atMs < withinMs;
  }
}

/** The share of one plugin. All times are those of `performance.now()`. */
export class ThreadShare implements Pace, Disposable {
  /** For work that comes in bursts. */
  readonly turns: TurnQueue = new TurnQueue(this);
  /** For values on their way to and from the store. */
  readonly transfers: TransferShare;
  readonly #shares: ThreadShares;
  readonly #disposed: () => void;
  readonly #saved: TokenBucket;
  #weight: "light" | "heavy" = "light";
  /** Had the plugin moved more than its share, at the last check? */
  #owesTransfers = false;

  constructor(shares: ThreadShares, disposed: () => void) {
    this.#shares = shares;
    this.#disposed = disposed;
    this.#saved = new TokenBucket({ capacity: MAX_SAVED_MS, perMs: shares.fillRate, maxOwed: MAX_OWED_MS });
    this.transfers = new TransferShare({
      bytesPerMs: shares.transferRate,
      isShared: () => shares.isOtherActive(this, performance.now(), LIGHT_FOR_MS),
      owed: () => {
        this.#owesTransfers = true;
      },
    });
  }

  /** Is another, light plugin active? Then this one must not use all processors. */
  get isShared(): boolean {
    return this.#shares.isOtherActive(this, performance.now(), NEIGHBOUR_FOR_MS);
  }

  turnMs(nowMs: number): number {
    this.#fill(nowMs);
    if (!this.#isPaced(nowMs)) return TURN_MS;
    return Math.max(0, Math.min(PACED_TURN_MS, this.#saved.level));
  }

  spend(spentMs: number, nowMs: number): void {
    this.#fill(nowMs);
    if (this.#saved.take(spentMs) <= 0 || this.#isOwed()) this.#weight = "heavy";
    if (this.#weight === "light") this.#shares.noteLight(this, nowMs);
  }

  rest(callback: () => void): () => void {
    const nowMs = performance.now();
    this.#fill(nowMs);
    const restMs = this.#isPaced(nowMs) ? this.#saved.msUntil(PACED_TURN_MS) : 0;
    if (restMs === 0) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(callback, restMs);
    return () => clearTimeout(timer);
  }

  /** Removes the share of a removed plugin. Idempotent. */
  [Symbol.dispose](): void {
    this.#disposed();
  }

  /** Is the plugin limited to what its share holds? */
  #isPaced(nowMs: number): boolean {
    return this.#weight === "heavy" && this.#shares.isOtherActive(this, nowMs, LIGHT_FOR_MS);
  }

  #isOwed(): boolean {
    this.#owesTransfers &&= this.transfers.isOwed;
    return this.#owesTransfers;
  }

  #fill(nowMs: number): void {
    const savedMs = this.#saved.fill(nowMs);
    // Only a full bucket makes a plugin light again: a busy plugin uses up at once what it saves during a pause.
    if (savedMs >= MAX_SAVED_MS && !this.#isOwed()) this.#weight = "light";
  }
}
