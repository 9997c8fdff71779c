/**
 * What a replica logs about its plugins: loads, swaps, restarts, refusals. One line for each event, with what the operator
 * can do where something is wrong.
 *
 * @module
 */

import { shortDigest } from "./contract/digest.ts";
import { levelsFromBits } from "./contract/access-levels.ts";
import { describeDenial } from "./policy/decide.ts";
import type { StoreState } from "./kv/store-watch.ts";
import type { CacheEvents } from "./registry/artifact-cache.ts";
import { componentName, type LoadEvents, type PluginSpec } from "./registry/plugin-loader.ts";
import type { PluginSlot, ReloadOutcome } from "./registry/plugin-slot.ts";
import type { PluginVersion } from "./registry/plugin-version.ts";
import type { RegistryEvents } from "./registry/registry.ts";
import type { Confinement } from "./supervisor/sandbox/confinement.ts";
import type { Logger } from "./telemetry/logger.ts";
import { printableText } from "./telemetry/plugin-text.ts";

/** The most plugins that one line names; each had a line of its own when it was loaded. */
const NAMED_PLUGINS = 64;

export class AppLog {
  readonly #logger: Logger;
  readonly #policyDir: string;
  #isStoreDown = false;

  constructor(logger: Logger, policyDir: string) {
    this.#logger = logger;
    this.#policyDir = policyDir;
  }

  loadEvents(): LoadEvents {
    const logger = this.#logger;
    return {
      compiled: (plugin, digest, durationMs) =>
        logger.info({ plugin, digest: shortDigest(digest), ms: Math.round(durationMs) }, "component compiled"),
      artifactCorrupt: (plugin, digest, reason) =>
        logger.error(
          { plugin, digest: shortDigest(digest), detail: reason },
          "ALARM: a cached artifact is not what was stored; it is built again. Who can write to the cache folder?",
        ),
      runner: (plugin, digest) => ({
        started: (reason, durationMs) => {
          const level = reason === "load" ? "debug" : "info";
          logger[level]({ plugin, digest: shortDigest(digest), reason, ms: Math.round(durationMs) }, "runner started");
        },
        // A number for the metrics; each cause of a change has its own line.
        counted: () => undefined,
        stopped: (reason) => logger.info({ plugin, digest: shortDigest(digest), reason }, "runner stopped"),
        ended: (exit, delayMs) => {
          // A process that runs untrusted code wrote these.
          const [detail, stderr] = [exit.reason, exit.stderr].map(printableText);
          logger.warn({ plugin, digest: shortDigest(digest), detail, stderr, delayMs }, "the plugin's runner ended");
        },
        startFailed: (error, delayMs) =>
          logger.error(
            { plugin, digest: shortDigest(digest), err: error, delayMs },
            "the plugin's runner cannot be started",
          ),
        circuitOpened: (failures, delayMs) =>
          logger.error(
            { plugin, digest: shortDigest(digest), failures, delayMs },
            "circuit open: the plugin's runner keeps ending; its requests are refused until a trial succeeds",
          ),
        circuitClosed: () =>
          logger.info({ plugin, digest: shortDigest(digest) }, "circuit closed: the runner survived a trial"),
        restarted: () => logger.info({ plugin, digest: shortDigest(digest) }, "the plugin's runner was restarted"),
      }),
    };
  }

