/**
 * Loads a plugin: file → digest → artifact (from the cache, or by the compiler) → probe → decision → runner. Every step
 * is bounded, every failure is one coded error, and a failed load leaves nothing behind.
 *
 * Loading a component again needs no process: its artifact and its access levels are in the cache. The artifact's bytes
 * are verified each time before a process executes them.
 *
 * @module
 */

import { availableParallelism } from "node:os";
import { chosenEngine, type EngineChoice, type RunnerConfig } from "../contract/artifact.ts";
import type { AccessLevelBits } from "../contract/access-levels.ts";
import type { CompilationLimits, PluginLimits } from "../contract/limits.ts";
import type { Digest, PluginName } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import type { OciReference } from "../oci/reference.ts";
import { allowsDigest, decide } from "../policy/decide.ts";
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
import { PluginVersion, type PluginVersionOptions } from "./plugin-version.ts";
import type { ReadContents } from "./read-contents.ts";
import { referenceText } from "./component-store.ts";
import type { RemoteComponents } from "./remote-components.ts";

/** What to load. */
export interface PluginSpec {
  readonly name: PluginName;
  /** Absolute path of the component's file. */
  readonly componentPath: string;
  /** What brings the component there, if a registry has it. */
  readonly reference?: OciReference | undefined;
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

/** When a plugin's first process is started: during its load, or by its first request. */
export type RunnerStartTime = "with-load" | "on-demand";

export interface LoadEvents {
  /** The component was compiled, in `durationMs`. */
  compiled(name: PluginName, digest: Digest, durationMs: number): void;
  /** A cached artifact is not what was stored; it is built anew. */
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
/** Each uses a process. */
const CONCURRENT_PROBES = 4;
/** A start or a probe that takes longer waits for something, and gives its place to the next. */
const HOLD_MS = 1_000;

export interface PluginLoaderOptions {
  readonly engine: EngineChoice;
  /** The walls around runners, besides those of Node and V8. */
  readonly confinement: Confinement;
  /** Each plugin's share of this thread. */
  readonly shares: ThreadShares;
  /** Records the digests of the components read. */
  readonly contents: ReadContents;
  /** Brings the components of registries. */
  readonly components: Pick<
    RemoteComponents,
    "obtain" | "isVerified" | "doubt" | "discard" | "recheck" | "signers" | "giveUp"
  >;
}

/** A component as logs and reports name it: its reference or its path. */
export function componentName({ reference, componentPath }: PluginSpec): string {
  return reference === undefined ? componentPath : referenceText(reference);
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
  /** If requests to a hundred cold plugins started a hundred processes at once, each would be too late. */
  readonly #starts = new Gate({ places: Math.max(2, availableParallelism()), holdMs: HOLD_MS });
  readonly #probes = new Gate({ places: CONCURRENT_PROBES, holdMs: HOLD_MS });

  constructor(cache: ArtifactCache, events: LoadEvents, surroundings: PluginLoaderOptions) {
    this.#cache = cache;
    this.#events = events;
    this.#surroundings = surroundings;
  }

  /**
   * Loads a version that is ready to serve. Throws `component-unreadable`, `component-rejected`, `digest-not-allowed`,
   * `signature-missing`, `signature-needs-registry`, `compile-failed`, `load-failed` or `probe-failed`, and the codes of registries.
   */
  async load(spec: PluginSpec): Promise<PluginVersion> {
    const digest = await this.digest(spec);
    // Before anything reads what the component contains.
    expectAllowed(spec, digest);
    const signers = await this.#signers(spec, digest);
    return await this.#open(spec, await this.#artifact(spec, digest), signers);
  }

  /**
   * Opens a component that was loaded before and whose signatures were verified then, whatever its file contains now. Throws
   * `load-failed`, `probe-failed`.
   */
  async reopen(
    { digest, signers }: Pick<PluginVersionOptions, "digest" | "signers">,
    spec: PluginSpec,
  ): Promise<PluginVersion> {
    const found = await this.#cache.find(digest);
    if (found.kind !== "hit") throw new HostError("load-failed", `the artifact of ${digest} is no longer in the cache`);
    return await this.#open(spec, found.artifact, signers);
  }

  /** Ends every load in progress, and every later one at once. Loaded versions continue. Idempotent. */
  giveUp(): void {
    this.#loads.abort();
    this.#surroundings.components.giveUp();
  }

  /** Registries are asked again about the components of later loads. */
  recheck(): void {
    this.#surroundings.components.recheck();
  }

  /** Makes the component's file be there; returns its digest if that is known without reading it. Throws as `RemoteComponents`. */
  async obtain({ reference, compilation }: PluginSpec): Promise<Digest | undefined> {
    if (reference === undefined) return undefined;
    return await this.#surroundings.components.obtain(reference, compilation.componentBytes);
  }

  /** The digest of the component as it is now, to decide whether a load would change anything. */
  async digest(spec: PluginSpec): Promise<Digest> {
    const { components, contents } = this.#surroundings;
    const expected = await this.obtain(spec);
    if (expected !== undefined && (await components.isVerified(expected))) {
      contents.note(spec.componentPath, expected);
      return expected;
    }
    const digest = await this.#reads.run(async () => {
      const read = digestOf(await readComponentFile(spec.componentPath, spec.compilation.componentBytes));
      contents.note(spec.componentPath, read);
      return read;
    });
    if (spec.reference === undefined || digest === expected || expected === undefined) return digest;
    // A transfer that the load did not wait for may have ended in between.
    if (digest === (await this.obtain(spec))) return digest;
    await components.discard(spec.reference, expected);
    throw new HostError(
      "load-failed",
      `the component ${expected} was changed in the cache folder; it is fetched again`,
    );
  }

