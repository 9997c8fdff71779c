/**
 * An artifact is what the compiler makes of a component and what a runner executes: a folder in the artifact
 * cache, named by the component's digest and the engine's key, with `manifest.json` and the files it lists.
 *
 * @module
 */

import type { PlanChanges } from "./link-plan.ts";
import type { Digest } from "./names.ts";

/** Name of the manifest in an artifact's folder. */
export const MANIFEST_FILE = "manifest.json";

/** Version of the layout: an artifact with another one is built anew. */
export const ARTIFACT_FORMAT = 5;

/**
 * How an instance comes to a fresh state for each request. Which of two it is depends on whether its start functions read a clock
 * or random values, and only running them shows that.
 */
export type FreshState =
  | { readonly kind: RestoringFreshState; readonly changes: PlanChanges }
  | { readonly kind: "made-anew"; readonly reason: string };

/** The kinds for which an instance is put back, if it can be; `changes` says how what changed in its memories is found. */
export const RESTORING_FRESH_STATES = ["put-back", "put-back-or-started-again", "put-back-or-made-anew"] as const;

export type RestoringFreshState = (typeof RESTORING_FRESH_STATES)[number];

/** The linker engine's part of an artifact. */
export type LinkEntry =
  | { readonly kind: "planned"; readonly plan: string; readonly freshState: FreshState }
  | { readonly kind: "refused"; readonly reason: string };

/** Which engine runs a plugin. `auto`: the linker where there is a plan, else jco. */
export type EngineChoice = "auto" | "jco" | "linker";

export const ENGINE_CHOICES: readonly EngineChoice[] = ["auto", "jco", "linker"];

/** An engine that runs a plugin. */
export type EngineName = Exclude<EngineChoice, "auto">;

/** The engine that a choice selects for a component. */
export function chosenEngine(choice: EngineChoice, link: LinkEntry): EngineName {
  if (choice !== "auto") return choice;
  return link.kind === "planned" ? "linker" : "jco";
}

/** Describes an artifact; written last, so that a folder without one is not an artifact. */
export interface ArtifactManifest {
  readonly format: typeof ARTIFACT_FORMAT;
  /** SHA-256 of the component. */
  readonly digest: Digest;
  readonly componentBytes: number;
  /** The engine and its version, for example `jco-1.35.0`: another engine is another artifact. */
  readonly engine: string;
  /** File name → SHA-256 of its content; every file of the artifact except the manifest. */
  readonly files: Readonly<Record<string, Digest>>;
  /** The file that the jco engine starts from. */
  readonly entry: string;
  /** What the linker engine starts from, or why it cannot run the component. */
  readonly link: LinkEntry;
  /** The jco engine's core modules, in the order the entry asks for them. */
  readonly coreModules: readonly string[];
  /** Imported interfaces with their versions as the component names them, for example `wasi:io/streams@0.2.3`. */
  readonly imports: readonly string[];
  /** Exported names as the component has them. */
  readonly exports: readonly string[];
  /** Linear memories that one instance holds; the memory limit is divided among them. At least 1. */
  readonly memories: number;
  /** Does it make objects or exceptions on V8's heap? Then the memory limit bounds that heap, too. */
  readonly makesObjects: boolean;
}

/** An artifact that is not stored yet. */
export interface CompiledArtifact {
  readonly manifest: ArtifactManifest;
  /** Content of every file in `manifest.files`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The runner's descriptor that is its channel to the host: a socket. */
export const RUNNER_CHANNEL_FD = 3;

/** A runner's start configuration: one JSON argument, so that it needs neither environment nor files. */
export interface RunnerConfig {
  /** Absolute path of the artifact's folder; the only one the runner may read besides its own code. */
  readonly artifactDir: string;
  readonly engine: EngineChoice;
  /** Instances that wait for requests, at most. */
  readonly maxIdleInstances: number;
  /** Linear memory of the instances that wait, all together, at most; one may wait whatever it holds. */
  readonly maxIdleBytes: number;
  /** See `PLUGIN_LIMITS.replyBytes`. */
  readonly replyBytes: number;
  /** See `PLUGIN_LIMITS.logBytes`. */
  readonly logBytes: number;
}

/** The one argument of a runner's process, as JSON. */
export interface RunnerArgument extends RunnerConfig {
  /** The most pages of one linear memory. */
  readonly memoryPages: number;
}
