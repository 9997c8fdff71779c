/**
 * A plugin under test: loaded and run as on a replica, with its own process, sandbox, policy and limits. Only what is behind
 * the ports is the test's: the store and the HTTP servers.
 *
 * @module
 */

import { Workbench } from "../app-workbench.ts";
import type { SceneSetup, TestRequest } from "../config/test-case.ts";
import { type AccessLevel, levelsFromBits } from "../contract/access-levels.ts";
import type { EngineChoice, EngineName } from "../contract/artifact.ts";
import type { PluginLimits } from "../contract/limits.ts";
import type { PluginName } from "../contract/names.ts";
import { HEADER } from "../contract/protocol.ts";
import { HostError } from "../errors/host-error.ts";
import { describeDenial } from "../policy/decide.ts";
import type { Policy } from "../policy/policy.ts";
import { requestedPolicy } from "../policy/requested-policy.ts";
import type { PluginVersion } from "../registry/plugin-version.ts";
import { NOBODY } from "../supervisor/sandbox/wall.ts";
import { type CapturedLog, LogCapture } from "./captured-log.ts";
import { type Scene, Stage } from "./scene.ts";
import { createScriptedHttp } from "./scripted-http.ts";
import { createScriptedStore } from "./scripted-store.ts";

/** What a plugin is tested with. */
export interface TestedPluginOptions {
  readonly name: PluginName;
  /** Absolute path of the component's file. */
  readonly componentPath: string;
  /** Absent, the plugin may do what it requests: any private bucket, any host. */
  readonly policy: Policy | undefined;
  /** Without a policy: targets that have to be named, since no pattern allows them. */
  readonly hosts: readonly string[];
  readonly limits: Partial<PluginLimits>;
  readonly engine: EngineChoice;
  readonly cacheDir: string;
}

/** What a request got. */
export type TestReply = TestAnswer | TestError;

/** The plugin answered. */
export interface TestAnswer {
  readonly kind: "answer";
  readonly id: string | undefined;
  readonly status: number;
  readonly body: Uint8Array;
  readonly log: CapturedLog;
}

/** The request ended with an error of the table. */
export interface TestError {
  readonly kind: "error";
  readonly id: string | undefined;
  readonly code: string;
  /** The table's sentence, or the host's own. */
  readonly message: string;
  /** Of `plugin-error`: what the plugin returned, whole. */
  readonly text: string;
  readonly isRetryable: boolean;
  readonly log: CapturedLog;
}

/** Every host: only the test's servers answer. */
const ANY_HOST = "*://*:*";

interface TestedPluginParts {
  readonly workbench: Workbench;
  readonly version: PluginVersion;
  readonly stage: Stage;
  readonly log: LogCapture;
  /** What ends with it. */
  readonly stack: AsyncDisposableStack;
}

export class TestedPlugin implements AsyncDisposable {
  readonly #parts: TestedPluginParts;

  private constructor(parts: TestedPluginParts) {
    this.#parts = parts;
  }

  /**
   * Loads the component.
   *
   * @throws HostError what its load ended with, or `denied`
   */
  static async open(options: TestedPluginOptions): Promise<TestedPlugin> {
    const { name, policy, hosts } = options;
    const stage = new Stage();
    const log = new LogCapture();
    await using stack = new AsyncDisposableStack();
    const store = stack.use(createScriptedStore(stage, () => policy));
    const workbench = await Workbench.open({
      ...options,
      policy: policy ?? ((requested) => requestedPolicy(name, requested, [ANY_HOST, ...hosts])),
      store,
      http: createScriptedHttp(stage),
      sandbox: "auto",
      runnerUser: NOBODY,
      logger: log.logger,
    });
    stack.use(workbench);
    const version = versionOf(workbench);
    return new TestedPlugin({ workbench, version, stage, log, stack: stack.move() });
  }

  /** The engine that runs it. */
  get engine(): EngineName {
    return this.#parts.version.parts.engine;
  }

  /** The levels that it requests. */
  get requested(): readonly AccessLevel[] {
    return levelsFromBits(this.#parts.version.parts.requested);
  }

  /** Operations so far, by the level that allowed them. */
  get usedLevels(): Readonly<Record<AccessLevel, number>> {
    return this.#parts.workbench.slot.stats.usedLevels;
  }

  /** Begins a scene; nothing of the one before remains. */
  play(setup: SceneSetup): Scene {
    this.#parts.log.take();
    return this.#parts.stage.play(setup);
  }

  /** Sends a request, one at a time, and waits for its reply. */
  async request({ method, id, payload, timeoutMs }: TestRequest): Promise<TestReply> {
    const { data, headers } = await this.#parts.workbench.request({ method, id, payload, timeoutMs });
    const header = (name: string): string | undefined => (headers.has(name) ? headers.get(name) : undefined);
    const code = header(HEADER.error);
    const shared = { id: header(HEADER.id), log: this.#parts.log.take() };
    if (code === undefined) return { kind: "answer", ...shared, status: Number(header(HEADER.status)), body: data };
    return {
      kind: "error",
      ...shared,
      code,
      message: header(HEADER.serviceError) ?? "",
      text: Buffer.from(data).toString(),
      isRetryable: header(HEADER.retryable) === "true",
    };
  }

  /** Ends its processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#parts.stage.scene.end();
    await this.#parts.stack.disposeAsync();
  }
}

function versionOf({ state }: Workbench): PluginVersion {
  if (state.kind === "failed") throw state.error;
  if (state.kind !== "loaded") throw new HostError("internal", "a load that has ended left no outcome");
  const { verdict } = state.version.parts;
  if (verdict.kind === "denied") throw new HostError("denied", describeDenial(verdict));
  return state.version;
}
