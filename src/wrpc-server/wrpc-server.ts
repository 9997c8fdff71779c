/**
 * Serves plugins over wRPC on TCP: one listener for each plugin that the consumer file lists, and none for any other.
 * Calls go through the same handler as NATS requests. Listeners follow the file while the replica runs.
 *
 * @module
 */

import type { RequestSource } from "../consumer/consumer.ts";
import type { RequestHandler } from "../consumer/request-handler.ts";
import type { ServedPlugin } from "../consumer/served-plugin.ts";
import type { PluginName } from "../contract/names.ts";
import type { ListenAddress, WrpcTcpSettings } from "../contract/wrpc-settings.ts";
import { type HostError, toHostError } from "../errors/host-error.ts";
import type { ThreadShares } from "../fairness/thread-shares.ts";
import { DeadlineTimer } from "../scheduling/deadline-timer.ts";
import type { WrpcOutcome, WrpcStats } from "../telemetry/wrpc-stats.ts";
import { Listener } from "./listener.ts";
import { ServerCertificate } from "./server-certificate.ts";

export interface WrpcServerEvents {
  /** Calls of the plugin are taken at this address from now on. */
  listening(plugin: PluginName, address: string, isEncrypted: boolean): void;
  /** They no longer are. */
  closed(plugin: PluginName, address: string): void;
  /** A listener could not be opened. */
  failed(error: HostError): void;
  /** The files for TLS cannot be used now, so their last content is. */
  certificateKept(error: HostError): void;
  /** A connection has this outcome. */
  ended(plugin: PluginName, outcome: WrpcOutcome, detail: string | undefined): void;
}

export interface WrpcServerOptions {
  /** The plugin, while the replica takes its requests. */
  readonly served: (plugin: PluginName) => ServedPlugin | undefined;
  readonly handler: Pick<RequestHandler, "take" | "refuse">;
  /** When did a call arrive that is read now? */
  readonly arrived: () => number;
  readonly shares: ThreadShares;
  readonly newId: () => string;
  readonly stats: WrpcStats;
  readonly events: WrpcServerEvents;
}

/** A listener, and the setting that it was opened for. */
interface OpenListener {
  readonly setting: string;
  readonly listener: Listener;
}

const OFF: WrpcTcpSettings = { plugins: new Map(), tls: undefined };

export class WrpcServer implements RequestSource {
  readonly #parts: WrpcServerOptions;
  readonly #deadlines = new DeadlineTimer();
  readonly #open = new Map<PluginName, OpenListener>();
  /** Listeners that are not needed any more and whose last calls run. */
  readonly #retired = new Set<Listener>();
  #state: "open" | "stopped" = "open";
  /** The last change of settings; one follows the other. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(parts: WrpcServerOptions) {
    this.#parts = parts;
  }

  /**
   * Applies settings: closes the listeners that they do not have and opens those that are missing. Returns why listeners
   * could not be opened; they are tried again with the next settings. Never rejects.
   */
  follow(settings: WrpcTcpSettings = OFF): Promise<readonly HostError[]> {
    const change = this.#changing.then(() => this.#apply(settings));
    this.#changing = change;
    return change;
  }

  /** Addresses by plugin, as `host:port`. */
  get addresses(): ReadonlyMap<PluginName, string> {
    return new Map(Array.from(this.#open, ([plugin, { listener }]) => [plugin, listener.address]));
  }

  async stop(): Promise<void> {
    this.#state = "stopped";
    await this.#changing;
    for (const { listener } of this.#open.values()) listener.stop("draining");
  }

  async idle(): Promise<void> {
    const open = Array.from(this.#open.values(), ({ listener }) => listener);
    await Promise.all([...open, ...this.#retired].map((listener) => listener.idle()));
  }

  /** Closes all connections and listeners. Idempotent. */
  close(): void {
    this.#state = "stopped";
    for (const plugin of this.#open.keys()) this.#remove(plugin)?.close();
    for (const listener of this.#retired) listener.close();
  }

  async #apply({ plugins, tls }: WrpcTcpSettings): Promise<readonly HostError[]> {
    const settings = new Map(
      Array.from(plugins, ([plugin, address]) => [plugin, JSON.stringify([address, tls])] as const),
    );
    for (const [plugin, { setting }] of this.#open) {
      if (settings.get(plugin) !== setting) this.#retire(plugin);
    }
    const missing = [...plugins].filter(([plugin]) => !this.#open.has(plugin));
    if (missing.length === 0 || this.#state === "stopped") return [];
    const errors: HostError[] = [];
    try {
      const kept = (error: HostError): void => this.#parts.events.certificateKept(error);
      const certificate = tls === undefined ? undefined : new ServerCertificate(tls, kept);
      for (const [plugin, address] of missing) {
        const error = await this.#openListener(plugin, address, certificate, settings.get(plugin) ?? "");
        if (error !== undefined) errors.push(error);
      }
    } catch (error) {
      errors.push(toHostError(error));
    }
    for (const error of errors) this.#parts.events.failed(error);
    return errors;
  }

  async #openListener(
    plugin: PluginName,
    address: ListenAddress,
    certificate: ServerCertificate | undefined,
    setting: string,
  ): Promise<HostError | undefined> {
    const { served, shares, stats, events } = this.#parts;
    try {
      const listener = await Listener.open({
        ...this.#parts,
        plugin,
        address,
        certificate,
        deadlines: this.#deadlines,
        served: () => served(plugin),
        pluginStats: stats.of(plugin),
        charge: (sinceMs) => {
          const nowMs = performance.now();
          shares.of(plugin).spend(nowMs - sinceMs, nowMs);
        },
        ended: (outcome, detail) => events.ended(plugin, outcome, detail),
      });
      if (this.#state === "stopped") {
        listener.close();
        return undefined;
      }
      this.#open.set(plugin, { setting, listener });
      events.listening(plugin, listener.address, certificate !== undefined);
      return undefined;
    } catch (error) {
      return toHostError(error);
    }
  }

  /** Stops listening for a plugin. Its calls that run get their results. */
  #retire(plugin: PluginName): void {
    const listener = this.#remove(plugin);
    if (listener === undefined) return;
    listener.stop("plugin-unavailable");
    this.#retired.add(listener);
    void listener.idle().then(() => {
      listener.close();
      this.#retired.delete(listener);
    });
  }

  #remove(plugin: PluginName): Listener | undefined {
    const open = this.#open.get(plugin);
    if (open === undefined) return undefined;
    this.#open.delete(plugin);
    this.#parts.events.closed(plugin, open.listener.address);
    return open.listener;
  }
}
