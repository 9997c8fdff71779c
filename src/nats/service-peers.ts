/**
 * Other replicas, as service discovery (NATS ADR-32) shows them.
 *
 * @module
 */

import { createInbox, type Msg, type NatsConnection } from "nats";

/** A replica that serves the plugin answers within milliseconds, so silence means that there is none. */
const PATIENCE_MS = 750;

/**
 * Does another replica serve the plugin? A replica that has loaded the plugin names its digest; one that could not load
 * it answers without one, and does not count. False if none answers so in time, or none can be asked. Never rejects.
 */
export async function isServedElsewhere(
  connection: Pick<NatsConnection, "subscribe" | "publish">,
  plugin: string,
  ownId: string,
): Promise<boolean> {
  const answer = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => answer.resolve(false), PATIENCE_MS);
  try {
    const inbox = createInbox();
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error !== null) answer.resolve(false);
        else if (tellsOfAnother(message, ownId)) answer.resolve(true);
      },
    });
    try {
      connection.publish(`$SRV.PING.${plugin}`, "", { reply: inbox });
      return await answer.promise;
    } finally {
      subscription.unsubscribe();
    }
  } catch {
    // The connection is closed, so the question does not matter: no requests come.
    return false;
  } finally {
    clearTimeout(timer);
  }
}

interface Ping {
  readonly id?: unknown;
  readonly metadata?: { readonly digest?: unknown } | null;
}

/** Must not throw: the client calls it. */
function tellsOfAnother(message: Msg, ownId: string): boolean {
  try {
    const ping = message.json<Ping | null>();
    return typeof ping?.id === "string" && ping.id !== ownId && typeof ping.metadata?.digest === "string";
  } catch {
    return false;
  }
}
