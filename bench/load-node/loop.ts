/**
 * One closed loop: each slot sends its next request when it has its reply.
 *
 * @module
 */

import { createInbox, type Msg, type NatsConnection } from "nats";
import type { LoadFigures, LoadSpec, LoopSpec } from "../jobs/load-spec.ts";
import { quantile } from "../figures/statistics.ts";
import { createSlotJob, type SlotJob } from "./slot-job.ts";
import { subjectsOf } from "./subjects.ts";

/** A reply that takes longer counts as lost. */
const PATIENCE_MS = 15_000;

interface Slot {
  readonly job: SlotJob;
  readonly inbox: string;
  /** Counts its requests: its turn among the subjects. */
  turn: number;
  sentAt: number;
  left: number;
}

/** Runs the loop to its end. Rejects when replies stay away. */
export async function runLoop(spec: LoadSpec, connection: NatsConnection): Promise<LoadFigures> {
  const loop = new Loop(spec, connection);
  await connection.flush();
  const cpuStart = process.cpuUsage();
  const start = performance.now();
  await loop.run();
  const { user, system } = process.cpuUsage(cpuStart);
  return loop.figures((performance.now() - start) / 1_000, (user + system) / 1e6);
}

class Loop {
  readonly #spec: LoopSpec;
  readonly #connection: NatsConnection;
  readonly #subjects: readonly string[];
  readonly #slots: readonly Slot[];
  readonly #over = Promise.withResolvers<void>();
  readonly #latencies: number[] = [];
  #begin = 0;
  #end = 0;
  /** What was measured lies between these two replies: where replies come in waves, whole waves are counted. */
  #lastBefore = 0;
  #lastMeasured = 0;
  #open: number;
  #total = 0;
  #errors = 0;
  #firstError: string | undefined;

  constructor({ loop, job }: LoadSpec, connection: NatsConnection) {
    const { concurrency, requests = 0 } = loop;
    if (requests % concurrency !== 0) throw new RangeError(`${concurrency} slots cannot share ${requests} requests`);
    this.#spec = loop;
    this.#subjects = subjectsOf(loop);
    this.#connection = connection;
    this.#open = concurrency;
    const prefix = createInbox();
    this.#slots = Array.from({ length: concurrency }, (_, index) => ({
      job: createSlotJob(job, index, concurrency),
      inbox: `${prefix}.${index}`,
      turn: index,
      sentAt: 0,
      left: requests / concurrency,
    }));
    connection.subscribe(`${prefix}.*`, {
      callback: (error, reply) => (error === null ? this.#receive(reply) : this.#over.reject(error)),
    });
  }

  async run(): Promise<void> {
    const { warmUpMs = 0, measureMs = 0, requests } = this.#spec;
    this.#lastBefore = performance.now();
    this.#begin = this.#lastBefore + warmUpMs;
    this.#end = this.#begin + measureMs;
    const patienceMs = requests === undefined ? PATIENCE_MS : 4 * PATIENCE_MS;
    const timer = setTimeout(
      () => this.#over.reject(new Error(`requests were not answered within ${patienceMs} ms`)),
      warmUpMs + measureMs + patienceMs,
    );
    for (const slot of this.#slots) this.#send(slot);
    await this.#over.promise.finally(() => clearTimeout(timer));
  }

  figures(totalSeconds: number, cpuSeconds: number): LoadFigures {
    const sorted = Float64Array.from(this.#latencies).sort();
    return {
      requests: sorted.length,
      seconds: (this.#lastMeasured - this.#lastBefore) / 1_000,
      totalRequests: this.#total,
      totalSeconds,
      cpuSeconds,
      latencyMs: {
        p50: quantile(sorted, 0.5),
        p90: quantile(sorted, 0.9),
        p99: quantile(sorted, 0.99),
        p999: quantile(sorted, 0.999),
        max: quantile(sorted, 1),
      },
      errors: this.#errors,
      ...(this.#firstError !== undefined && { firstError: this.#firstError }),
    };
  }

  #send(slot: Slot): void {
    const payload = slot.job.next();
    slot.turn += 1;
    slot.sentAt = performance.now();
    const subject = this.#subjects[slot.turn % this.#subjects.length] ?? this.#spec.subject;
    this.#connection.publish(subject, payload, { reply: slot.inbox });
  }

  #receive(reply: Msg): void {
    const now = performance.now();
    const slot = this.#slots[Number(reply.subject.slice(reply.subject.lastIndexOf(".") + 1))];
    if (slot === undefined) {
      this.#over.reject(new Error(`a reply came to ${reply.subject}`));
      return;
    }
    this.#total += 1;
    const isOver = this.#isOver(slot, now);
    this.#measure(now, now - slot.sentAt);
    const problem = slot.job.problemOf(reply);
    if (problem !== undefined) {
      this.#errors += 1;
      this.#firstError ??= problem;
    }
    if (!isOver) {
      this.#send(slot);
      return;
    }
    this.#open -= 1;
    if (this.#open === 0) this.#over.resolve();
  }

  /** Does a slot that has this reply send no more requests? */
  #isOver(slot: Slot, now: number): boolean {
    if (this.#spec.requests === undefined) return this.#isMeasured(now);
    slot.left -= 1;
    return slot.left === 0;
  }

  /** Is the time over, and is there a reply for each slot, however long that takes? */
  #isMeasured(now: number): boolean {
    return now >= this.#end && this.#latencies.length >= this.#slots.length;
  }

  #measure(now: number, latencyMs: number): void {
    if (this.#spec.requests === undefined) {
      if (now < this.#begin) {
        this.#lastBefore = now;
        return;
      }
      if (this.#isMeasured(now)) return;
    }
    this.#lastMeasured = now;
    this.#latencies.push(latencyMs);
  }
}
