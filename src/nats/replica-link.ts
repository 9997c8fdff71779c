/**
 * A replica's connection to NATS and its parts: the subscriptions and their state at the server, the replies that wait
 * while it is down, and the probe of whether it delivers. The parts know nothing of each other; the link passes the
 * client's reports to each.
 *
 * @module
 */

import type { NatsConnection } from "nats";
import type { NatsStats, NatsView, SubscriptionStateName } from "../telemetry/nats-stats.ts";
import { StatusWatch, type PermissionRefusal } from "./status-watch.ts";
import { DeliveryProbe } from "./delivery-probe.ts";
import { LinkState, type LinkStateName, type LinkView } from "./link-state.ts";
import { encodedPublish, sequencePublish } from "./encoded-publish.ts";
import { ReplySender } from "./reply-sender.ts";
import { isServedElsewhere } from "./service-peers.ts";
import { type SubscriptionEvents, SubscriptionSet } from "./subscription-set.ts";

export interface LinkEvents extends Pick<SubscriptionEvents, "refused" | "restored"> {
  disconnected(server: string): void;
  reconnected(server: string): void;
  /** `false`: connected, but neither answers nor messages arrive; `true`: they do again. */
  delivers(isDelivering: boolean): void;
  /** The server refuses replies, with its own message; `undefined` when it accepts them again. */
  repliesRefused(message: string | undefined): void;
  /** The server sent an error, or did something without saying so. */
  warned(message: string): void;
  /** The host's own code threw while it handled a message or an event. */
  callbackFailed(what: string, error: unknown): void;
  /** The connection ended permanently. `error` is set where the host had not closed it. */
  closed(error: Error | undefined): void;
}

export interface ReplicaLinkOptions {
  readonly connection: NatsConnection;
  readonly stats: NatsStats;
  readonly events: LinkEvents;
}

/** How often the probe asks the server, and how long an answer may take. */
const PROBE_INTERVAL_MS = 2_000;
const PROBE_TIMEOUT_MS = 2_000;

export class ReplicaLink implements LinkView, NatsView {
  readonly subscriptions: SubscriptionSet;
  readonly replies: ReplySender;
  readonly #parts: ReplicaLinkOptions;
  readonly #link = new LinkState();
  readonly #probe: DeliveryProbe;
  #roundTripMs: number | undefined;
  #replyRefusal: string | undefined;
  #serverId: string | undefined;
  /** Has the server or the client said why the connection ends? */
  #reason: "none" | "given" = "none";

