/**
 * Loads a plugin: file → digest → artifact (from the cache, or by the compiler) → probe → decision → runner.
 * Every step is bounded, and every failure is one coded error; nothing of a failed load is left behind.
 *
 * A component that was loaded before needs no process to be loaded again: its artifact and its access levels are
 * in the cache. The bytes of the artifact are verified whenever a process is about to execute them.
 *
 * @module
 */

import { availableParallelism } from "node:os";
import { chosenEngine, type EngineChoice, type RunnerConfig } from "../contract/artifact.ts";
import type { AccessLevelBits } from "../contract/access-levels.ts";
import type { CompilationLimits, PluginLimits } from "../contract/limits.ts";
import type { Digest, PluginName } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import { decide } from "../policy/decide.ts";
import type { Policy } from "../policy/policy.ts";
import { compileComponent } from "../supervisor/compilation/compile.ts";
import type { Confinement } from "../supervisor/sandbox/confinement.ts";
import { PluginRunner } from "../supervisor/process-pool/plugin-runner.ts";
import type { PluginRunnerEvents } from "../supervisor/process-pool/plugin-runner-events.ts";
import type { RunnerStart } from "../supervisor/process-pool/plugin-runner-state.ts";
import { RunnerProcess } from "../supervisor/process/runner-process.ts";
import { createSizeBounds } from "../supervisor/process-pool/runner-size.ts";
import type { ThreadShares } from "../fairness/thread-shares.ts";
import type { ArtifactCache } from "./artifact-cache.ts";
import type { CachedArtifact } from "./artifact-folder.ts";
import { digestOf } from "../contract/digest.ts";
import { Gate } from "./gate.ts";
import { readComponentFile } from "./plugin-source.ts";
import { PluginVersion } from "./plugin-version.ts";
import type { ReadContents } from "./read-contents.ts";

/** What to load. */
export interface PluginSpec {
  readonly name: PluginName;
  /** Absolute path of the component's file. */
  readonly componentPath: string;
  readonly policy: Policy;
  readonly limits: PluginLimits;
  /** The replica's. */
  readonly compilation: CompilationLimits;
  /** Semantic version, for discovery. */
  readonly version: string;
  /** For discovery; may be empty. */
  readonly description: string;
  readonly start: RunnerStartTime;
}

/** When a plugin's first process is started: as a part of its load, or by its first request. */
export type RunnerStartTime = "with-load" | "on-demand";

/** Told of what an operator should know about a load. */
export interface LoadEvents {
  /** The component was compiled, which took so long. */
  compiled(name: PluginName, digest: Digest, durationMs: number): void;
  /** A cached artifact did not have the content it was stored with; it is built anew. */
  artifactCorrupt(name: PluginName, digest: Digest, reason: string): void;
  /** Events of the plugin's runner over its life. */
  runner(name: PluginName, digest: Digest): PluginRunnerEvents;
}

/** The part of a runner's memory that instances may hold while they wait for requests. */
const IDLE_MEMORY_SHARE = 1 / 4;

/** Each may hold a component of the largest size. */
const CONCURRENT_READS = 4;
/** Each takes a core for a while. */
const CONCURRENT_COMPILATIONS = 2;
/** Each has a process for as long as it takes. */
const CONCURRENT_PROBES = 4;
/** A process that is not ready by then has something to wait for. */
const HOLD_MS = 1_000;

/** What plugins are compiled for, and what their processes run in. */
export interface PluginLoaderOptions {
  readonly engine: EngineChoice;
  /** The walls that runners get beside those of Node and V8. */
  readonly confinement: Confinement;
  /** What each plugin has of this thread. */
  readonly shares: ThreadShares;
  /** Is told what was read of components. */
  readonly contents: ReadContents;
}

export class PluginLoader {
  readonly #cache: ArtifactCache;
  readonly #events: LoadEvents;
  readonly #surroundings: PluginLoaderOptions;
  /** Compilations in progress: two plugins may name the same component. */
  readonly #compiling = new Map<Digest, Promise<CachedArtifact>>();
  readonly #loads = new AbortController();
  readonly #reads = new Gate({ places: CONCURRENT_READS });
  readonly #compilers = new Gate({ places: CONCURRENT_COMPILATIONS });
  /** Requests to a hundred cold plugins must not make a hundred processes start side by side, each too late. */
  readonly #starts = new Gate({ places: Math.max(2, availableParallelism()), holdMs: HOLD_MS });
  readonly #probes = new Gate({ places: CONCURRENT_PROBES, holdMs: HOLD_MS });

  constructor(cache: ArtifactCache, events: LoadEvents, surroundings: PluginLoaderOptions) {
    this.#cache = cache;
    this.#events = events;
    this.#surroundings = surroundings;
  }

  /**
   * Loads a version, ready to serve. Throws `component-unreadable`, `component-rejected`, `compile-failed`,
   * `load-failed` or `probe-failed`.
   */
  async load(spec: PluginSpec): Promise<PluginVersion> {
    const artifact = await this.#artifact(spec, await this.digest(spec));
    return await this.#open(spec, artifact);
  }

