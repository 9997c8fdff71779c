/**
 * A link to a NATS server as a replica has one, without the replica.
 *
 * @module
 */

import type { NatsConnection } from "nats";
import type { NatsOptions } from "../../../src/nats/connection.ts";
import { connectReplica } from "../../../src/nats/replica-connection.ts";
import { ReplicaLink } from "../../../src/nats/replica-link.ts";
import type { HeldSubscription, SubscriptionPlan } from "../../../src/nats/held-subscription.ts";
import { NatsStats } from "../../../src/telemetry/nats-stats.ts";

/** An event of the link: its name, and what it was about. */
export type Heard = readonly [name: string, ...what: unknown[]];

export interface OpenLink extends AsyncDisposable {
  readonly connection: NatsConnection;
  readonly link: ReplicaLink;
  readonly stats: NatsStats;
  /** What an operator would have read. */
  readonly heard: readonly Heard[];
  /** Files that could not be used at a connect. */
  readonly warnings: readonly string[];
}

const PING_MS = 3_000;
const CLOSE_MS = 1_000;

export async function openLink(
  url: string,
  credentials: NatsOptions["credentials"] = { kind: "none" },
  tls?: NatsOptions["tls"],
): Promise<OpenLink> {
  const warnings: string[] = [];
  const connection = await connectReplica({
    nats: { servers: [url], credentials, ...(tls !== undefined && { tls }) },
    name: "test",
    pingIntervalMs: PING_MS,
    signal: new AbortController().signal,
    failed: () => undefined,
    warned: ({ message }) => warnings.push(message),
  });
  if (connection === undefined) throw new Error("not connected");
  const stats = new NatsStats();
  const heard: Heard[] = [];
  const namesOf = (subscriptions: readonly HeldSubscription[]) => subscriptions.map(({ plan }) => plan.subject).sort();
  const link = new ReplicaLink({
    connection,
    stats,
    events: {
      disconnected: () => heard.push(["disconnected"]),
      reconnected: () => heard.push(["reconnected"]),
      delivers: (isDelivering) => heard.push(["delivers", isDelivering]),
      repliesRefused: (message) => heard.push(["repliesRefused", message]),
      refused: (subscriptions) => heard.push(["refused", ...namesOf(subscriptions)]),
      restored: (subscriptions) => heard.push(["restored", ...namesOf(subscriptions)]),
      warned: (message) => heard.push(["warned", message]),
      callbackFailed: (what, error) => heard.push(["callbackFailed", what, error]),
      closed: (error) => heard.push(["closed", error]),
    },
  });
  return {
    connection,
    link,
    stats,
    heard,
    warnings,
    [Symbol.asyncDispose]: () => link.close(AbortSignal.timeout(CLOSE_MS)),
  };
}

/** Plans for subjects of one queue group that deliver to nobody. */
export function plansOf(subjects: readonly string[], need: SubscriptionPlan["need"] = "required"): SubscriptionPlan[] {
  return subjects.map((subject) => ({ subject, queue: "group", need, deliver: () => undefined }));
}