  constructor(parts: ReplicaLinkOptions) {
    this.#parts = parts;
    const { connection, stats, events } = parts;
    const link = this.#link;
    this.#serverId = connection.info?.server_id;
    this.replies = new ReplySender({
      connection,
      publish: encodedPublish(connection),
      publishSequence: sequencePublish(connection),
      stats,
      failed: (error) => this.#callbackFailed("the end of a reply", error),
    });
    this.subscriptions = new SubscriptionSet({
      connection,
      link,
      events: {
        refused: (subscriptions) => events.refused(subscriptions),
        restored: (subscriptions) => events.restored(subscriptions),
        callbackFailed: (subject, error) => this.#callbackFailed(subject, error),
      },
    });
    this.#probe = new DeliveryProbe({
      connection,
      intervalMs: PROBE_INTERVAL_MS,
      timeoutMs: PROBE_TIMEOUT_MS,
      events: {
        asked: () => this.replies.asked(),
        answered: (roundTripMs) => this.#answered(roundTripMs),
        overdue: () => this.#stalled(),
      },
    });
    this.#watch(connection);
    stats.view = this;
  }

  get state(): LinkStateName {
    return this.#link.state;
  }

  /** When it entered its state, on the clock of `Date.now()`. */
  get sinceMs(): number {
    return this.#link.sinceMs;
  }

  whenNotUp(): Promise<void> {
    return this.#link.whenNotUp();
  }

  /** The server that it is, or was last, connected to. */
  get server(): string {
    return this.#parts.connection.getServer();
  }

  get isConnected(): boolean {
    return this.state === "up" || this.state === "stalled";
  }

  get isDelivering(): boolean {
    return this.state === "up";
  }

  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  get heldReplies(): number {
    return this.replies.heldCount;
  }

  get heldReplyBytes(): number {
    return this.replies.heldBytes;
  }

  subscriptionCounts(): Readonly<Record<SubscriptionStateName, number>> {
    return this.subscriptions.counts();
  }

  /** Does a replica other than `ownId` serve the plugin? Never rejects. */
  isServedElsewhere(plugin: string, ownId: string): Promise<boolean> {
    return isServedElsewhere(this.#parts.connection, plugin, ownId);
  }

  /**
   * Resolves when everything that the server sent before the call has been delivered; rejects where it never will be.
   */
  async caughtUp(): Promise<void> {
    // The server answers a ping after everything that it sent before.
    await this.#parts.connection.flush();
  }

  /**
   * Closes the connection and gives up the replies that are still held. Where the connection carries messages, it first
   * waits until the server has confirmed what was published; `signal` ends every wait.
   */
  async close(signal: AbortSignal): Promise<void> {
    const { connection } = this.#parts;
    this.#probe[Symbol.dispose]();
    this.subscriptions.close();
    this.replies.close();
    using patience = patienceOf(signal);
    if (!connection.isClosed() && this.state === "up") {
      await Promise.race([this.#confirm(), this.whenNotUp(), patience.over]);
    }
    await Promise.race([connection.close(), patience.over]);
    this.#link.enter("closed");
    this.replies.hold();
  }

  /** Resolves when the server has everything that was published, and has reported every refusal. */
  async #confirm(): Promise<void> {
    this.replies.asked();
    try {
      await this.#parts.connection.flush();
      const turn = Promise.withResolvers<void>();
      setImmediate(() => turn.resolve());
      await turn.promise;
      this.replies.answered();
    } catch {
      // Disconnected: `disconnected` counts the unconfirmed replies.
    }
  }

  #watch(connection: NatsConnection): void {
    const { events, stats } = this.#parts;
    const said = (message: string): void => {
      this.#reason = "given";
      events.warned(message);
    };
    new StatusWatch(connection, {
      disconnected: (server) => this.#disconnected(server),
      reconnected: (server) => this.#reconnected(server),
      permissionRefused: (refusal) => this.#permissionRefused(refusal),
      tooManySubscriptions: (message) => this.subscriptions.tooManySubscriptions(message),
      payloadRefused: (message) => {
        this.replies.payloadRefused(message);
        said(message);
      },
      readTooSlowly: (message) => {
        stats.slowConsumer();
        said(message);
      },
      warned: said,
      closed: (error) => {
        this.#link.enter("closed");
        this.#probe[Symbol.dispose]();
        this.subscriptions.close();
        this.replies.hold();
        this.replies.close();
        events.closed(error);
      },
      failed: (error) => this.#callbackFailed("an event of the connection", error),
    }).start();
  }

  /**
   * The client also reports a try to reconnect that fails half-way as a loss, and after a success it reports each of
   * them as restored: only the first change counts.
   */
  #disconnected(server: string): void {
    if (!this.#link.enter("down")) return;
    this.#probe.rest();
    this.replies.disconnected();
    this.subscriptions.disconnected();
    this.#parts.events.disconnected(server);
  }

  #reconnected(server: string): void {
    if (this.state !== "down") return;
    const { connection, events, stats } = this.#parts;
    const serverId = connection.info?.server_id;
    stats.reconnected();
    events.reconnected(server);
    if (this.#reason === "none" && serverId !== undefined && serverId === this.#serverId) {
      stats.slowConsumer();
      events.warned("the server ended the connection without a reason, as it does when its messages are not read");
    }
    this.#serverId = serverId;
    this.#reason = "none";
    this.replies.reconnected();
    this.#link.enter("up");
    this.subscriptions.reconnected();
    this.replies.release();
    this.#noteReplyRefusal();
    this.#probe.resume();
  }

  #permissionRefused(refusal: PermissionRefusal): void {
    this.#parts.stats.refused(refusal.operation);
    if (refusal.operation === "publish") this.replies.permissionRefused(refusal.subject, refusal.message);
    else this.subscriptions.permissionRefused(refusal);
  }

  #answered(roundTripMs: number): void {
    this.#roundTripMs = roundTripMs;
    this.replies.answered();
    this.#noteReplyRefusal();
    if (this.state !== "stalled") return;
    this.#link.enter("up");
    this.replies.release();
    this.#parts.events.delivers(true);
  }

  #stalled(): void {
    if (this.state !== "up" || !this.#link.enter("stalled")) return;
    this.replies.hold();
    this.#parts.events.delivers(false);
  }

  #noteReplyRefusal(): void {
    const { refusal } = this.replies;
    const [isRefused, wasRefused] = [refusal !== undefined, this.#replyRefusal !== undefined];
    this.#replyRefusal = refusal;
    if (isRefused !== wasRefused) this.#parts.events.repliesRefused(refusal);
  }

  #callbackFailed(what: string, error: unknown): void {
    this.#parts.stats.callbackFailed();
    this.#parts.events.callbackFailed(what, error);
  }
}

/** A promise that resolves when `signal` aborts. Dispose of it to remove its listener. */
function patienceOf(signal: AbortSignal): { readonly over: Promise<void> } & Disposable {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => resolve();
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  return { over: promise, [Symbol.dispose]: () => signal.removeEventListener("abort", end) };
}
