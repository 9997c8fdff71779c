/**
 * One loaded version of a plugin: a component's digest under one policy revision and one set of limits. A new file or
 * policy makes a new version, and the old one is closed when its last request is answered; what it may do until then
 * can only become less.
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

export interface PluginVersionParts {
  readonly name: PluginName;
  readonly digest: Digest;
  readonly manifest: ArtifactManifest;
  /** What its runner executes it with. */
  readonly engine: EngineName;
  readonly requested: AccessLevelBits;
  /** As it was decided when it was loaded; `authority` tells what holds now. */
  readonly verdict: Verdict;
  /** What its processes are started with; `authority` tells what holds now. */
  readonly limits: PluginLimits;
  /** Runs its requests; `undefined` where the verdict is a denial, since nothing may run then. */
  readonly runner: PluginRunner | undefined;
}

/** A version that is held open until this is disposed of, once or more. */
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
  readonly parts: PluginVersionParts;
  /** What it may do at this moment. */
  readonly authority: Authority;
  readonly #idle = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #inFlight = 0;
  #state: "serving" | "retired" | "closed" = "serving";

  constructor(parts: PluginVersionParts) {
    this.parts = parts;
    this.authority = new Authority(parts);
  }

  /** Resolves when the version is closed, for what others opened on its behalf. Never rejects. */
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
