/**
 * A replica's answers to `network-host status` and `network-host reload`: its state, put together from the states of its
 * parts, and the result of reading its files again.
 *
 * @module
 */

import { describeFiles, describePlugin, describeRefusals } from "./app-control-report.ts";
import type { ControlFolder } from "./app-options.ts";
import { readinessOf } from "./app-health.ts";
import type { ReplicaParts } from "./app-parts.ts";
import { namesInWords } from "./app-plugins.ts";
import type { ReloadReport, ReplicaIdentity, StatusReport } from "./control/report.ts";
import { type ControlHandlers, type ControlServer, startControlServer } from "./control/server.ts";
import { HostError } from "./errors/host-error.ts";
import type { SlotState } from "./registry/plugin-slot.ts";
import type { Registry } from "./registry/registry.ts";
import type { Readiness } from "./telemetry/health-server.ts";
import type { Logger } from "./telemetry/logger.ts";
import { programVersion } from "./version.ts";

type StateName = StatusReport["state"];

/**
 * Listens for commands. Throws `usage-invalid` where the operator named the folder and it cannot be used. A replica whose
 * default folder cannot be used has no socket, and logs a warning.
 */
export async function openControl(parts: ReplicaParts): Promise<void> {
  const { options, closing, logger } = parts;
  const server = await startControl(options.control, new ReplicaControl(parts), logger);
  if (server !== undefined) closing.own("the control socket", server);
}

/** Like {@link openControl}, with any handlers. */
export async function startControl(
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
  readonly #parts: ReplicaParts;
  #wasReady = false;
  #state: { name: StateName; sinceMs: number };

  constructor(parts: ReplicaParts) {
    const { started, ready, stopping } = parts;
    this.#parts = parts;
    this.#state = { name: "starting", sinceMs: started.getTime() };
    ready.promise.then(
      () => {
        this.#wasReady = true;
        this.#enter("ready");
      },
      () => undefined,
    );
    stopping.signal.addEventListener("abort", () => this.#enter("draining"), { once: true });
  }

  identify(): ReplicaIdentity {
    const { options, settings, started } = this.#parts;
    return {
      id: options.replicaId,
      group: settings.group,
      pid: process.pid,
      version: programVersion(),
      started: started.toISOString(),
    };
  }

  async status(): Promise<StatusReport> {
    const checks = await readinessOf(this.#parts);
    const { registry, store, serving } = this.#parts.open;
    const link = serving?.link;
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
      wrpc: serving?.wrpcReports ?? [],
      files: this.#files(registry),
      plugins: slots.map(describePlugin),
    };
  }

  async reload(timeoutMs: number): Promise<ReloadReport> {
    const { registry } = this.#parts.open;
    this.#refuseWhileStopping();
    if (registry === undefined || !registry.isPlanned)
      throw new HostError(
        "replica-unreachable",
        "the replica has just been started and reads its files anyway: try again",
      );
    this.#parts.logger.info({ reason: "network-host reload" }, "reading the files again");
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
      read: { policies: this.#parts.reader.last?.paths.length ?? 0, components: slots.length },
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
    const { options, reader, settings } = this.#parts;
    return describeFiles(options, { config: reader.last, reload: registry?.lastReload, pending: settings.pending });
  }

  #nameOf(checks: Readiness): StateName {
    if (this.#parts.stopping.signal.aborted) return "draining";
    if (!this.#wasReady) return "starting";
    return Object.values(checks).every(({ ready }) => ready) ? "ready" : "not-ready";
  }

  #enter(name: StateName): void {
    if (this.#state.name !== name) this.#state = { name, sinceMs: Date.now() };
  }

  #refuseWhileStopping(): void {
    if (this.#parts.stopping.signal.aborted)
      throw new HostError("draining", "the replica is stopping and reads nothing any more");
  }
}

/** Does a different version serve now, or one for the first time, or none any more? */
function isAnother(before: SlotState | undefined, now: SlotState): boolean {
  if (before === undefined) return false;
  if (before.kind === "loaded" && now.kind === "loaded") return before.version !== now.version;
  return before.kind !== now.kind;
}

function isDenied({ state }: { readonly state: SlotState }): boolean {
  return state.kind === "loaded" && state.version.authority.now.kind === "denied";
}

function lateError(registry: Registry, timeoutMs: number): HostError {
  const loading = [...registry.slots.values()].filter(({ isReloading }) => isReloading).map(({ name }) => name);
  const what = loading.length === 0 ? "" : `; still loading: ${namesInWords(loading)}`;
  return new HostError(
    "control-timeout",
    `the replica was not done reading its files within ${timeoutMs} ms and goes on with it${what}`,
  );
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
