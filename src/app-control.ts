/**
 * What a replica answers to `network-host status` and `network-host reload`: its state, put together from what its parts
 * know of themselves, and what came of reading its files again.
 *
 * @module
 */

import type { ConfigLog } from "./app-config-log.ts";
import { describeFiles, describePlugin, describeRefusals } from "./app-control-report.ts";
import type { ControlFolder, ServeOptions } from "./app-options.ts";
import type { ReplicaSettings } from "./app-settings.ts";
import type { ReplicaStore } from "./app-store.ts";
import type { ReloadReport, ReplicaIdentity, StatusReport } from "./control/report.ts";
import { type ControlHandlers, type ControlServer, startControlServer } from "./control/server.ts";
import { HostError } from "./errors/host-error.ts";
import type { ReplicaLink } from "./nats/replica-link.ts";
import type { SlotState } from "./registry/plugin-slot.ts";
import type { Registry } from "./registry/registry.ts";
import type { Readiness } from "./telemetry/health-server.ts";
import type { Logger } from "./telemetry/logger.ts";
import { programVersion } from "./version.ts";

/** What of a replica there is at a moment. */
export interface ControlledParts {
  readonly registry: Registry | undefined;
  readonly store: ReplicaStore | undefined;
  readonly link: ReplicaLink | undefined;
}

export interface ReplicaControlOptions {
  readonly options: ServeOptions;
  readonly started: Date;
  readonly settings: ReplicaSettings;
  readonly configLog: ConfigLog;
  readonly logger: Logger;
  parts(): ControlledParts;
  readiness(): Promise<Readiness>;
  /** Aborts when the replica begins to stop. */
  readonly stopping: AbortSignal;
  /** Resolves when the replica takes requests for the first time. */
  readonly ready: Promise<void>;
}

type StateName = StatusReport["state"];

/**
 * Listens for commands. Throws `usage-invalid` for a folder that the operator named and that cannot be used; a replica whose
 * default cannot be used has no socket, and says so.
 */
export async function openControl(
  control: ControlFolder | undefined,
  handlers: ControlHandlers,
  logger: Logger,
): Promise<ControlServer | undefined> {
  if (control === undefined) return undefined;
  try {
    const server = await startControlServer({
      folder: control.folder,
      pid: process.pid,
      handlers,
      failed: (error) => logger.error({ err: error }, "the control socket could not answer"),
    });
    logger.debug({ path: server.path }, "the control socket is listened on");
    return server;
  } catch (error) {
    if (control.chosen === "by-operator") throw error;
    logger.warn(
      { err: error },
      "there is no control socket: `network-host reload` and `status` do not reach this replica",
    );
    return undefined;
  }
}

export class ReplicaControl implements ControlHandlers {
  readonly #of: ReplicaControlOptions;
  #wasReady = false;
  #state: { name: StateName; sinceMs: number };

