/**
 * Fairness of the host's one thread: what each plugin has of it, and when it has to let others go first.
 *
 * Whatever the thread does for a plugin is charged to its share, a token bucket of milliseconds. It fills up at a steady
 * rate and what is saved up is bounded, so a plugin that uses less than that rate never notices it: it is *light*. One that uses more is
 * *heavy*, until it has rested. While a light plugin has been active lately a heavy one gets what its share holds and
 * not more, so that the thread, and the processors behind it, are free when the light one needs them. While there is
 * none, a heavy plugin has all that there is; only its turns are short in any case.
 *
 * @module
 */

import { availableParallelism } from "node:os";
import type { Pace } from "../scheduling/pace.ts";
import { TokenBucket } from "../scheduling/token-bucket.ts";
import { TransferShare } from "./transfer-share.ts";
import { TurnQueue } from "./turn-queue.ts";

/**
 * What one plugin's messages may take of the thread before others have their turn, in milliseconds. Measured against
 * 2 ms: neighbours of a flood have a p99 lower by a quarter to a half, and a lone plugin loses nothing.
 */
const TURN_MS = 0.5;

/**
 * What a heavy plugin's may take while a light one is active: what is done in one turn comes to its runner, the store and
 * NATS as one burst as well. Measured against 0.5 ms: neighbours of a flood have a p99 lower by a third.
 */
const PACED_TURN_MS = 0.1;

/** How fast a share fills up at most: milliseconds a millisecond. */
const MAX_FILL_RATE = 0.3;
/**
 * And for each processor: what the thread does for a plugin keeps its runner, the store and NATS busy four to ten times
 * as long, and where processors are few those are what a neighbour waits for. With twice as much, neighbours had a p99
 * higher by a half.
 */
const FILL_RATE_EACH = 0.04;

/**
 * What a plugin may move to and from the store for each processor, in bytes a millisecond. Measured on two: with twice as
 * much, neighbours of a plugin that writes values of 1 MiB had a p99 higher by a half.
 */
const TRANSFER_RATE_EACH = 5_700;

/** What may be saved up: a burst of so much work makes nobody heavy. */
const MAX_SAVED_MS = 10;

/** What may be owed: one long piece of work is not held against a plugin for longer than this takes to fill up. */
const MAX_OWED_MS = 4 * TURN_MS;

/** A light plugin is reckoned with for so long after it was active. */
const LIGHT_FOR_MS = 100;

/** For what takes longer to begin and to end, processes, it is a neighbour for so long. */
const NEIGHBOUR_FOR_MS = 1_000;

/**
 * What is charged to a plugin beside its turns: what the thread does in the drivers of the store and of HTTP, where nobody
 * can tell whose work it is, and what a process of the plugin does that neighbours notice. In milliseconds, measured
 * with a plugin whose requests come one by one, as those of a heavy one do: together they cost half of it or less.
 */
export const WORK_MS = {
  /** One operation of the store. */
  storeOperation: 0.04,
  /** One event of an outbound exchange: its response, a chunk, its end. */
  httpMessage: 0.1,
  /** The end of an instance by a trap: the next one is half a millisecond of a processor, most of it in the kernel. */
  trap: 0.3,
} as const;

/** The shares of all plugins of a replica. */
export class ThreadShares {
  readonly #byPlugin = new Map<string, ThreadShare>();
  /** How fast each fills up: milliseconds a millisecond. */
  readonly fillRate: number;
  /** And their transfers: bytes a millisecond. */
  readonly transferRate: number;
  /** The light plugin that was active last, and when; and when another one was. */
  #lastShare: ThreadShare | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;
  #otherMs = Number.NEGATIVE_INFINITY;

  /** `processors` is how many this machine has. */
  constructor(processors: number = availableParallelism()) {
    this.fillRate = Math.min(MAX_FILL_RATE, processors * FILL_RATE_EACH);
    this.transferRate = processors * TRANSFER_RATE_EACH;
  }

  /** The share of a plugin; it is the same for all its versions and processes. */
  of(plugin: string): ThreadShare {
    return this.#byPlugin.get(plugin) ?? this.open(plugin);
  }

  /**
   * Opens the share of a plugin, for the owner of the plugin's state: it disposes of the share once the plugin
   * is removed and nothing of it waits. A plugin that comes back has a share as full as a new one's. Until then
   * {@link of} finds it by the plugin's name.
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

  /** Does all that waits for its turn, now. */
  flush(): void {
    for (const { turns } of this.#byPlugin.values()) turns.flush();
  }

  /** A light plugin is active. */
  noteLight(share: ThreadShare, nowMs: number): void {
    if (this.#lastShare !== share) this.#otherMs = this.#lastMs;
    this.#lastShare = share;
    this.#lastMs = nowMs;
  }

  /** Was another light plugin active in the last so many milliseconds? */
  isOtherAtWork(share: ThreadShare, nowMs: number, withinMs: number): boolean {
    const atMs = this.#lastShare === share ? this.#otherMs : this.#lastMs;
    return nowMs - atMs < withinMs;
  }
}

/** The share of one plugin. All times are milliseconds as `performance.now()` counts them. */
export class ThreadShare implements Pace, Disposable {
  /** For work that comes in bursts. */
  readonly turns: TurnQueue = new TurnQueue(this);
  /** For values on their way to and from the store. */
  readonly transfers: TransferShare;
  readonly #shares: ThreadShares;
  readonly #disposed: () => void;
  readonly #saved: TokenBucket;
  #weight: "light" | "heavy" = "light";
  /** Has the plugin moved more than its share, as far as was looked? */
  #owesTransfers = false;

  constructor(shares: ThreadShares, disposed: () => void) {
    this.#shares = shares;
    this.#disposed = disposed;
    this.#saved = new TokenBucket({ capacity: MAX_SAVED_MS, perMs: shares.fillRate, maxOwed: MAX_OWED_MS });
    this.transfers = new TransferShare({
      bytesPerMs: shares.transferRate,
      isShared: () => shares.isOtherAtWork(this, performance.now(), LIGHT_FOR_MS),
      owed: () => {
        this.#owesTransfers = true;
      },
    });
  }

  /** Is a light plugin active beside this one? Then the processors are not all this one's. */
  get isShared(): boolean {
    return this.#shares.isOtherAtWork(this, performance.now(), NEIGHBOUR_FOR_MS);
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

  /** Its plugin is gone. Idempotent. */
  [Symbol.dispose](): void {
    this.#disposed();
  }

  /** Must it do with what it has saved? */
  #isPaced(nowMs: number): boolean {
    return this.#weight === "heavy" && this.#shares.isOtherAtWork(this, nowMs, LIGHT_FOR_MS);
  }

  #isOwed(): boolean {
    this.#owesTransfers &&= this.transfers.isOwed;
    return this.#owesTransfers;
  }

  #fill(nowMs: number): void {
    const savedMs = this.#saved.fill(nowMs);
    // Only one that has rested for long is taken for light again: what is handed out in rests is used up at once.
    if (savedMs >= MAX_SAVED_MS && !this.#isOwed()) this.#weight = "light";
  }
}
