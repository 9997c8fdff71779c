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
import type { Outcome, RpcRequest } from "../../contract/request.ts";
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

/** Codes of calls that end with their runner. */
type LossCode = "runner-lost" | "memory-exceeded";

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
  #state: "starting" | "ready" | "ending" | "ended" = "starting";
  #closing = false;
  #reason = "";
  #lossCode: LossCode = "runner-lost";
  /** The error's code if the process ends before it is ready. */
  #startCode: "load-failed" | "plugin-unloadable" = "load-failed";
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
    const giveUp = (): void => runner.#end("the load was given up");
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
      isBusy: () => this.#state === "starting" || this.#protocol.isBusy,
      isStarting: () => this.#state === "starting",
      isOverdue: () => this.#state === "ready" && this.#protocol.isOverdue,
      failed: (reason) => this.#end(reason),
      memoryExceeded: (reason) => {
        this.#startCode = "plugin-unloadable";
        this.#end(reason, "memory-exceeded");
      },
      exited: (reason) => {
        this.#end(reason);
        this.#exited.resolve(this.#exit());
      },
    });
    const handlers: ChannelHandlers<RunnerMessage> = {
      receive: (message) => this.#protocol.receive(message),
      violated: ({ reason }) => this.#end(`it broke the protocol: ${reason}`),
      error: (error) => (isGone(error) ? this.#awaitExit() : this.#end(`its channel failed: ${error.message}`)),
      close: () => this.#awaitExit(),
    };
    this.#channel = new Channel(this.#child.socket, HOST_SIDE, handlers, share);
    this.#protocol = new RunnerProtocol({
      channel: this.#channel,
      logBytes: options.config.logBytes,
      share,
      ready: () => this.#becomeReady(),
      failed: (reason) => this.#end(reason),
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
    return this.#state === "ready";
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

  begin(request: RpcRequest, call: RunnerCall): number {
    if (this.#state !== "ready") {
      // Later, so that the caller has the id by then.
      queueMicrotask(() => call.returned());
      return 0;
    }
    this.#child.noteWork();
    return this.#protocol.begin(request, call);
  }

  cancel(id: number, graceMs: number): void {
    this.#protocol.cancel(id, graceMs);
  }

  recall(): void {
    this.#protocol.recall();
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#end("the host closed it");
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
    if (this.#state !== "starting") return new Violation("ready was sent twice");
    this.#state = "ready";
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
    if (this.#state === "ready") this.#state = "ending";
    this.#child.kill();
  }

  /** Ends a process that cannot load its artifact. `isLasting`: no other process can either. */
  #endUnloaded(reason: string, isLasting: boolean): void {
    if (isLasting) this.#startCode = "plugin-unloadable";
    this.#end(reason);
  }

  /** Ends the process. Everything that waits is settled now, not when the process has ended. */
  #end(reason: string, lossCode: LossCode = "runner-lost"): void {
    if (this.#state === "ended") return;
    const wasStarting = this.#state === "starting";
    this.#state = "ended";
    this.#reason = reason;
    this.#lossCode = lossCode;
    clearInterval(this.#idlePing);
    this.#channel.destroy();
    this.#child.kill();
    const explained = this.#explain();
    if (wasStarting) this.#ready.reject(new HostError(this.#startCode, `The plugin's runner failed: ${explained}`));
    this.#protocol.end(reason, explained, this.#lost());
  }

  #exit(): RunnerExit {
    const { stderr, isHog } = this.#child;
    return { reason: this.#reason, stderr, expected: this.#closing, wasHog: isHog };
  }

  #explain(): string {
    const lastLine = this.#child.stderr.trimEnd().split("\n").at(-1) ?? "";
    return lastLine === "" ? this.#reason : `${this.#reason} (${lastLine})`;
  }

  #lost(): Outcome {
    return { kind: "failed", code: this.#lossCode, message: this.#reason };
  }
}
