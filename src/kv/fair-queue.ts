/**
 * Operations that wait for a batch. Each caller has a lane of its own and the lanes take turns, so that
 * whoever asks for little waits for one turn of each other caller and not for all that they ask for.
 *
 * Refuses what is beyond its bounds with `store-unavailable`: a store that cannot follow is reported at
 * once, and not when the time of all who wait is over.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";
import { Entry } from "./entry.ts";
import type { Operation } from "./operation.ts";

/** Bounds of batches and of what waits for them; defaults in contract/limits.ts. */
export interface BatchLimits {
  /** Values in one batch. */
  readonly batchOperations: number;
  /** Bytes of keys and values in one batch. What is larger by itself goes alone. */
  readonly batchBytes: number;
  /** Operations of one caller that wait. */
  readonly queueOperations: number;
  /** Bytes of one caller's operations that wait. */
  readonly queueBytes: number;
  /** Bytes of all operations that wait. */
  readonly queueTotalBytes: number;
}

interface Lane<Result> {
  readonly caller: string;
  readonly operations: Operation<Result>[];
  bytes: number;
}

/**
 * Where several callers wait, none fills more of a batch than a part of it: a batch is answered as a whole, and a small
 * one sooner.
 */
const CALLERS_PART = 4;

/** Where operations wait. */
export class FairQueue<Result> {
  readonly #limits: BatchLimits;
  readonly #lanes = new Map<string, Lane<Result>>();
  /** Lanes with operations, the next one's turn first. */
  #turns: Lane<Result>[] = [];
  #bytes = 0;
  #operations = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#turns.length === 0;
  }

  /** Do as many operations wait as one batch has room for? */
  get holdsFullBatch(): boolean {
    return this.#operations >= this.#limits.batchOperations || this.#bytes >= this.#limits.batchBytes;
  }

  /** @throws HostError `store-unavailable` if there is no room. */
  add(operation: Operation<Result>): void {
    const lane = this.#lanes.get(operation.caller) ?? { caller: operation.caller, operations: [], bytes: 0 };
    this.#requireRoom(lane, operation.bytes);
    if (lane.operations.length === 0) {
      this.#lanes.set(lane.caller, lane);
      this.#turns.push(lane);
    }
    lane.operations.push(operation);
    lane.bytes += operation.bytes;
    this.#bytes += operation.bytes;
    this.#operations += 1;
  }

  /** Takes an operation out that nobody waits for any more, if it is still here. */
  remove(operation: Operation<Result>): void {
    const lane = this.#lanes.get(operation.caller);
    const at = lane?.operations.indexOf(operation) ?? -1;
    if (lane === undefined || at < 0) return;
    lane.operations.splice(at, 1);
    this.#left(lane, operation);
    if (lane.operations.length === 0) this.#turns = this.#turns.filter((other) => other !== lane);
  }

  /** The next batch: one operation of each lane in turn, until it is full or there are no more that fit. */
  takeBatch(): Entry<Result>[] {
    const { batchOperations } = this.#limits;
    const entries = new Map<string, Entry<Result>>();
    const passed: Lane<Result>[] = [];
    const served: Lane<Result>[] = [];
    const turnsEach = this.#turns.length > 1 ? Math.ceil(batchOperations / CALLERS_PART) : Number.POSITIVE_INFINITY;
    const turns = new Map<Lane<Result>, number>();
    let bytes = 0;
    while (entries.size < batchOperations) {
      const lane = this.#turns.shift();
      const operation = lane?.operations[0];
      if (lane === undefined || operation === undefined) break;
      if (!operation.isWaitedFor) {
        this.#drop(lane, operation);
        continue;
      }
      const turn = (turns.get(lane) ?? 0) + 1;
      if (turn > turnsEach) {
        served.push(lane);
        continue;
      }
      turns.set(lane, turn);
      const entry = entries.get(operation.id);
      const added = Math.max(0, operation.bytes - (entry?.bytes ?? 0));
      if (entries.size > 0 && bytes + added > this.#limits.batchBytes) {
        // It keeps its place, so that it is the first of the next batch.
        passed.push(lane);
        continue;
      }
      bytes += added;
      if (entry === undefined) entries.set(operation.id, new Entry(operation));
      else entry.join(operation);
      lane.operations.shift();
      this.#left(lane, operation);
      if (lane.operations.length > 0) this.#turns.push(lane);
    }
    this.#turns = [...passed, ...this.#turns, ...served];
    return [...entries.values()];
  }

  /** Nobody wants it any more: it leaves a lane whose turn it is, which goes on with its next one. */
  #drop(lane: Lane<Result>, operation: Operation<Result>): void {
    lane.operations.shift();
    this.#left(lane, operation);
    if (lane.operations.length > 0) this.#turns.unshift(lane);
    operation.fail(unwanted());
  }

  #left(lane: Lane<Result>, operation: Operation<Result>): void {
    lane.bytes -= operation.bytes;
    this.#bytes -= operation.bytes;
    this.#operations -= 1;
    if (lane.operations.length === 0) this.#lanes.delete(lane.caller);
  }

  #requireRoom(lane: Lane<Result>, bytes: number): void {
    const { queueOperations, queueBytes, queueTotalBytes } = this.#limits;
    if (lane.operations.length >= queueOperations) throw full(`${queueOperations} operations of this plugin wait`);
    if (lane.bytes + bytes > queueBytes) throw full(`${queueBytes} bytes of this plugin wait`);
    if (this.#bytes + bytes > queueTotalBytes) throw full(`${queueTotalBytes} bytes wait`);
  }
}

/** Of an operation that nothing was sent of. */
export function unwanted(): HostError {
  return new HostError("store-unavailable", "it was no longer wanted when it could be sent");
}

function full(what: string): HostError {
  return new HostError("store-unavailable", `the store does not follow: ${what} for it already`);
}
