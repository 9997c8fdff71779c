/**
 * Callers of the hostile plugin: requests kept in flight until they are told to stop, whatever comes back. A caller
 * that is told when to try again waits until then.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { headers as createHeaders, type Msg, type NatsConnection } from "nats";

/** What is sent. */
export interface AttackPlan {
  readonly subject: string;
  readonly payload: string;
  readonly concurrency: number;
  readonly timeoutMs?: number;
}

/** Replies by their error code, or `ok`. */
export type AttackReplies = Readonly<Record<string, number>>;

/** Active callers. */
export interface RunningAttack {
  /** Sends nothing more and waits for what is in flight. */
  stop(): Promise<AttackReplies>;
}

/** A reply that takes longer is one that never comes. */
const PATIENCE_MS = 20_000;

export function startAttack(connection: NatsConnection, plan: AttackPlan): RunningAttack {
  const replies = new Map<string, number>();
  const stopping = new AbortController();
  const headers = createHeaders();
  if (plan.timeoutMs !== undefined) headers.set("Rpc-Timeout-Ms", String(plan.timeoutMs));
  const call = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const reply = await connection.request(plan.subject, plan.payload, { timeout: PATIENCE_MS, headers });
      const code = reply.headers?.get("Rpc-Error") || "ok";
      replies.set(code, (replies.get(code) ?? 0) + 1);
      await pause(reply, stopping.signal);
    }
  };
  const callers = Promise.all(Array.from({ length: plan.concurrency }, call));
  // It is awaited when it is stopped, which may be after a caller has failed.
  callers.catch(() => undefined);
  return {
    async stop() {
      stopping.abort();
      await callers;
      return Object.fromEntries(replies);
    },
  };
}

async function pause(reply: Msg, signal: AbortSignal): Promise<void> {
  const waitMs = Number(reply.headers?.get("Retry-After-Ms") || 0);
  if (waitMs === 0) return;
  // Told to stop, it does not wait.
  await delay(waitMs, undefined, { signal }).catch(() => undefined);
}
