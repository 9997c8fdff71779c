/**
 * One loaded version of a plugin: a component's digest under one policy revision and one set of limits. A new file or
 * policy makes a new version, and the old one is closed when its last request has been answered. Until then its
 * authority can only narrow.
 *
 * @module
 */

import type { AccessLevelBits } from "../contract/access-levels.ts";
import type { ArtifactManifest, EngineName } from "../contract/artifact.ts";
import type { PluginLimits } from "../contract/limits.ts";
import type { Digest, PluginName } from "../contract/names.ts";
import { Authority } from "../policy/authority.ts";
import type { Verdict } from "../policy/policy.ts";
import type { PluginRunner } from "../supervisor/process-pool/plugin-runner.ts";

export interface PluginVersionOptions {
  readonly name: PluginName;
  readonly digest: Digest;
  readonly manifest: ArtifactManifest;
  /** The engine that executes it in its runner. */
  readonly engine: EngineName;
  readonly requested: AccessLevelBits;
  /** The keys of its policy that have signed the component; empty where no signature was asked for. */
  readonly signers: readonly Digest[];
  /** The decision at its load; `authority` says what applies now. */
  readonly verdict: Verdict;
  /** The limits that its processes are started with; `authority` says what applies now. */
  readonly limits: PluginLimits;
  /** Runs its requests; `undefined` if the verdict is a denial, since no request may run then. */
  readonly runner: PluginRunner | undefined;
}

/** Holds a version open until it is disposed of. Idempotent. */
export class VersionLease implements Disposable {
  #version: PluginVersion | undefined;

  constructor(version: PluginVersion) {
    this.#version = version;
  }

  [Symbol.dispose](): void {
    this.#version?.release();
    this.#version = undefined;
  }
}

export class PluginVersion {
  readonly parts: PluginVersionOptions;
  readonly authority: Authority;
  readonly #idle = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #inFlight = 0;
  #state: "serving" | "retired" | "closed" = "serving";

  constructor(parts: PluginVersionOptions) {
    this.parts = parts;
    this.authority = new Authority(parts);
  }

  /** Resolves when the version is closed, so that others can release what they opened for it. Never rejects. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Holds the version open for one request. */
  acquire(): VersionLease {
    this.#inFlight += 1;
    return new VersionLease(this);
  }

  /** For {@link VersionLease}. */
  release(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0 && this.#state === "retired") this.#idle.resolve();
  }

  /** Lets the requests that hold the version finish, then ends its runner. They are bounded by their deadlines. */
  async retire(): Promise<void> {
    if (this.#state !== "serving") return;
    this.#state = "retired";
    if (this.#inFlight > 0) await this.#idle.promise;
    await this.close();
  }

  /** Ends its runner now; requests on it are settled as lost. Idempotent. */
  async close(): Promise<void> {
    this.#state = "closed";
    this.#idle.resolve();
    this.#closed.resolve();
    await this.parts.runner?.close();
  }
}