  /** Logs the events of the artifact cache. */
  cacheEvents(cacheDir: string): CacheEvents {
    return {
      fellBack: (temporaryDir, reason) =>
        this.#logger.warn(
          { detail: reason, cache: cacheDir, temporaryDir },
          "the cache folder cannot be written: components are compiled into a temporary folder, which this replica removes when it stops",
        ),
      recovered: () => this.#logger.info({ cache: cacheDir }, "the cache folder can be written again"),
      evicted: ({ artifacts, bytes }) =>
        this.#logger.info({ cache: cacheDir, artifacts, bytes }, "compiled components that nobody uses were removed"),
    };
  }

  /** The sandbox of the runners was decided: logs its walls, and those that are missing. */
  confined({ walls, missing }: Confinement): void {
    this.#logger.info({ walls, missing }, "runners are sandboxed");
    const user = missing.find(({ wall }) => wall === "unprivileged-user");
    if (user !== undefined && process.getuid?.() === 0) {
      this.#logger.warn({ detail: user.reason }, "the host is root, and so are its runners");
    }
  }

  /** A JetStream stream captures requests of this replica's plugins, and answers them. */
  streamAnswers(stream: string, subjects: readonly string[]): void {
    this.#logger.warn(
      { stream, subjects },
      "a JetStream stream answers requests with its own acknowledgement, before the plugin does; take the subjects out of it, or set no_ack",
    );
  }

  /** Logs when the store can no longer do what plugins may do, and when it can again. */
  storeChanged(store: string, state: StoreState): void {
    if (state.kind === "down") {
      this.#isStoreDown = true;
      this.#logger.warn({ store, detail: state.reason }, "the store cannot do what the plugins may do");
    } else if (this.#isStoreDown) {
      this.#isStoreDown = false;
      this.#logger.info({ store }, "the store can do what the plugins may do again");
    }
  }

  /** A narrowing took something away from a plugin. */
  narrowed(slot: PluginSlot, taken: readonly string[], sinceMs: number): void {
    this.#logger.info(
      { plugin: slot.name, policy: slot.spec.policy.revision, taken, ms: Math.round(sinceMs) },
      "permissions were narrowed, for calls in flight too",
    );
  }

  registryEvents(): Pick<RegistryEvents, "loaded" | "planFailed"> {
    return {
      loaded: (spec, outcome, durationMs, retryMs) => this.#loaded(spec, outcome, Math.round(durationMs), retryMs),
      planFailed: (error) => this.#logger.error({ err: error }, "the configuration cannot be read; nothing changes"),
    };
  }

  /** Logs that the replica takes requests, and the state of its plugins. */
  ready(slots: Iterable<PluginSlot>, server: string): void {
    const all = [...slots];
    const plugins = all.slice(0, NAMED_PLUGINS).map((slot) => `${slot.name}: ${describeSlot(slot)}`);
    const unnamed = all.length - plugins.length;
    this.#logger.info({ server, plugins, ...(unnamed > 0 && { andMore: unnamed }) }, "ready");
  }

  #loaded(spec: PluginSpec, outcome: ReloadOutcome, ms: number, retryMs: number | undefined): void {
    const plugin = spec.name;
    const retry = retryMs !== undefined && { retryMs };
    switch (outcome.kind) {
      case "unchanged":
        return;
      case "replaced":
        this.#replaced(outcome.version, ms);
        return;
      case "kept":
        this.#logger.error(
          { plugin, err: outcome.error, component: componentName(spec), ...retry },
          retryMs === undefined
            ? "the new version is refused; the old one goes on serving"
            : "the new version cannot be loaded now and is tried again; the old one goes on serving",
        );
        return;
      case "failed":
        this.#logger.error(
          { plugin, err: outcome.error, component: componentName(spec), ...retry },
          retryMs === undefined
            ? "the plugin can never be loaded; its requests are answered with plugin-unloadable"
            : "the plugin cannot be loaded now and is tried again; its requests are answered with plugin-unavailable",
        );
        return;
    }
  }

  #replaced(version: PluginVersion, ms: number): void {
    const { name: plugin, digest, requested, signers, verdict, engine, manifest } = version.parts;
    const facts = { plugin, digest: shortDigest(digest), requested: levelsFromBits(requested), ms };
    if (verdict.kind === "granted") {
      const unplanned = manifest.link.kind === "refused" && { withoutPlan: manifest.link.reason };
      const signed = signers.length > 0 && { signedBy: signers.map(shortDigest) };
      this.#logger.info(
        { ...facts, engine, ...signed, ...unplanned, policy: verdict.grant.policyRevision },
        "plugin loaded",
      );
      return;
    }
    this.#logger.warn(
      { ...facts, policy: verdict.policyRevision, missing: levelsFromBits(verdict.missing) },
      `plugin denied: ${describeDenial(verdict)} Allow it in ${this.#policyDir}/${plugin}.yaml or withdraw the plugin.`,
    );
  }
}

function describeSlot({ state }: PluginSlot): string {
  if (state.kind !== "loaded") return state.kind;
  return `${state.version.authority.now.kind} (${shortDigest(state.version.parts.digest)})`;
}
