/**
 * Follows what the NATS client reports about a connection, and turns it into the host's events. A listener's exception
 * goes to `failed`, and the next event is still handled: uncaught, it would end the loop over the client's reports.
 *
 * @module
 */

import { errors, type NatsConnection, type Status } from "nats";
import type { RefusedOperation } from "../telemetry/nats-stats.ts";

/** The server did not permit an operation on a subject. */
export interface PermissionRefusal {
  readonly operation: RefusedOperation;
  readonly subject: string;
  readonly queue: string | undefined;
  /** The server's own words. */
  readonly message: string;
}

export interface ConnectionEvents {
  disconnected(server: string): void;
  /** The connection is up again and the client has sent its subscriptions anew; the server has not confirmed them yet. */
  reconnected(server: string): void;
  permissionRefused(refusal: PermissionRefusal): void;
  /** The server refused a subscription because the connection has too many. It does not say which one. */
  tooManySubscriptions(message: string): void;
  /** A message was larger than the server's `max_payload`. The server ends the connection for that. */
  payloadRefused(message: string): void;
  /** The server, or the client, says that messages are read too slowly. */
  readTooSlowly(message: string): void;
  /** The server reported another error, or that it is shutting down. */
  warned(message: string): void;
  /** The connection has ended permanently. `error` is set where the host had not closed it. */
  closed(error: Error | undefined): void;
  /** A listener for one of the above threw. */
  failed(error: unknown): void;
}

export class StatusWatch {
  readonly #connection: NatsConnection;
  readonly #events: ConnectionEvents;

  constructor(connection: NatsConnection, events: ConnectionEvents) {
    this.#connection = connection;
    this.#events = events;
  }

  /** Reports what happens from now on. */
  start(): void {
    void this.#follow();
    void this.#connection
      .closed()
      .then((error) => this.#guarded(() => this.#events.closed(error instanceof Error ? error : undefined)));
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) this.#guarded(() => this.#tell(status));
  }

  #guarded(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#events.failed(error);
    }
  }

  #tell(status: Status): void {
    switch (status.type) {
      case "disconnect":
        this.#events.disconnected(status.server);
        break;
      case "reconnect":
        this.#events.reconnected(status.server);
        break;
      case "error":
        this.#tellError(status.error);
        break;
      case "ldm":
        this.#events.warned(`the server ${status.server} is shutting down`);
        break;
      case "staleConnection":
        this.#events.warned("the server did not answer pings");
        break;
      case "slowConsumer":
        this.#events.readTooSlowly(`${status.pending} messages wait in the client`);
        break;
      case "reconnecting":
      case "update":
      case "ping":
      case "forceReconnect":
      case "close":
        break;
    }
  }

  #tellError(error: Error): void {
    const { message } = error;
    if (error instanceof errors.PermissionViolationError) {
      const { operation, subject, queue } = error;
      this.#events.permissionRefused({ operation, subject, queue, message });
    } else if (/maximum subscriptions exceeded/i.test(message)) this.#events.tooManySubscriptions(message);
    else if (/maximum payload/i.test(message)) this.#events.payloadRefused(message);
    else if (/slow consumer/i.test(message)) this.#events.readTooSlowly(message);
    else this.#events.warned(message);
  }
}
