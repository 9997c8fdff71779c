/**
 * One runner: a child process that executes one artifact, from its start to its end. `runner-protocol.ts` has the
 * conversation with it; `runner-child.ts` has the operating system's side of it.
 *
 * A malformed frame ends the process, and so does any other violation of the protocol. However it ends, every call on
 * it is settled or returned at once.
 *
 * @module
 */

import { Channel, type ChannelHandlers } from "../../channel/channel.ts";
import { HOST_SIDE, type HostMessage, type RunnerMessage } from "../../channel/messages/messages.ts";
import { Violation } from "../../channel/violation.ts";
import type { AccessLevelBits } from "../../contract/access-levels.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { RpcRequest } from "../../contract/request.ts";
import { HostError } from "../../errors/host-error.ts";
import { isShortage } from "../../errors/shortage.ts";
import { type ThreadShare, ThreadShares } from "../../fairness/thread-shares.ts";
import { ProcessorDeadline } from "../sandbox/processor-deadline.ts";
import { startChild, type StartedChild } from "../sandbox/start-child.ts";
import type { CpuSample, Runner, RunnerExit } from "./runner.ts";
import type { RunnerCall } from "./runner-call.ts";
import { RunnerChild, runnerCommand, type RunnerOptions } from "./runner-child.ts";
import { RunnerProtocol } from "./runner-protocol.ts";

/** How often a runner without calls gets a ping. */
const IDLE_PING_MS = 2_500;

/** How a runner ended. */
interface Ending {
  readonly reason: string;
  /** The code of the calls that end with it. */
  readonly lossCode?: "runner-lost" | "memory-exceeded";
  /** The code of its start, if it ends before it is ready. */
  readonly startCode?: "load-failed" | "plugin-unloadable";
  readonly isExpected?: boolean;
}

type State =
  | { readonly kind: "starting" }
  | { readonly kind: "ready" }
  /** Its channel is closed; how it ended is not known yet. */
  | { readonly kind: "ending" }
  | ({ readonly kind: "ended" } & Ending);