  constructor(of: ReplicaControlOptions) {
    this.#of = of;
    this.#state = { name: "starting", sinceMs: of.started.getTime() };
    of.ready.then(
      () => {
        this.#wasReady = true;
        this.#enter("ready");
      },
      () => undefined,
    );
    of.stopping.addEventListener("abort", () => this.#enter("draining"), { once: true });
  }

  identify(): ReplicaIdentity {
    const { options, settings, started } = this.#of;
    return {
      id: options.replicaId,
      group: settings.group,
      pid: process.pid,
      version: programVersion(),
      started: started.toISOString(),
    };
  }

  async status(): Promise<StatusReport> {
    const checks = await this.#of.readiness();
    const { registry, store, link } = this.#of.parts();
    const slots = [...(registry?.slots.values() ?? [])];
    this.#enter(this.#nameOf(checks));
    return {
      replica: this.identify(),
      state: this.#state.name,
      since: isoTime(this.#state.sinceMs),
      checks,
      inFlight: slots.reduce((sum, { stats }) => sum + stats.inFlight, 0),
      nats: link === undefined ? null : { server: link.server, state: link.state, since: isoTime(link.sinceMs) },
      store:
        store === undefined
          ? null
          : { kind: store.store.kind, state: store.watch.state.kind, since: isoTime(store.sinceMs) },
      files: this.#files(registry),
      plugins: slots.map(describePlugin),
    };
  }

  async reload(timeoutMs: number): Promise<ReloadReport> {
    const { registry } = this.#of.parts();
    this.#refuseWhileStopping();
    if (registry === undefined || !registry.isPlanned)
      throw new HostError(
        "replica-unreachable",
        "the replica has just been started and reads its files anyway: try again",
      );
    this.#of.logger.info({ reason: "network-host reload" }, "the files are read again");
    const startMs = performance.now();
    const before = new Map([...registry.slots].map(([name, { state }]) => [name, state] as const));
    const reread = registry.reread();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(lateError(registry, timeoutMs)), timeoutMs);
    await Promise.race([reread, late.promise]).finally(() => clearTimeout(timer));
    this.#refuseWhileStopping();
    return this.#report(registry, before, performance.now() - startMs);
  }

  #report(registry: Registry, before: ReadonlyMap<string, SlotState>, durationMs: number): ReloadReport {
    const slots = [...registry.slots.values()];
    const files = this.#files(registry);
    const refused = slots.flatMap(describeRefusals);
    const isGood = registry.lastReload.isGood && files.problems.length === 0;
    return {
      replica: this.identify(),
      inForce: isGood && refused.length === 0 && files.pendingSettings.length === 0,
      read: { policies: this.#of.configLog.last?.paths.length ?? 0, components: slots.length },
      added: slots.filter(({ name }) => !before.has(name)).map(({ name }) => name),
      changed: slots.filter(({ name, state }) => isAnother(before.get(name), state)).map(({ name }) => name),
      removed: [...before.keys()].filter((name) => !slots.some((slot) => slot.name === name)),
      denied: slots.filter(isDenied).map(({ name }) => name),
      refused,
      files,
      durationMs: Math.round(durationMs),
    };
  }

  #files(registry: Registry | undefined): ReturnType<typeof describeFiles> {
    const { options, configLog, settings } = this.#of;
    return describeFiles(options, { config: configLog.last, reload: registry?.lastReload, pending: settings.pending });
  }

  #nameOf(checks: Readiness): StateName {
    if (this.#of.stopping.aborted) return "draining";
    if (!this.#wasReady) return "starting";
    return Object.values(checks).every(({ ready }) => ready) ? "ready" : "not-ready";
  }

  #enter(name: StateName): void {
    if (this.#state.name !== name) this.#state = { name, sinceMs: Date.now() };
  }

  #refuseWhileStopping(): void {
    if (this.#of.stopping.aborted)
      throw new HostError("draining", "the replica is stopping and reads nothing any more");
  }
}

/** Does another version serve, or none any more, or one for the first time? */
function isAnother(before: SlotState | undefined, now: SlotState): boolean {
  if (before === undefined) return false;
  if (before.kind === "loaded" && now.kind === "loaded") return before.version !== now.version;
  return before.kind !== now.kind;
}

function isDenied({ state }: { readonly state: SlotState }): boolean {
  return state.kind === "loaded" && state.version.authority.now.kind === "denied";
}

/** In one message. */
const NAMED_PLUGINS = 16;

function lateError(registry: Registry, timeoutMs: number): HostError {
  const loading = [...registry.slots.values()].filter(({ isReloading }) => isReloading).map(({ name }) => name);
  const some = loading.slice(0, NAMED_PLUGINS).join(", ");
  const named = loading.length > NAMED_PLUGINS ? `${some} and ${loading.length - NAMED_PLUGINS} more` : some;
  const what = loading.length === 0 ? "" : `; still loading: ${named}`;
  return new HostError(
    "control-timeout",
    `the replica was not done reading its files within ${timeoutMs} ms and goes on with it${what}`,
  );
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