  /** The keys of the policy that have signed the component. Throws where it demands a signature and there is none. */
  async #signers({ name, reference, policy, componentPath }: PluginSpec, digest: Digest): Promise<readonly Digest[]> {
    const { signedBy } = policy;
    if (signedBy === undefined) return [];
    if (signedBy.length === 0)
      throw new HostError("signature-missing", `the policy of ${name} cannot be read, and may demand a signature`);
    if (reference === undefined)
      throw new HostError(
        "signature-needs-registry",
        `${componentPath}: the policy of ${name} demands a signature (signedBy), and signatures are beside components in ` +
          "registries; push it, sign it, and name it as oci://<host>/<repository>:<tag>",
      );
    return await this.#surroundings.components.signers(reference, digest, signedBy);
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

  /**
   * Reads the component again: many loads may wait for a compiler, and must not keep their bytes in memory meanwhile.
   */
  async #compile({ name, componentPath, compilation }: PluginSpec, digest: Digest): Promise<CachedArtifact> {
    const startMs = performance.now();
    const bytes = await readComponentFile(componentPath, compilation.componentBytes);
    const { confinement, components } = this.#surroundings;
    if (digestOf(bytes) !== digest) {
      components.doubt(digest);
      throw new HostError("load-failed", `${componentPath} is no longer the component ${digest}`);
    }
    const options = { confinement, signal: this.#loads.signal, timeoutMs: compilation.compileMs };
    const stored = await this.#cache.put(await compileComponent(bytes, options));
    this.#events.compiled(name, digest, performance.now() - startMs);
    return stored;
  }

  async #open(spec: PluginSpec, artifact: CachedArtifact, signers: readonly Digest[]): Promise<PluginVersion> {
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
      const verdict = decide(requested, policy, signers, digest);
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
        signers,
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

  /** For each digest the first recorded answer counts, whichever replica asked. */
  async #probe(runner: PluginRunner, digest: Digest): Promise<AccessLevelBits> {
    return await this.#probes.run(async () => {
      await runner.open();
      return await this.#cache.writeLevels(digest, await runner.probe());
    });
  }

  #runner(spec: PluginSpec, { manifest }: CachedArtifact): PluginRunner {
    const { name, limits } = spec;
    const { digest, memories, makesObjects, link } = manifest;
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
        return await RunnerProcess.start(
          {
            config: whole,
            limits,
            memories,
            makesObjects,
            engine: chosenEngine(engine, link),
            confinement,
            isSuspect,
            share,
          },
          signal,
        );
      });
    const bounds = createSizeBounds(limits, availableParallelism(), share);
    return new PluginRunner(start, this.#events.runner(name, digest), bounds);
  }

  /**
   * The artifact, verified to be what was stored. If it is not, it is built anew from the component, if that is
   * unchanged, and may then be in another folder.
   */
  async #verified(spec: PluginSpec, digest: Digest): Promise<CachedArtifact> {
    const found = await this.#cache.get(digest);
    if (found.kind === "hit") return found.artifact;
    if (found.kind === "corrupt") this.#events.artifactCorrupt(spec.name, digest, found.reason);
    return await this.#build(spec, digest);
  }
}

/** Throws `digest-not-allowed` where the policy names other components. */
function expectAllowed({ name, policy }: PluginSpec, digest: Digest): void {
  if (allowsDigest(policy, digest)) return;
  throw new HostError(
    "digest-not-allowed",
    `the policy of ${name} does not name sha256:${digest} in its digest; add it there, or put back a component that it names`,
  );
}
