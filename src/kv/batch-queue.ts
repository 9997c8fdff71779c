/**
 * Groups operations of one kind into batches. All operations requested in one turn of the event loop are sent together when
 * it ends, so a single operation never waits. Operations that arrive while a batch is in flight wait for it to end and form
 * the next one, so that batches grow with the load. They do not wait long: if a batch takes more than a moment, or the next
 * one is full, the next one is sent in parallel.
 *
 * @module
 */

import { toHostError } from "../errors/host-error.ts";
import type { DeadlineTimer } from "../scheduling/deadline-timer.ts";
import type { Entry } from "./entry.ts";
import { type BatchLimits, FairQueue, unwanted } from "./fair-queue.ts";
import { Operation, type OperationRequest } from "./operation.ts";

/** When batches are sent; the default is in contract/limits.ts. */
export interface BatchPace {
  /** How long an operation waits at most for a batch that is in flight, if others may go beside it. */
  readonly batchWaitMs: number;
}

/** A batch that has ended. */
export interface EndedBatch {
  /** Values of it that the store read or wrote. */
  readonly succeeded: number;
  /** Operations that it answered. */
  readonly operations: number;
  /** Bytes of keys and of values, written or read. */
  readonly bytes: number;
}

/** How batches are executed. */
export interface BatchQueueOptions<Result> {
  readonly limits: BatchLimits & BatchPace;
  readonly parallelBatches: number;
  /** For the times of its operations. */
  readonly timer: DeadlineTimer;
  /** See `BatchDriver`. */
  readonly perform: (entries: readonly Entry<Result>[], timeoutMs: number) => Promise<void>;
  /** Called for each batch that has ended; must not throw. */
  readonly onBatch: (batch: EndedBatch) => void;
}

/** Operations of one kind that wait for the driver. */
export class BatchQueue<Result> {
  readonly #options: BatchQueueOptions<Result>;
  readonly #queue: FairQueue<Result>;
  /** Operations that have not ended. */
  #open = 0;
  #underWay = 0;
  /** Those in flight that the next one still waits for. */
  #awaited = 0;
  #flush: "idle" | "scheduled" = "idle";
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: BatchQueueOptions<Result>) {
    this.#options = options;
    this.#queue = new FairQueue(options.limits);
  }

  submit(request: OperationRequest): Promise<Result> {
    const operation = new Operation<Result>(request, this.#options.timer, (ended) => this.#ended(ended));
    this.#open += 1;
    try {
      this.#queue.add(operation);
      this.#schedule();
    } catch (error) {
      operation.fail(toHostError(error));
    }
    return operation.result;
  }

  /** Resolves when every operation has settled: at the latest when the time of the last one is over. */
  async settled(): Promise<void> {
    if (this.#open === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  #schedule(): void {
    if (this.#flush === "scheduled" || !this.#mayStart()) return;
    this.#flush = "scheduled";
    process.nextTick(() => {
      this.#flush = "idle";
      this.#startBatches();
    });
  }

  #mayStart(): boolean {
    if (this.#queue.isEmpty || this.#underWay >= this.#options.parallelBatches) return false;
    return this.#awaited === 0 || this.#queue.holdsFullBatch;
  }

  #startBatches(): void {
    while (this.#mayStart()) void this.#perform(this.#queue.takeBatch());
  }

  /** Never rejects. */
  async #perform(entries: readonly Entry<Result>[]): Promise<void> {
    this.#underWay += 1;
    const release = this.#letWait();
    try {
      const latest = entries.reduce((deadline, entry) => Math.max(deadline, entry.deadline), 0);
      await this.#options.perform(entries, Math.max(1, Math.ceil(latest - performance.now())));
      // Operations that were no longer wanted were left out.
      for (const entry of entries) if (entry.sends === 0) entry.fail(unwanted());
    } catch (error) {
      // A driver that rejects is broken; no operation waits in vain for it.
      for (const entry of entries) entry.fail(toHostError(error));
    }
    this.#underWay -= 1;
    this.#options.onBatch(endedBatch(entries));
    release();
  }

  /** Delays the next batch until the returned function is called, or for a moment. */
  #letWait(): () => void {
    this.#awaited += 1;
    let state: "awaited" | "over" = "awaited";
    const timer = setTimeout(() => end(), this.#options.limits.batchWaitMs);
    const end = (): void => {
      if (state === "awaited") this.#awaited -= 1;
      state = "over";
      clearTimeout(timer);
      this.#startBatches();
    };
    return end;
  }

  #ended(operation: Operation<Result>): void {
    this.#open -= 1;
    if (!operation.hasBegun) this.#queue.remove(operation);
    if (this.#open > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

function endedBatch(entries: readonly Pick<Entry<never>, "hasSucceeded" | "operations" | "movedBytes">[]): EndedBatch {
  let [succeeded, operations, bytes] = [0, 0, 0];
  for (const entry of entries) {
    if (entry.hasSucceeded) succeeded += 1;
    operations += entry.operations;
    bytes += entry.movedBytes;
  }
  return { succeeded, operations, bytes };
}
