/**
 * One plugin without NATS: for the commands with which an author tries a plugin. It is a replica without its connection:
 * the same gate, compiler, sandbox, probe, decision, admission, limits, dispatch and capabilities, put together from the
 * same parts. Only the message and the reply do not leave the process, and the store is in memory unless one is given.
 *
 * @module
 */

import { countLoads } from "./app-counting.ts";
import { AppLog } from "./app-log.ts";
import type { ServeOptions } from "./app-options.ts";
import { openStore } from "./app-store.ts";
import { encodeMessage, LocalReplies, type LocalReply, type LocalRequest } from "./app-workbench-message.ts";
import { AdmissionGate } from "./consumer/admission.ts";
import { NatsRequest } from "./consumer/reply.ts";
import { RequestHandler } from "./consumer/request-handler.ts";
import { newRequestId } from "./consumer/request-id.ts";
import { ServedPlugin } from "./consumer/served-plugin.ts";
import type { AccessLevelBits } from "./contract/access-levels.ts";
import { DEFAULT_REPLICA_LIMITS, type PluginLimits, REPLICA_LIMITS } from "./contract/limits.ts";
import type { PluginName } from "./contract/names.ts";
import type { OutboundHttp } from "./egress/outbound-http.ts";
import { createUndiciHttp } from "./egress/undici/client.ts";
import { HostError } from "./errors/host-error.ts";
import { ThreadShares } from "./fairness/thread-shares.ts";
import type { KeyValueStore } from "./kv/store.ts";
import { denyAll } from "./policy/create-policy.ts";
import { resolveLimits } from "./policy/limits.ts";
import type { Policy } from "./policy/policy.ts";
import { ArtifactCache } from "./registry/artifact-cache.ts";
import { PluginLoader, type PluginLoaderOptions, type PluginSpec } from "./registry/plugin-loader.ts";
import { PluginSlot, type ReloadOutcome, type SlotState } from "./registry/plugin-slot.ts";
import { ReadContents } from "./registry/read-contents.ts";
import { decideConfinement } from "./supervisor/sandbox/confinement.ts";
import type { Logger } from "./telemetry/logger.ts";

export type { LocalReply, LocalRequest } from "./app-workbench-message.ts";

/** A policy, or what makes one of the levels that the component requests. */
export type PolicyChoice = Policy | ((requested: AccessLevelBits) => Policy);

/** What a {@link Workbench} is opened with. */
export interface WorkbenchOptions extends Pick<ServeOptions, "cacheDir" | "engine" | "sandbox" | "runnerUser"> {
  readonly name: PluginName;
  /** Absolute path of the component's file. */
  readonly componentPath: string;
  readonly policy: PolicyChoice;
  /** As a consumer file may set them; the policy's win. */
  readonly limits?: Partial<PluginLimits>;
  /** The workbench does not close it. Absent, values live in memory, as long as the workbench. */
  readonly store?: KeyValueStore;
  /** Absent, requests go to the network. */
  readonly http?: OutboundHttp;
  /** Gets the plugin's lines, a record of each request, and what happens to the plugin's process. */
  readonly logger: Logger;
}

/** Parts that last as long as the workbench. */
interface WorkbenchParts {
  readonly cache: ArtifactCache;
  readonly loader: PluginLoader;
  readonly slot: PluginSlot;
  readonly shares: ThreadShares;
  readonly store: KeyValueStore;
  readonly stack: AsyncDisposableStack;
}

/** A loaded plugin that answers requests. Dispose of it to end its processes. */
export class Workbench implements AsyncDisposable {
  readonly #options: WorkbenchOptions;
  readonly #parts: WorkbenchParts;
  readonly #handler: RequestHandler;
  readonly #replies = new LocalReplies();
  readonly #served: ServedPlugin;

  private constructor(options: WorkbenchOptions, parts: WorkbenchParts) {
    const { logger, http = createUndiciHttp() } = options;
    const { slot, shares, store } = parts;
    this.#options = options;
    this.#parts = parts;
    this.#handler = new RequestHandler({ logger, newId: newRequestId });
    const gate = new AdmissionGate(() => DEFAULT_REPLICA_LIMITS.concurrency).forPlugin();
    this.#served = new ServedPlugin({ slot, gate, turns: shares.of(slot.name).turns, store, http, logger });
  }

