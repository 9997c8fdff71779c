/**
 * The embedded store's thread, seen from the host's: it holds the database, so that SQLite's calls block nothing else.
 *
 * Invariants: every entry it is given is settled, also if the thread ends in the midst of it, and then "nothing was
 * written" is said only of what it had not begun; an entry is settled by its own result; the thread keeps the process
 * running only while it opens or closes.
 *
 * @module
 */

import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { HostError, toHostError } from "../../errors/host-error.ts";
import type { Entry } from "../entry.ts";
import type { OperationKind } from "../operation.ts";
import { Claims } from "./sqlite-claims.ts";
import type { DatabaseOptions } from "./sqlite-database.ts";
import {
  type BatchReply,
  namesOf,
  packShared,
  type ThreadData,
  type ThreadReply,
  type ThreadRequest,
  unpack,
} from "./sqlite-messages.ts";

/** The module of the thread, in the source tree and in the build alike. */
const PROGRAM = new URL(`./sqlite-worker${extname(import.meta.url)}`, import.meta.url);

/** Options of {@link SqliteThread.open}. */
export interface ThreadOptions extends DatabaseOptions {
  /** Entries of a batch at most. */
  readonly batchOperations: number;
}

/** A batch as its results are told: to the entry, by what was read. */
export interface ThreadBatch<Result> {
  readonly kind: OperationKind;
  readonly entries: readonly Entry<Result>[];
  readonly timeoutMs: number;
  readonly resultOf: (value: Uint8Array | undefined) => Result;
}

/** What waits for a reply. */
interface Pending {
  take(reply: BatchReply): void;
  /** The thread has ended. */
  lose(reason: string): void;
}

/** One life of the thread. */
export class SqliteThread {
  readonly #worker: Worker;
  readonly #claims: Claims;
  readonly #opening = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #batches = new Map<number, Pending>();
  readonly #pings = new Map<number, PromiseWithResolvers<void>>();
  #state: "running" | "closing" | "ended" = "running";
  #reason = "it stopped";
  #ids = 0;

  private constructor({ path, maxBytes, batchOperations }: ThreadOptions, program: URL) {
    this.#claims = Claims.forBatchesOf(batchOperations);
    this.#worker = new Worker(program, {
      workerData: { path, maxBytes, claims: this.#claims.memory } satisfies ThreadData,
      name: "store",
      env: {},
      argv: [],
      execArgv: [],
      // Its output would mix with the records of the host's log.
      stdout: true,
      stderr: true,
    });
    this.#worker.on("message", (reply: ThreadReply) => this.#take(reply));
    this.#worker.on("messageerror", (error) => this.#abandon(error));
    this.#worker.on("error", (error) => (this.#reason = toHostError(error).message));
    this.#worker.on("exit", () => this.#end());
  }

  /**
   * Starts a thread and opens the database in it.
   *
   * @param program another entry file than the store's own
   * @throws HostError as `openDatabase` does; `store-unavailable` if the thread ends before the database is open.
   */
  static async open(options: ThreadOptions, program: URL = PROGRAM): Promise<SqliteThread> {
    const thread = new SqliteThread(options, program);
    await thread.#opening.promise;
    thread.#worker.unref();
    return thread;
  }

  /** Has the thread ended? */
  get hasEnded(): boolean {
    return this.#state === "ended";
  }

  /** Performs what is still waited for. Settles every entry and never rejects. One batch of each kind at a time. */
  perform<Result>({ kind, entries, timeoutMs, resultOf }: ThreadBatch<Result>): Promise<void> {
    const waited = entries.filter((entry) => entry.isWaitedFor);
    if (waited.length === 0) return Promise.resolve();
    waited.forEach((entry, at) => {
      this.#claims.open(kind, at);
      entry.send(() => this.#claims.recall(kind, at));
    });
    const packed = kind === "write" ? packShared(waited.map(({ value }) => value)) : undefined;
    const id = ++this.#ids;
    const over = Promise.withResolvers<void>();
    this.#batches.set(id, {
      take: ({ from, values, failures, isLast }) => {
        for (const { at, code, message } of failures) waited[at]?.fail(new HostError(code, message));
        // What has failed is settled already.
        unpack(values).forEach((value, index) => waited[from + index]?.succeed(resultOf(value)));
        if (!isLast) return;
        this.#batches.delete(id);
        over.resolve();
      },
      lose: (reason) => {
        waited.forEach((entry, at) => entry.fail(lost(kind, reason, this.#claims.recall(kind, at))));
        over.resolve();
      },
    });
    const names = namesOf(waited.map(({ address }) => address));
    this.#post({ kind, id, timeoutMs, names, ...(packed && { values: packed.values }) }, packed?.transfer);
    return over.promise;
  }

  /** Resolves if the database can be read. Rejects with `store-unavailable`, also if the thread ends before it says so. */
  ping(timeoutMs: number): Promise<void> {
    if (this.hasEnded) return Promise.reject(lost("read", this.#reason, true));
    const id = ++this.#ids;
    const answer = Promise.withResolvers<void>();
    this.#pings.set(id, answer);
    this.#post({ kind: "ping", id, timeoutMs });
    return answer.promise;
  }

  /** Finishes what is in flight, closes the database and ends the thread. Idempotent. */
  async close(): Promise<void> {
    if (this.#state === "running") {
      this.#state = "closing";
      this.#worker.ref();
      this.#post({ kind: "close" });
    }
    await this.#ended.promise;
  }

  /** Ends the thread now, whatever is in flight in it. */
  async destroy(): Promise<void> {
    await this.#worker.terminate();
  }

  #post(request: ThreadRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  #take(reply: ThreadReply): void {
    switch (reply.kind) {
      case "opened":
        return this.#opening.resolve();
      case "refused":
        return this.#opening.reject(new HostError(reply.code, reply.message));
      case "results":
        return this.#batches.get(reply.id)?.take(reply);
      case "pong":
        return this.#answer(reply.id, reply.reason);
    }
  }

  #answer(id: number, reason: string | undefined): void {
    const answer = this.#pings.get(id);
    this.#pings.delete(id);
    if (reason === undefined) answer?.resolve();
    else answer?.reject(new HostError("store-unavailable", reason));
  }

  #abandon(error: Error): void {
    this.#reason = error.message;
    void this.destroy();
  }

  #end(): void {
    this.#state = "ended";
    this.#opening.reject(new HostError("store-unavailable", `the database's thread ended: ${this.#reason}`));
    for (const batch of this.#batches.values()) batch.lose(this.#reason);
    for (const answer of this.#pings.values()) answer.reject(lost("read", this.#reason, true));
    this.#batches.clear();
    this.#pings.clear();
    this.#ended.resolve();
  }
}

function lost(kind: OperationKind, reason: string, isUntouched: boolean): HostError {
  const code = kind === "read" || isUntouched ? "store-unavailable" : "store-outcome-unknown";
  return new HostError(code, `the database's thread ended before it answered a ${kind}: ${reason}`);
}
