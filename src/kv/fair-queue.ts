/**
 * Operations that wait for a batch. Each caller has a lane of its own and the lanes take turns, round robin, so that
 * whoever asks for little waits for one turn of each other caller and not for all that they ask for.
 *
 * Refuses what is beyond its bounds with `store-unavailable`: a store that cannot follow is reported at
 * once, and not when the time of all who wait is over.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";
import { Ring } from "../scheduling/ring.ts";
import { RoundRobin, RoundRobinMember } from "../scheduling/round-robin.ts";
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

/** What waits of one caller. */
class Lane<Result> extends RoundRobinMember {
  readonly caller: string;
  readonly operations = new Ring<Operation<Result>>();
  /** How many operations there are, and how large they are together. */
  size = 0;
  bytes = 0;

  constructor(caller: string) {
    super();
    this.caller = caller;
  }
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
  /** Lanes with operations. */
  readonly #turns = new RoundRobin<Lane<Result>>();
  #bytes = 0;
  #operations = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#turns.size === 0;
  }

  /** Do as many operations wait as one batch has room for? */
  get holdsFullBatch(): boolean {
    return this.#operations >= this.#limits.batchOperations || this.#bytes >= this.#limits.batchBytes;
  }

  /** @throws HostError `store-unavailable` if there is no room. */
  add(operation: Operation<Result>): void {
    const lane = this.#lanes.get(operation.caller) ?? new Lane<Result>(operation.caller);
    this.#requireRoom(lane, operation.bytes);
    if (lane.size === 0) {
      this.#lanes.set(lane.caller, lane);
      this.#turns.join(lane);
    }
    lane.operations.push(operation);
    lane.size += 1;
    lane.bytes += operation.bytes;
    this.#bytes += operation.bytes;
    this.#operations += 1;
  }

  /** Takes an operation out that nobody waits for any more, if it is still here. */
  remove(operation: Operation<Result>): void {
    const lane = this.#lanes.get(operation.caller);
    if (lane !== undefined && operation.isLinked) this.#take(lane, operation);
  }

  /** The next batch: one operation of each lane in turn, until it is full or there are no more that fit. */
  takeBatch(): Entry<Result>[] {
    const { batchOperations, batchBytes } = this.#limits;
    const entries = new Map<string, Entry<Result>>();
    let bytes = 0;
    this.#turns.beginRound(this.#turns.size > 1 ? Math.ceil(batchOperations / CALLERS_PART) : Number.POSITIVE_INFINITY);
    while (entries.size < batchOperations) {
      const lane = this.#turns.next();
      if (lane === undefined) break;
      const operation = this.#firstWanted(lane);
      if (operation === undefined) continue;
      const entry = entries.get(operation.id);
      const added = Math.max(0, operation.bytes - (entry?.bytes ?? 0));
      if (entries.size > 0 && bytes + added > batchBytes) {
        this.#turns.pass(lane);
        continue;
      }
      bytes += added;
      if (entry === undefined) entries.set(operation.id, new Entry(operation));
      else entry.join(operation);
      this.#take(lane, operation);
    }
    this.#turns.endRound();
    return [...entries.values()];
  }

  /** What nobody wants any more costs no turn. A lane that has nothing else has left when this is over. */
  #firstWanted(lane: Lane<Result>): Operation<Result> | undefined {
    let { first } = lane.operations;
    while (first !== undefined && !first.isWaitedFor) {
      this.#take(lane, first);
      first.fail(unwanted());
      ({ first } = lane.operations);
    }
    return first;
  }

  #take(lane: Lane<Result>, operation: Operation<Result>): void {
    operation.unlink();
    lane.size -= 1;
    lane.bytes -= operation.bytes;
    this.#bytes -= operation.bytes;
    this.#operations -= 1;
    if (lane.size > 0) return;
    this.#lanes.delete(lane.caller);
    this.#turns.leave(lane);
  }

  #requireRoom(lane: Lane<Result>, bytes: number): void {
    const { queueOperations, queueBytes, queueTotalBytes } = this.#limits;
    if (lane.size >= queueOperations) throw full(`${queueOperations} operations of this plugin wait`);
    if (lane.bytes + bytes > queueBytes) throw full(`${queueBytes} bytes of this plugin wait`);
    if (this.#bytes + bytes > queueTotalBytes) throw full(`${queueTotalBytes} bytes wait`);
  }
}

/** Of an operation that nothing was sent of. */
export function unwanted(): HostError {
  return new HostError("store-unavailable", "it was no longer wanted when it could be sent");
}

function full(what: string): HostError {
  return new HostError("store-unavailable", `the store cannot keep up: ${what} for it already`);
}
