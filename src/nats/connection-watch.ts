/**
 * Follows a connection's state: whether it is up now, and what an operator should hear of.
 *
 * @module
 */

import type { NatsConnection } from "nats";

export interface ConnectionEvents {
  disconnected(server: string): void;
  /** The connection is up again and the client has sent its subscriptions anew; the server has not confirmed them yet. */
  reconnected(server: string): void;
  /** The server reported an error, or shuts down soon. */
  warned(message: string): void;
  /** The connection has ended for good; `error` is there where nobody asked for it. */
  closed(error: Error | undefined): void;
}

export class ConnectionWatch {
  #state: "up" | "down" = "up";

  constructor(connection: NatsConnection, events: ConnectionEvents) {
    void this.#follow(connection, events);
    void connection.closed().then((error) => {
      this.#state = "down";
      events.closed(error instanceof Error ? error : undefined);
    });
  }

  get isUp(): boolean {
    return this.#state === "up";
  }

  async #follow(connection: NatsConnection, events: ConnectionEvents): Promise<void> {
    for await (const status of connection.status()) {
      switch (status.type) {
        case "disconnect":
          this.#state = "down";
          events.disconnected(status.server);
          break;
        case "reconnect":
          this.#state = "up";
          events.reconnected(status.server);
          break;
        case "error":
          events.warned(status.error.message);
          break;
        case "ldm":
          events.warned(`the server ${status.server} is shutting down`);
          break;
        case "staleConnection":
          events.warned("the server did not answer pings");
          break;
        case "slowConsumer":
          events.warned(`${status.pending} messages wait in the client`);
          break;
        case "reconnecting":
        case "update":
        case "ping":
        case "forceReconnect":
        case "close":
          break;
      }
    }
  }
}
