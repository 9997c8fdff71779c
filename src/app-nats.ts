/**
 * What a replica reports about its connection to NATS: in the log, and in its readiness.
 *
 * @module
 */

import { HostError } from "./errors/host-error.ts";
import type { LinkEvents, ReplicaLink } from "./nats/replica-link.ts";
import type { HeldSubscription } from "./nats/held-subscription.ts";
import type { Readiness, ReadinessCheck } from "./telemetry/health-server.ts";
import type { Logger } from "./telemetry/logger.ts";

/** The most subjects that one line, or one answer about readiness, names. */
const NAMED_SUBJECTS = 16;

/** Logs the events of the link. `closed` is called when the connection has ended permanently. */
export function logLink(logger: Logger, closed: (error: HostError) => void): LinkEvents {
  return {
    disconnected: (server) => logger.warn({ server }, "the connection to NATS is lost; reconnecting"),
    reconnected: (server) => logger.info({ server }, "the connection to NATS is back"),
    delivers: (isDelivering) => {
      if (isDelivering) logger.info("the connection to NATS delivers again");
      else logger.warn("the NATS server does not answer; replies are held");
    },
    repliesRefused: (message) => {
      if (message === undefined) logger.info("the NATS server takes replies again");
      else logger.error({ detail: message }, "the NATS server refuses replies; may this account publish on inboxes?");
    },
    refused: (subscriptions) =>
      logger.error(
        { subjects: describeAll(subscriptions), count: subscriptions.length },
        "the NATS server refuses subscriptions; they are asked for again",
      ),
    restored: (subscriptions) =>
      logger.info(
        { subjects: describeAll(subscriptions), count: subscriptions.length },
        "the NATS server holds the subscriptions again",
      ),
    warned: (message) => logger.warn({ detail: message }, "NATS"),
    callbackFailed: (what, error) =>
      logger.error(
        { err: error, detail: what },
        "the host's code failed on a message or event from NATS; this is a bug",
      ),
    closed: (error) => closed(new HostError("nats-unavailable", "the connection to NATS was closed", { cause: error })),
  };
}

/** Can requests reach the replica, and replies leave it? */
export function natsReadiness(
  link: ReplicaLink | undefined,
  life: "running" | "draining",
): Pick<Readiness, "nats" | "subscriptions"> {
  return { nats: connectionCheck(link), subscriptions: subscriptionsCheck(link, life) };
}

function connectionCheck(link: ReplicaLink | undefined): ReadinessCheck {
  if (link === undefined || !link.isConnected) return { ready: false, reason: "not connected" };
  if (!link.isDelivering) return { ready: false, reason: "connected, but the server does not answer" };
  const { refusal } = link.replies;
  return refusal === undefined ? { ready: true } : { ready: false, reason: `replies are refused: ${refusal}` };
}

function subscriptionsCheck(link: ReplicaLink | undefined, life: "running" | "draining"): ReadinessCheck {
  if (life === "draining") return { ready: false, reason: "draining" };
  if (link === undefined) return { ready: false, reason: "not connected" };
  const unheld = link.subscriptions.unheld();
  if (unheld.length > 0) return { ready: false, reason: `not held by the server: ${describeAll(unheld).join("; ")}` };
  const degraded = link.subscriptions.refusedOptions();
  if (degraded.length === 0) return { ready: true };
  return { ready: true, degraded: `not discoverable: ${describeAll(degraded).join("; ")}` };
}

/** The first subjects, each with the reason for its refusal, and how many more there are. */
function describeAll(subscriptions: readonly HeldSubscription[]): string[] {
  const some = subscriptions.slice(0, NAMED_SUBJECTS).map(({ plan, refusal }) => {
    return refusal === undefined ? plan.subject : `${plan.subject} (${refusal})`;
  });
  const unnamed = subscriptions.length - some.length;
  return unnamed > 0 ? [...some, `and ${unnamed} more`] : some;
}