/** Did the process close its end while messages to it were in flight? */
function isGone(error: Error): boolean {
  return "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

export class RunnerProcess implements Runner, AsyncDisposable {
  readonly #child: RunnerChild;
  readonly #channel: Channel<RunnerMessage, HostMessage>;
  readonly #protocol: RunnerProtocol;
  readonly #ready = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<RunnerExit>();
  #state: State = { kind: "starting" };
  #idlePing: NodeJS.Timeout | undefined;
  #isLate = false;
  #latenessChanged: (() => void) | undefined;

  /**
   * Starts a process and waits until it has loaded its artifact, or `signal` aborts. Throws `plugin-unloadable` where
   * no process can ever load it, `resources-exhausted` where the machine has no descriptor, process or memory left for
   * one, or `load-failed`. No process is left then.
   */
  static async start(options: RunnerOptions, signal?: AbortSignal): Promise<RunnerProcess> {
    await options.confinement?.openFolder(options.config.artifactDir);
    if (signal?.aborted === true) throw new HostError("load-failed", "the load was given up");
    const runner = await RunnerProcess.#launch(options);
    const giveUp = (): void => void runner.#end({ reason: "the load was given up" });
    signal?.addEventListener("abort", giveUp, { once: true });
    const timeoutMs = FIXED_LIMITS.loadMs;
    using _deadline = new ProcessorDeadline({
      timeoutMs,
      ranMs: () => runner.cpuSample()?.ranMs,
      expired: (how) => runner.#endUnloaded(`it was not ready within ${timeoutMs} ms`, how === "used"),
    });
    try {
      await runner.#ready.promise;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
    runner.#watchIdle();
    return runner;
  }

  static async #launch(options: RunnerOptions): Promise<RunnerProcess> {
    const share = options.share ?? new ThreadShares().of("");
    try {
      const startMs = performance.now();
      const starting = startChild(runnerCommand(options));
      // `spawn` blocks this thread, for milliseconds where the host's memory is large.
      const startedMs = performance.now();
      share.spend(startedMs - startMs, startedMs);
      return new RunnerProcess(await starting, options, share);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const code = isShortage(error) ? "resources-exhausted" : "load-failed";
      throw new HostError(code, `The plugin's runner could not be started: ${why}`, { cause: error });
    }
  }

  private constructor(child: StartedChild, options: RunnerOptions, share: ThreadShare) {
    // A runner may end while nothing awaits this promise: its rejection must not count as unhandled.
    this.#ready.promise.catch(() => undefined);
    this.#child = new RunnerChild(child, options, {
      isBusy: () => this.#state.kind === "starting" || this.#protocol.isBusy,
      isStarting: () => this.#state.kind === "starting",
      isOverdue: () => this.#state.kind === "ready" && this.#protocol.isOverdue,
      failed: (reason) => this.#end({ reason }),
      memoryExceeded: (reason) => this.#end({ reason, lossCode: "memory-exceeded", startCode: "plugin-unloadable" }),
      exited: (reason) => this.#exited.resolve(this.#exit(this.#end({ reason }))),
    });
    const handlers: ChannelHandlers<RunnerMessage> = {
      receive: (message) => this.#protocol.receive(message),
      violated: ({ reason }) => this.#end({ reason: `it broke the protocol: ${reason}` }),
      error: (error) =>
        isGone(error) ? this.#awaitExit() : this.#end({ reason: `its channel failed: ${error.message}` }),
      close: () => this.#awaitExit(),
    };
    this.#channel = new Channel(this.#child.socket, HOST_SIDE, handlers, share);
    this.#protocol = new RunnerProtocol({
      channel: this.#channel,
      logBytes: options.config.logBytes,
      share,
      ready: () => this.#becomeReady(),
      failed: (reason) => this.#end({ reason }),
      unloaded: (reason, isLasting) => this.#endUnloaded(reason, isLasting),
      ranMs: () => this.#child.cpuSample()?.ranMs,
      instanceMade: (ms) => this.#child.noteMaking(ms),
      latenessChanged: (isLate) => {
        this.#isLate = isLate;
        this.#latenessChanged?.();
      },
    });
  }

  /** The process's id, for logs and tests. */
  get pid(): number {
    return this.#child.pid;
  }

  get exited(): Promise<RunnerExit> {
    return this.#exited.promise;
  }

  get proven(): Promise<void> {
    return this.#protocol.proven;
  }

  get isReady(): boolean {
    return this.#state.kind === "ready";
  }

  get isQuiet(): boolean {
    return this.#protocol.isQuiet;
  }

  get isLate(): boolean {
    return this.#isLate;
  }

  get callsUnbegun(): number {
    return this.#protocol.callsUnbegun;
  }

  get callsInFlight(): number {
    return this.#protocol.callsInFlight;
  }

  get callsBegun(): number {
    return this.#protocol.callsBegun;
  }

  get isHog(): boolean {
    return this.#child.isHog;
  }

  cpuSample(): CpuSample | undefined {
    return this.#child.cpuSample();
  }

  async probe(): Promise<AccessLevelBits> {
    this.#child.noteWork();
    return await this.#protocol.probe();
  }

  watchLateness(changed: () => void): void {
    this.#latenessChanged = changed;
  }

  begin(request: RpcRequest, call: RunnerCall, nowMs: number = performance.now()): number {
    if (this.#state.kind !== "ready") {
      // Later, so that the caller has the id by then.
      queueMicrotask(() => call.returned());
      return 0;
    }
    this.#child.noteWork();
    return this.#protocol.begin(request, call, nowMs);
  }

  cancel(id: number, graceMs: number): void {
    this.#protocol.cancel(id, graceMs);
  }

  recall(): void {
    this.#protocol.recall();
  }

  async close(): Promise<void> {
    this.#end({ reason: "the host closed it", isExpected: true });
    await this.#exited.promise;
  }

  async drain(): Promise<void> {
    await this.#protocol.idle();
    await this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #becomeReady(): Violation | undefined {
    if (this.#state.kind !== "starting") return new Violation("ready was sent twice");
    this.#state = { kind: "ready" };
    this.#ready.resolve();
    return undefined;
  }

  #watchIdle(): void {
    this.#idlePing = setInterval(() => this.#protocol.checkIdle(), IDLE_PING_MS);
    this.#idlePing.unref();
  }

  /**
   * Its channel has closed or failed: the process is ending. How it ends says whether its memory was exceeded, so what waits
   * is settled then. Killing it changes nothing for one that is ending already, and bounds the time for any other.
   */
  #awaitExit(): void {
    if (this.#state.kind === "ready") this.#state = { kind: "ending" };
    this.#child.kill();
  }

  /** Ends a process that cannot load its artifact. `isLasting`: no other process can either. */
  #endUnloaded(reason: string, isLasting: boolean): void {
    this.#end(isLasting ? { reason, startCode: "plugin-unloadable" } : { reason });
  }

  /** Ends the process, and returns how it ended. Everything that waits is settled now, not when the process has ended. */
  #end(ending: Ending): Ending {
    if (this.#state.kind === "ended") return this.#state;
    const wasStarting = this.#state.kind === "starting";
    this.#state = { kind: "ended", ...ending };
    const { reason, lossCode = "runner-lost", startCode = "load-failed" } = ending;
    clearInterval(this.#idlePing);
    this.#channel.destroy();
    this.#child.kill();
    const explained = this.#explain(reason);
    if (wasStarting) this.#ready.reject(new HostError(startCode, `The plugin's runner failed: ${explained}`));
    this.#protocol.end(reason, explained, { kind: "failed", code: lossCode, message: reason });
    return ending;
  }

  #exit({ reason, isExpected = false }: Ending): RunnerExit {
    const { stderr, isHog } = this.#child;
    return { reason, stderr, expected: isExpected, wasHog: isHog };
  }

  #explain(reason: string): string {
    const lastLine = this.#child.stderr.trimEnd().split("\n").at(-1) ?? "";
    return lastLine === "" ? reason : `${reason} (${lastLine})`;
  }
}