  /**
   * Opens the component. {@link state} says whether it was loaded, and what the policy decided.
   *
   * @throws HostError `usage-invalid` for a cache folder that can never be used
   */
  static async open(options: WorkbenchOptions): Promise<Workbench> {
    await using stack = new AsyncDisposableStack();
    const cache = stack.use(await ArtifactCache.open(options.cacheDir));
    const confinement = await decideConfinement({ ...options, cacheDir: cache.directory });
    const shares = new ThreadShares();
    const store = options.store ?? stack.use(await openStore({ kind: "sqlite", path: ":memory:" }, () => undefined));
    let slot: PluginSlot | undefined;
    const events = countLoads(new AppLog(options.logger, "").loadEvents(), () => slot?.stats);
    const contents = new ReadContents();
    const loader = new PluginLoader(cache, events, {
      engine: options.engine,
      confinement,
      shares,
      contents,
      components: FILES_ONLY,
    });
    slot = new PluginSlot(specOf(options, denyAll(options.name)), loader);
    const workbench = new Workbench(options, { cache, loader, slot, shares, store, stack: stack.move() });
    await workbench.reload();
    return workbench;
  }

  /** The version that serves, or why none does. */
  get state(): SlotState {
    return this.#parts.slot.state;
  }

  /** The plugin: its counters, what it used, and why its newest version is refused if an older one serves. */
  get slot(): PluginSlot {
    return this.#parts.slot;
  }

  /** The store that the plugin uses. */
  get store(): KeyValueStore {
    return this.#parts.store;
  }

  /** Loads the component's file again. If the new version cannot serve, the last one continues to. Never rejects. */
  async reload(): Promise<ReloadOutcome> {
    const { slot } = this.#parts;
    slot.confine(specOf(this.#options, await this.#policy()));
    return await slot.reload();
  }

  /** Sends a request and waits for its reply; a refusal is a reply, too. Concurrent requests are as on a replica. */
  async request(request: LocalRequest): Promise<LocalReply> {
    const { subject: inbox, reply } = this.#replies.expect();
    const message = encodeMessage(this.#options.name, request, inbox);
    const { subject } = message;
    const arrivedMs = performance.now();
    this.#served.turns.run(
      () => this.#handler.handle(this.#served, new NatsRequest(message, subject, arrivedMs, this.#replies)),
      arrivedMs,
    );
    return await reply;
  }

  /** Answers open requests with `draining`, and ends everything that it has started. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { loader, shares, slot, stack } = this.#parts;
    loader.giveUp();
    shares.flush();
    this.#handler.abandonAll();
    await slot.close();
    await stack.disposeAsync();
  }

  /** What a component requests is known once it has been asked, without any right. */
  async #policy(): Promise<Policy> {
    const { policy, name } = this.#options;
    if (typeof policy !== "function") return policy;
    const { loader, slot } = this.#parts;
    try {
      const probed = await loader.load(specOf(this.#options, denyAll(name)));
      await probed.close();
      return policy(probed.parts.requested);
    } catch {
      // The slot's own load meets the same error, and reports it. A version that serves keeps what it may do.
      return slot.spec.policy;
    }
  }
}

function noRegistry(): never {
  throw new HostError("usage-invalid", "a workbench runs files: pull the component of a registry first");
}

const FILES_ONLY: PluginLoaderOptions["components"] = {
  obtain: noRegistry,
  isVerified: noRegistry,
  doubt: () => undefined,
  discard: noRegistry,
  recheck: () => undefined,
  giveUp: () => undefined,
  signers: noRegistry,
};

/** A component outside any consumer file, as large as some file could allow. */
function specOf({ name, componentPath, limits = {} }: WorkbenchOptions, policy: Policy): PluginSpec {
  return {
    name,
    componentPath,
    policy,
    limits: resolveLimits(limits, policy.limits),
    compilation: { ...DEFAULT_REPLICA_LIMITS, componentBytes: REPLICA_LIMITS.componentBytes.max },
    version: "0.0.0",
    description: "",
    start: "with-load",
  };
}
