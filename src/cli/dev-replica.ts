/**
 * The replica of `dev`: serves one component, a copy of what was built last, so that a build that is still writing does not
 * disturb what serves.
 *
 * @module
 */

import { copyFile, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { App } from "../app.ts";
import type { ServeOptions } from "../app-options.ts";
import type { PluginName } from "../contract/names.ts";

/** What it is started with. */
export interface DevReplicaOptions extends Omit<ServeOptions, "consumer" | "replicaId" | "control"> {
  readonly name: PluginName;
}

/** A reload waits for a compilation of a large component. */
const RELOAD_TIMEOUT_MS = 5 * 60_000;

/** A replica that can be given another component. Its parts end with it. */
export class DevReplica implements AsyncDisposable {
  readonly #options: DevReplicaOptions;
  readonly #folder: string;
  #app: App | undefined;

  private constructor(options: DevReplicaOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
  }

  /** Starts nothing yet: {@link serve} does, with the first component. */
  static async create(options: DevReplicaOptions): Promise<DevReplica> {
    return new DevReplica(options, await mkdtemp(join(tmpdir(), "network-host-dev-")));
  }

  /** Rejects when the replica cannot continue. */
  get failed(): Promise<never> | undefined {
    return this.#app?.failed;
  }

  /**
   * Serves this component from now on. Resolves when it is in force, or was refused; the log says which, and the one
   * before goes on serving then. Returns whether a version that may run serves.
   */
  async serve(component: string): Promise<"serves" | "kept" | "refused"> {
    const copy = join(this.#folder, `${this.#options.name}.wasm`);
    await copyFile(component, `${copy}.new`);
    await rename(`${copy}.new`, copy);
    const isFirst = this.#app === undefined;
    const app = (this.#app ??= await this.#start(copy));
    if (isFirst) await app.ready;
    const { refused, denied } = await app.reloaded(RELOAD_TIMEOUT_MS);
    if (denied.length > 0 || refused.some(({ serves }) => serves === "nothing")) return "refused";
    return refused.length > 0 ? "kept" : "serves";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app?.drain("network-host dev ends");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #start(component: string): Promise<App> {
    const { startApp } = await import("../app.ts");
    const { name, ...options } = this.#options;
    return await startApp({
      ...options,
      replicaId: `dev-${process.pid}`,
      consumer: { kind: "plugins", plugins: [{ name, component }] },
    });
  }
}