  /** Opens a component that was loaded before, whatever its file is now. Throws `load-failed`, `probe-failed`. */
  async reopen(digest: Digest, spec: PluginSpec): Promise<PluginVersion> {
    const found = await this.#cache.find(digest);
    if (found.kind !== "hit") throw new HostError("load-failed", `the artifact of ${digest} is no longer in the cache`);
    return await this.#open(spec, found.artifact);
  }

  /** Ends every load in progress, and every later one at once. What was loaded goes on. Idempotent. */
  giveUp(): void {
    this.#loads.abort();
  }

  /** The digest of the file as it is now, to see whether a load would bring something new. */
  async digest(spec: PluginSpec): Promise<Digest> {
    return await this.#reads.run(async () => {
      const digest = digestOf(await readComponentFile(spec.componentPath, spec.compilation.componentBytes));
      this.#surroundings.contents.note(spec.componentPath, digest);
      return digest;
    });
  }

  async #artifact(spec: PluginSpec, digest: Digest): Promise<CachedArtifact> {
    const found = await this.#cache.find(digest);
    if (found.kind === "hit") return found.artifact;
    if (found.kind === "corrupt") this.#events.artifactCorrupt(spec.name, digest, found.reason);
    return await this.#build(spec, digest);
  }

  async #build(spec: PluginSpec, digest: Digest): Promise<CachedArtifact> {
    const underWay = this.#compiling.get(digest);
    if (underWay !== undefined) return await underWay;
    const compiling = this.#compilers
      .run(() => this.#compile(spec, digest))
      .finally(() => {
        this.#compiling.delete(digest);
      });
    this.#compiling.set(digest, compiling);
    return await compiling;
  }

  /** Reads the component once more: many may wait for a compiler, and must not hold their bytes meanwhile. */
  async #compile({ name, componentPath, compilation }: PluginSpec, digest: Digest): Promise<CachedArtifact> {
    const startMs = performance.now();
    const bytes = await readComponentFile(componentPath, compilation.componentBytes);
    if (digestOf(bytes) !== digest)
      throw new HostError("load-failed", `${componentPath} is no longer the component ${digest}`);
    const { confinement } = this.#surroundings;
    const options = { confinement, signal: this.#loads.signal, timeoutMs: compilation.compileMs };
    const stored = await this.#cache.put(await compileComponent(bytes, options));
    this.#events.compiled(name, digest, performance.now() - startMs);
    return stored;
  }

  async #open(spec: PluginSpec, artifact: CachedArtifact): Promise<PluginVersion> {
    const { name, limits, policy } = spec;
    const { manifest } = artifact;
    const { digest } = manifest;
    const { signal } = this.#loads;
    const runner = this.#runner(spec, artifact);
    const close = (): void => void runner.close();
    signal.addEventListener("abort", close, { once: true });
    const release = this.#cache.hold(artifact);
    try {
      const requested = (await this.#cache.readLevels(digest)) ?? (await this.#probe(runner, digest));
      const verdict = decide(requested, policy);
      const granted = verdict.kind === "granted";
      if (!granted) await runner.close();
      else if (spec.start === "on-demand") await runner.cool();
      else if (!runner.isWarm) await runner.open();
      const version = new PluginVersion({
        name,
        digest,
        manifest,
        engine: chosenEngine(this.#surroundings.engine, manifest.link),
        requested,
        verdict,
        limits,
        runner: granted ? runner : undefined,
      });
      void version.closed.then(release);
      return version;
    } catch (error) {
      release();
      await runner.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  /** The first answer for a digest is the one that counts, whichever replica asked. */
  async #probe(runner: PluginRunner, digest: Digest): Promise<AccessLevelBits> {
    return await this.#probes.run(async () => {
      await runner.open();
      return await this.#cache.writeLevels(digest, await runner.probe());
    });
  }

  #runner(spec: PluginSpec, { manifest }: CachedArtifact): PluginRunner {
    const { name, limits } = spec;
    const { digest, memories } = manifest;
    const { engine, confinement, shares } = this.#surroundings;
    const config: Omit<RunnerConfig, "artifactDir"> = {
      engine,
      maxIdleInstances: limits.concurrency,
      maxIdleBytes: Math.floor(limits.runnerMemoryBytes * IDLE_MEMORY_SHARE),
      replyBytes: limits.replyBytes,
      logBytes: limits.logBytes,
    };
    const share = shares.of(name);
    const start = ({ isSuspect, signal }: RunnerStart): Promise<RunnerProcess> =>
      this.#starts.run(async () => {
        const { directory } = await this.#verified(spec, digest);
        const whole = { ...config, artifactDir: directory };
        return await RunnerProcess.start({ config: whole, limits, memories, confinement, isSuspect, share }, signal);
      });
    const bounds = createSizeBounds(limits, availableParallelism(), share);
    return new PluginRunner(start, this.#events.runner(name, digest), bounds);
  }

  /**
   * The artifact, once it is certain that it is what was stored. Where it is not, it is built anew, if the component is
   * still there; it may be in another place then.
   */
  async #verified(spec: PluginSpec, digest: Digest): Promise<CachedArtifact> {
    const found = await this.#cache.get(digest);
    if (found.kind === "hit") return found.artifact;
    if (found.kind === "corrupt") this.#events.artifactCorrupt(spec.name, digest, found.reason);
    return await this.#build(spec, digest);
  }
}
