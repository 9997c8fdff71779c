/**
 * The open loop: a request is due every so often, whatever happened to the ones before it. Its latency runs from when it
 * was due, so that a pause of the responder counts for every request that fell into it. Node's timers are a millisecond
 * late at times; `sendLagP99Ms` says how late.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { createInbox, type Msg, type NatsConnection } from "nats";
import type { LoadFigures, LoadSpec } from "../jobs/load-spec.ts";
import { quantile } from "../figures/statistics.ts";
import { createSlotJob, type SlotJob } from "./slot-job.ts";
import { subjectsOf } from "./subjects.ts";

/** A reply that takes longer counts as lost. */
const PATIENCE_MS = 15_000;

interface Slot {
  readonly job: SlotJob;
  readonly inbox: string;
  dueAt: number;
}

/** Sends requests at a fixed rate. Rejects when replies stay away. */
export async function runSteady({ loop, job }: LoadSpec, connection: NatsConnection): Promise<LoadFigures> {
  const { concurrency, ratePerSecond = 0, warmUpMs = 0, measureMs = 0 } = loop;
  const subjects = subjectsOf(loop);
  const prefix = createInbox();
  const slots: readonly Slot[] = Array.from({ length: concurrency }, (_, index) => ({
    job: createSlotJob(job, index, concurrency),
    inbox: `${prefix}.${index}`,
    dueAt: 0,
  }));
  const free = [...slots];
  const latencies: number[] = [];
  const lags: number[] = [];
  const problems: string[] = [];
  const quiet = Promise.withResolvers<void>();
  let sent = 0;
  let total = 0;
  let hasSentAll = false;
  let begin = 0;
  const receive = (reply: Msg): void => {
    const slot = slots[Number(reply.subject.slice(prefix.length + 1))];
    if (slot === undefined) return quiet.reject(new Error(`a reply came to ${reply.subject}`));
    total += 1;
    const problem = slot.job.problemOf(reply);
    if (problem !== undefined) problems.push(problem);
    // A wrong reply must not look like a fast one.
    const latencyMs = problem === undefined ? performance.now() - slot.dueAt : PATIENCE_MS;
    if (slot.dueAt >= begin) latencies.push(latencyMs);
    free.push(slot);
    if (hasSentAll && free.length === slots.length) quiet.resolve();
  };
  connection.subscribe(`${prefix}.*`, {
    callback: (error, reply) => (error === null ? receive(reply) : quiet.reject(error)),
  });
  await connection.flush();

  const cpuStart = process.cpuUsage();
  const start = performance.now();
  begin = start + warmUpMs;
  for (let dueAt = start; dueAt < begin + measureMs; dueAt += 1_000 / ratePerSecond) {
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const slot = free.shift();
    if (slot === undefined) throw new Error("a request was due while all slots had one in flight");
    slot.dueAt = dueAt;
    if (dueAt >= begin) lags.push(performance.now() - dueAt);
    sent += 1;
    connection.publish(subjects[sent % subjects.length] ?? loop.subject, slot.job.next(), { reply: slot.inbox });
  }
  hasSentAll = true;
  if (free.length === slots.length) quiet.resolve();
  const timer = setTimeout(
    () => quiet.reject(new Error(`requests were not answered within ${PATIENCE_MS} ms`)),
    PATIENCE_MS,
  );
  await quiet.promise.finally(() => clearTimeout(timer));

  const { user, system } = process.cpuUsage(cpuStart);
  const sorted = Float64Array.from(latencies).sort();
  const [firstError] = problems;
  return {
    requests: sorted.length,
    seconds: measureMs / 1_000,
    totalRequests: total,
    totalSeconds: (performance.now() - start) / 1_000,
    cpuSeconds: (user + system) / 1e6,
    latencyMs: {
      p50: quantile(sorted, 0.5),
      p90: quantile(sorted, 0.9),
      p99: quantile(sorted, 0.99),
      p999: quantile(sorted, 0.999),
      max: quantile(sorted, 1),
    },
    sendLagP99Ms: quantile(Float64Array.from(lags).sort(), 0.99),
    errors: problems.length,
    ...(firstError !== undefined && { firstError }),
  };
}
