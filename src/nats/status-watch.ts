/**
 * Follows what the NATS client reports of a connection, and tells it in the host's words. An event whose listener
 * throws is told to `failed`, and the next one is heard all the same: the client would never say another word.
 *
 * @module
 */

import { errors, type NatsConnection, type Status } from "nats";
import type { RefusedOperation } from "../telemetry/nats-stats.ts";

/** The server did not permit it. */
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
  /** A subscription was refused, since there are too many: the server does not say which one. */
  tooManySubscriptions(message: string): void;
  /** A message had more bytes than the server takes now. The connection ends by that. */
  payloadRefused(message: string): void;
  /** The server, or the client, says that messages are read too slowly. */
  readTooSlowly(message: string): void;
  /** The server reported another error, or shuts down soon. */
  warned(message: string): void;
  /** The connection has ended permanently; `error` is there where nobody asked for it. */
  closed(error: Error | undefined): void;
  /** One of the above threw. */
  failed(error: unknown): void;
}

export class StatusWatch {
  readonly #connection: NatsConnection;
  readonly #events: ConnectionEvents;

  constructor(connection: NatsConnection, events: ConnectionEvents) {
    this.#connection = connection;
    this.#events = events;
  }

  /** Tells what happens from now on. */
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
