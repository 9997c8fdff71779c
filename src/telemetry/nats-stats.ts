/**
 * Counts about a replica's connection to NATS, over all of its plugins.
 *
 * @module
 */

/** What the server refused: to publish, or to subscribe. */
export type RefusedOperation = "publish" | "subscription";

/** The state of a subject that the replica wants to listen on. */
export type SubscriptionStateName = "asked" | "held" | "refused";

/** The present state of the connection, for a scrape. */
export interface NatsView {
  readonly isConnected: boolean;
  /** Do messages arrive, by the last round trip? */
  readonly isDelivering: boolean;
  /** Duration of the last round trip to the server; undefined before the first. */
  readonly roundTripMs: number | undefined;
  /** Subjects by state. */
  subscriptionCounts(): Readonly<Record<SubscriptionStateName, number>>;
  /** Replies that wait for the connection. */
  readonly heldReplies: number;
  readonly heldReplyBytes: number;
}

export class NatsStats {
  /** The connection, once there is one. */
  view: NatsView | undefined;
  #reconnects = 0;
  #slowConsumer = 0;
  #callbackErrors = 0;
  #unconfirmedReplies = 0;
  readonly #permissionErrors = new Map<RefusedOperation, number>();

  /** The connection is back after it was lost. */
  reconnected(): void {
    this.#reconnects += 1;
  }

  /** The server ended the connection without a reason, or said that this replica reads too slowly. */
  slowConsumer(): void {
    this.#slowConsumer += 1;
  }

  /** The host's code threw while it handled a message or an event. */
  callbackFailed(): void {
    this.#callbackErrors += 1;
  }

  /** The connection broke, and it is unknown whether this many replies arrived. */
  unconfirmed(replies: number): void {
    this.#unconfirmedReplies += replies;
  }

  /** The server refused an operation for lack of permission. */
  refused(operation: RefusedOperation): void {
    this.#permissionErrors.set(operation, (this.#permissionErrors.get(operation) ?? 0) + 1);
  }

  get reconnects(): number {
    return this.#reconnects;
  }

  get slowConsumers(): number {
    return this.#slowConsumer;
  }

  get callbackErrors(): number {
    return this.#callbackErrors;
  }

  get unconfirmedReplies(): number {
    return this.#unconfirmedReplies;
  }

  get permissionErrors(): ReadonlyMap<RefusedOperation, number> {
    return this.#permissionErrors;
  }
}
