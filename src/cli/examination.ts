/**
 * Loads a component as a replica would: gate, compiler, probe, decision; then ends its runner. `inspect` and `check` show
 * the outcome, so neither can differ from what `serve` would do.
 *
 * @module
 */

import {
  DEFAULT_PLUGIN_LIMITS,
  DEFAULT_REPLICA_LIMITS,
  FIXED_LIMITS,
  type PluginLimits,
  REPLICA_LIMITS,
} from "../contract/limits.ts";
import type { EngineName, FreshState } from "../contract/artifact.ts";
import type { Digest, PluginName } from "../contract/names.ts";
import { type HostError, toHostError } from "../errors/host-error.ts";
import { resolveLimits } from "../policy/limits.ts";
import type { Policy, Verdict } from "../policy/policy.ts";
import { ArtifactCache, type CacheOptions } from "../registry/artifact-cache.ts";
import { digestOf } from "../contract/digest.ts";
import { ComponentStore } from "../registry/component-store.ts";
import { RemoteComponents } from "../registry/remote-components.ts";
import { openOciClient, type RegistryAccess } from "../oci/registry-access.ts";
import { freshStateOf } from "./fresh-state-report.ts";
import { programUserAgent } from "./user-agent.ts";
import { componentName, type LoadEvents, PluginLoader, type PluginSpec } from "../registry/plugin-loader.ts";
import { readComponentFile } from "../registry/plugin-source.ts";
import { ReadContents } from "../registry/read-contents.ts";
import { decideConfinement } from "../supervisor/sandbox/confinement.ts";
import { ThreadShares } from "../fairness/thread-shares.ts";
import { NOBODY } from "../supervisor/sandbox/wall.ts";

/** What a component is, and the outcome of loading it under a policy. */
export interface Examination {
  readonly name: PluginName;
  /** Absolute path or, of a component in a registry, the reference. */
  readonly path: string;
  readonly policy: Policy;
  readonly limits: PluginLimits;
  /** Absent if the file could not be read. */
  readonly file: { readonly digest: Digest; readonly bytes: number } | undefined;
  readonly outcome: ExaminationOutcome;
}

export type ExaminationOutcome =
  | {
      readonly kind: "loaded";
      readonly imports: readonly string[];
      readonly exports: readonly string[];
      /** How a replica runs it by default. */
      readonly engine: EngineName;
      readonly freshState: FreshState;
      /** Bits of the levels that it requests. */
      readonly requested: number;
      readonly verdict: Verdict;
    }
  | FailedExamination;

export interface FailedExamination {
  readonly kind: "failed";
  readonly error: HostError;
  /** Has it passed gate and compiler, now or before? */
  readonly isCompiled: boolean;
}

const IGNORE = (): void => undefined;

/** An examination looks once. */
const NEVER_MS = 2 ** 31 - 1;

/** There are no observers: the outcome has everything that matters. */
const NO_EVENTS: LoadEvents = {
  compiled: IGNORE,
  artifactCorrupt: IGNORE,
  runner: () => ({
    started: IGNORE,
    counted: IGNORE,
    stopped: IGNORE,
    ended: IGNORE,
    startFailed: IGNORE,
    restarted: IGNORE,
    circuitOpened: IGNORE,
    circuitClosed: IGNORE,
  }),
};

/** Of commands that examine files alone. */
const NO_ACCESS: RegistryAccess = { plainHttpHosts: [], proxies: {}, dockerFolder: "/", env: {} };

export interface ExaminerOptions extends CacheOptions {
  /** For components of registries. */
  readonly access?: RegistryAccess;
}

export class Examiner implements AsyncDisposable {
  readonly #loader: PluginLoader;
  readonly #cache: ArtifactCache;
  readonly #components: RemoteComponents;

  private constructor(loader: PluginLoader, cache: ArtifactCache, components: RemoteComponents) {
    this.#loader = loader;
    this.#cache = cache;
    this.#components = components;
  }

  /**
   * Compiled components are kept in `cacheDir`, the same as a replica's. The user does not trust the component yet,
   * so its process is sandboxed as a replica's would be.
   */
  static async open(cacheDir: string, { access = NO_ACCESS, ...options }: ExaminerOptions = {}): Promise<Examiner> {
    const client = await openOciClient(access, programUserAgent());
    const components = new RemoteComponents({
      client,
      openStore: () => ComponentStore.open(cacheDir),
      checkMs: NEVER_MS,
      maxBytes: options.maxBytes ?? FIXED_LIMITS.cacheBytes,
      events: { resolved: IGNORE, failed: IGNORE, recovered: IGNORE, upkeepFailed: IGNORE },
    });
    const cache = await ArtifactCache.open(cacheDir, options);
    const confinement = await decideConfinement({ sandbox: "auto", runnerUser: NOBODY, cacheDir: cache.directory });
    const surroundings = {
      engine: "auto",
      confinement,
      shares: new ThreadShares(),
      contents: new ReadContents(),
      components,
    } as const;
    return new Examiner(new PluginLoader(cache, NO_EVENTS, surroundings), cache, components);
  }

  /** Closed: no further examination. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#components[Symbol.asyncDispose]();
    await this.#cache[Symbol.asyncDispose]();
  }

  /** Examines one component. Rejects only for a bug: every other failure is an outcome. */
  async examine(spec: PluginSpec): Promise<Examination> {
    const { name, policy, limits } = spec;
    let file: Examination["file"];
    let outcome: ExaminationOutcome;
    try {
      await this.#loader.obtain(spec);
      const bytes = await readComponentFile(spec.componentPath, spec.compilation.componentBytes);
      file = { digest: digestOf(bytes), bytes: bytes.length };
      outcome = await this.#load(spec);
    } catch (thrown) {
      const error = toHostError(thrown);
      if (error.row.fault === "bug") throw error;
      outcome = { kind: "failed", error, isCompiled: file !== undefined && (await this.#isCompiled(file.digest)) };
    }
    return { name, path: componentName(spec), policy, limits, file, outcome };
  }

  async #isCompiled(digest: Digest): Promise<boolean> {
    // A cache that cannot be used holds nothing.
    return await this.#cache.find(digest).then(
      ({ kind }) => kind === "hit",
      () => false,
    );
  }

  async #load(spec: PluginSpec): Promise<ExaminationOutcome> {
    const version = await this.#loader.load(spec);
    await version.close();
    const { manifest, engine, requested, verdict } = version.parts;
    const { imports, exports, link } = manifest;
    return { kind: "loaded", imports, exports, engine, freshState: freshStateOf(link), requested, verdict };
  }
}

/** A component outside any consumer file, with default limits, but as large as some file could allow. */
export function specOf(name: PluginName, componentPath: string, policy: Policy): PluginSpec {
  const limits = resolveLimits(DEFAULT_PLUGIN_LIMITS, policy.limits);
  const compilation = { ...DEFAULT_REPLICA_LIMITS, componentBytes: REPLICA_LIMITS.componentBytes.max };
  return { name, componentPath, policy, limits, compilation, version: "0.0.0", description: "", start: "with-load" };
}
