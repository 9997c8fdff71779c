import { vi } from "vitest";
import { AdmissionGate } from "../../../src/consumer/admission.ts";
import { Consumer, type DrainOutcome } from "../../../src/consumer/consumer.ts";
import { RequestHandler } from "../../../src/consumer/request-handler.ts";
import { bitsFromLevels } from "../../../src/contract/access-levels.ts";
import { DEFAULT_PLUGIN_LIMITS, type PluginLimits } from "../../../src/contract/limits.ts";
import type { Digest, PluginName } from "../../../src/contract/names.ts";
import { ThreadShares } from "../../../src/fairness/thread-shares.ts";
import { createPolicy } from "../../../src/policy/create-policy.ts";
import { decide } from "../../../src/policy/decide.ts";
import type { SlotState } from "../../../src/registry/plugin-slot.ts";
import { PluginVersion } from "../../../src/registry/plugin-version.ts";
import { PluginRunner } from "../../../src/supervisor/process-pool/plugin-runner.ts";
import type { PluginRunnerEvents } from "../../../src/supervisor/process-pool/plugin-runner-events.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { PluginStats } from "../../../src/telemetry/plugin-stats.ts";
import { RecordingHttp } from "../capabilities/recording-http.ts";
import { RecordingStore } from "../capabilities/recording-store.ts";
import { LinkState } from "../../../src/nats/link-state.ts";
import { ReplySender } from "../../../src/nats/reply-sender.ts";
import { SubscriptionSet } from "../../../src/nats/subscription-set.ts";
import { NatsStats } from "../../../src/telemetry/nats-stats.ts";
import { FakeNats } from "./fake-nats.ts";
import { FakeRunner } from "./fake-runner.ts";

export const NAME = "p" as PluginName;

const LEVELS = bitsFromLevels(["key-value-read"]);

const NO_EVENTS: PluginRunnerEvents = {
  started: () => undefined,
  counted: () => undefined,
  stopped: () => undefined,
  ended: () => undefined,
  startFailed: () => undefined,
  restarted: () => undefined,
  circuitOpened: () => undefined,
  circuitClosed: () => undefined,
};

/** A consumer of one plugin, with everything real that is not a process, a server or a store. */
export class Scene {
  readonly nats = new FakeNats();
  readonly link = new LinkState();
  readonly subscriptions: SubscriptionSet;
  readonly replies: ReplySender;
  readonly store = new RecordingStore();
  /** What was logged. */
  readonly records: Record<string, unknown>[] = [];
  /** All that were started, the last one last. */
  readonly runners: FakeRunner[] = [];
  readonly versions: PluginVersion[] = [];
  readonly stats = new PluginStats(NAME);
  readonly admission: AdmissionGate;
  readonly handler: RequestHandler;
  readonly consumer: Consumer;
  readonly #limits: PluginLimits;
  readonly #slot: { name: PluginName; stats: PluginStats; state: SlotState } = {
    name: NAME,
    stats: this.stats,
    state: { kind: "loading" },
  };

  constructor(limits: Partial<PluginLimits> = {}, replicaConcurrency = 1_000) {
    this.#limits = { ...DEFAULT_PLUGIN_LIMITS, ...limits };
    const logger = createLogger({
      level: "debug",
      pretty: false,
      base: { replica: "r", group: "g" },
      destination: { write: (line: string) => this.records.push(JSON.parse(line) as Record<string, unknown>) },
    });
    let ids = 0;
    this.admission = new AdmissionGate(() => replicaConcurrency);
    const failed = (error: unknown): never => {
      throw error;
    };
    const { link, nats: connection } = this;
    const events = {
      refused: failed,
      restored: failed,
      callbackFailed: (_subject: string, error: unknown) => failed(error),
    };
    this.subscriptions = new SubscriptionSet({ connection, link, events });
    const { publish, publishSequence } = connection;
    this.replies = new ReplySender({ connection, publish, publishSequence, stats: new NatsStats(), failed });
    this.handler = new RequestHandler({ logger, newId: () => `made-${(ids += 1)}` });
    this.consumer = new Consumer({
      link: this,
      group: "g",
      handler: this.handler,
      admission: this.admission,
      shares: new ThreadShares(2),
      store: this.store,
      http: new RecordingHttp(),
      logger,
    });
  }

  async caughtUp(): Promise<void> {
    await this.nats.flush();
  }

  /** Subscribes to the plugin. */
  async open(): Promise<void> {
    const subscribed = this.consumer.subscribe([this.#slot]);
    // The server answers in the next turn.
    await vi.advanceTimersByTimeAsync(0);
    await subscribed;
  }

  /** The connection is lost for a while. */
  disconnect(): void {
    if (!this.link.enter("down")) return;
    this.nats.enter("down");
    this.replies.disconnected();
    this.subscriptions.disconnected();
  }

  /** And is back. */
  reconnect(): void {
    if (this.link.state !== "down") return;
    this.nats.enter("up");
    this.replies.reconnected();
    this.link.enter("up");
    this.subscriptions.reconnected();
    this.replies.release();
  }

  /** For good. */
  close(): void {
    this.nats.enter("closed");
    this.link.enter("closed");
    this.replies.close();
  }

  /** A new version serves from now on; the one before lets its requests finish. */
  swap(start: () => Promise<FakeRunner> = async () => new FakeRunner()): PluginVersion {
    const policy = createPolicy({
      plugin: NAME,
      allow: LEVELS,
      buckets: { private: "any", shared: new Map() },
      hosts: [],
      limits: {},
    });
    const startRunner = async (): Promise<FakeRunner> => {
      const runner = await start();
      this.runners.push(runner);
      return runner;
    };
    const version = new PluginVersion({
      name: NAME,
      digest: `${this.versions.length}`.repeat(64) as Digest,
      manifest: {} as PluginVersion["parts"]["manifest"],
      engine: "linker",
      requested: LEVELS,
      signers: [],
      verdict: decide(LEVELS, policy),
      limits: this.#limits,
      runner: new PluginRunner(startRunner, NO_EVENTS),
    });
    const before = this.versions.at(-1);
    this.versions.push(version);
    this.#slot.state = { kind: "loaded", version };
    void before?.retire();
    return version;
  }

  /** No version serves any more. */
  fail(): void {
    this.#slot.state = { kind: "loading" };
    void this.versions.at(-1)?.retire();
  }

  /** Sends a request. False where nobody is subscribed. */
  send(
    id: string,
    given: { timeoutMs?: number; reply?: string | undefined; bytes?: number; method?: string } = {},
  ): boolean {
    const { timeoutMs, bytes = 3, method = "m" } = given;
    return this.nats.deliver({
      subject: `rpc.${NAME}.${method}`,
      reply: "reply" in given ? given.reply : `_INBOX.${id}`,
      headers: { "Rpc-Id": id, ...(timeoutMs !== undefined && { "Rpc-Timeout-Ms": String(timeoutMs) }) },
      data: new Uint8Array(bytes),
    });
  }

  /** Records of requests by the request's id. */
  recordsOf(id: string): readonly Record<string, unknown>[] {
    return this.records.filter((record) => record["msg"] === "request" && record["id"] === id);
  }

  drain(graceMs: number): Promise<DrainOutcome> {
    return this.consumer.drain(graceMs);
  }
}
