/**
 * One runner: a child process that executes one artifact, seen from the host.
 *
 * What it sends is untrusted. A frame that breaks the layout, an answer to a question nobody asked, a message
 * of a call that is not under way or more of them than a guest can cause ends the process; messages of a call
 * that was cancelled are dropped, since they may have been on their way. What the host keeps for a runner is
 * bounded: values under way, bytes that it does not read, its words on stderr. However the process ends, every
 * call on it is settled, at once.
 *
 * @module
 */

import { Channel, type ChannelHandlers } from "../../channel/channel.ts";
import { FrameError } from "../../channel/codec.ts";
import { decodeRunnerMessage, type HostMessage, type RunnerMessage } from "../../channel/messages.ts";
import type { AccessLevelBits } from "../../contract/access-levels.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { Outcome, RpcRequest } from "../../contract/request.ts";
import { HostError } from "../../errors/host-error.ts";
import { CallLedger } from "./call-ledger.ts";
import type { CpuSample } from "./cpu-watch.ts";
import { HttpExchanges } from "./http-exchanges.ts";
import type { RunnerCall } from "./runner-call.ts";
import { RunnerChild, type RunnerOptions } from "./runner-child.ts";
import { RunnerOperations } from "./runner-operations.ts";
import { RunnerProbes } from "./runner-probes.ts";
import { type ThreadShare, ThreadShares, WORK_MS } from "../../fairness/thread-shares.ts";
import { Watchdog } from "./watchdog.ts";

/** How a runner ended, for the log. */
export interface RunnerExit {
  readonly reason: string;
  /** The last lines it wrote to stderr, bounded. */
  readonly stderr: string;
  /** Did {@link RunnerProcess.close} end it? */
  readonly expected: boolean;
  /** Did it hardly rest, up to its end? */
  readonly wasHog: boolean;
}

/** When a request that found too many bytes before it may be sent again. */
const BACKLOG_HINT_MS = 250;

/** How often a runner without calls is asked for a sign of life. */
const IDLE_PING_MS = 2_500;

/** Codes of calls that end with their runner. */
type LossCode = "runner-lost" | "memory-exceeded";

export class RunnerProcess implements AsyncDisposable {
  readonly #child: RunnerChild;
  readonly #channel: Channel<HostMessage>;
  readonly #calls: CallLedger;
  readonly #share: ThreadShare;
  readonly #exchanges = new HttpExchanges((message) => {
    this.#charge(WORK_MS.httpMessage);
    this.#channel.send(message);
  });
  readonly #probes = new RunnerProbes();
  readonly #operations: RunnerOperations;
  readonly #ready = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<RunnerExit>();
  #state: "starting" | "ready" | "ended" = "starting";
  #closing = false;
  #reason = "";
  #lossCode: LossCode = "runner-lost";
  #callsBegun = 0;
  #idlePing: NodeJS.Timeout | undefined;
  readonly #watchdog = new Watchdog(
    FIXED_LIMITS.unresponsiveMs,
    () => this.#end("a guest kept computing after its request's deadline"),
    () => this.#channel.isBehind,
  );
  readonly #proven = Promise.withResolvers<void>();
  /** Somebody waits for its last call. */
  #drained: PromiseWithResolvers<void> | undefined;

  /** Starts a process and waits until its artifact is compiled, or `signal` aborts. Throws `load-failed`; no process is left then. */
  static async start(options: RunnerOptions, signal?: AbortSignal): Promise<RunnerProcess> {
    await options.confinement?.openFolder(options.config.artifactDir);
    if (signal?.aborted === true) throw new HostError("load-failed", "the load was given up");
    const runner = new RunnerProcess(options);
    const giveUp = (): void => runner.#end("the load was given up");
    signal?.addEventListener("abort", giveUp, { once: true });
    const timer = setTimeout(
      () => runner.#end(`it was not ready within ${FIXED_LIMITS.loadMs} ms`),
      FIXED_LIMITS.loadMs,
    );
    try {
      await runner.#ready.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    }
    runner.#watchIdle();
    return runner;
  }

  private constructor(options: RunnerOptions) {
    // A rejection is for whoever awaits it; a runner may also end when nobody does.
    this.#ready.promise.catch(() => undefined);
    this.#calls = new CallLedger(options.config.logBytes);
    this.#share = options.share ?? new ThreadShares().of("");
    const startMs = performance.now();
    this.#child = new RunnerChild(options, {
      isBusy: () => this.#state === "starting" || this.#calls.waiting > 0 || this.#probes.size > 0,
      isStarting: () => this.#state === "starting",
      failed: (reason) => this.#end(reason),
      memoryExceeded: (reason) => this.#end(reason, "memory-exceeded"),
      exited: (reason) => {
        this.#end(reason);
        this.#exited.resolve(this.#exit());
      },
    });
    // A process is started on this thread, for milliseconds where the host is large.
    this.#charge(performance.now() - startMs);
    const handlers: ChannelHandlers = {
      frame: (kind, payload) => this.#receive(decodeRunnerMessage(kind, payload)),
      error: (error) => this.#end(`its channel failed: ${error.message}`),
      close: () => this.#end("it closed its channel"),
    };
    this.#channel = new Channel<HostMessage>(this.#child.socket, handlers, this.#share);
    this.#operations = new RunnerOperations({
      calls: this.#calls,
      transfers: this.#share.transfers,
      send: (message) => {
        this.#charge(WORK_MS.storeOperation);
        this.#channel.send(message);
      },
      bufferedBytes: () => this.#channel.bufferedBytes,
    });
  }

  /** The process's id, for logs and tests. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Settles when the process has ended, in whatever way. Never rejects. */
  get exited(): Promise<RunnerExit> {
    return this.#exited.promise;
  }

  get isReady(): boolean {
    return this.#state === "ready";
  }

  /** Calls that are not settled. */
  get callsInFlight(): number {
    return this.#calls.waiting;
  }

  /** Requests that were ever begun on it. */
  get callsBegun(): number {
    return this.#callsBegun;
  }

  /** What its main thread did up to now; `undefined` where this machine does not tell. */
  cpuSample(): CpuSample | undefined {
    return this.#child.cpuSample();
  }

  /** Is no call in flight and no sign of life owed for one that was given up? */
  get isQuiet(): boolean {
    return this.#calls.waiting === 0 && !this.#watchdog.isOwed;
  }

  /** Resolves once a request has ended and the process was seen alive after it. May never. */
  get proven(): Promise<void> {
    return this.#proven.promise;
  }

  /** Asks `get-access-levels` of an instance with every capability denied. Throws `probe-failed`. */
  async probe(): Promise<AccessLevelBits> {
    const call = this.#newId();
    this.#calls.open(call);
    this.#child.noteWork();
    const send = (): void => {
      if (this.#state === "ended") this.#probes.fail(call, `the runner has ended: ${this.#reason}`);
      else this.#channel.send({ kind: "probe", call });
    };
    return await this.#probes.ask(call, send, (why) => this.#end(why));
  }

  /** Starts a request; `call.settle` tells how it ended. Returns the id to {@link cancel} it by. */
  begin(request: RpcRequest, call: RunnerCall): number {
    const id = this.#newId();
    this.#callsBegun += 1;
    if (this.#state !== "ready") {
      call.settle(this.#lost());
      return id;
    }
    if (this.#channel.bufferedBytes > FIXED_LIMITS.runnerBacklogBytes) {
      const message = "the plugin's process has not read what was sent to it before";
      call.settle({ kind: "failed", code: "overloaded", message, retryAfterMs: BACKLOG_HINT_MS });
      return id;
    }
    this.#calls.open(id, call);
    this.#child.noteWork();
    this.#channel.send({ kind: "request", call: id, request });
    return id;
  }

  /**
   * Gives a call up, without a word to it. If the runner does not answer a ping soon after, its guest is
   * computing and cannot be stopped otherwise: the process is killed. A plugin may compute until its own deadline,
   * which is in `graceMs`, though its caller waits no longer: callers must not be able to end its process.
   */
  cancel(id: number, graceMs: number): void {
    if (!this.#calls.cancel(id) || this.#state !== "ready") return;
    this.#noteCallEnd();
    this.#exchanges.cancelCall(id);
    this.#channel.send({ kind: "cancel", call: id });
    const nonce = this.#watchdog.expect(() => {
      this.#calls.forget(id);
      this.#exchanges.forgetCall(id);
      this.#proven.resolve();
    }, graceMs);
    this.#channel.send({ kind: "ping", nonce });
  }

  /** Ends the process. Calls still on it are settled as lost. Idempotent; resolves when it is gone. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#end("the host closed it");
    await this.#exited.promise;
  }

  /** Lets the calls on it be answered, which their deadlines bound, and ends it. Begin no call on it any more. */
  async drain(): Promise<void> {
    if (this.#state === "ready" && this.#calls.waiting > 0) {
      this.#drained ??= Promise.withResolvers<void>();
      await this.#drained.promise;
    }
    await this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Guest code runs also while instances are prepared in idle moments: that must come to an end as well. */
  #watchIdle(): void {
    this.#idlePing = setInterval(() => {
      if (this.#state !== "ready" || !this.isQuiet) return;
      const nonce = this.#watchdog.expect(() => undefined, FIXED_LIMITS.idleComputeMs);
      this.#channel.send({ kind: "ping", nonce });
    }, IDLE_PING_MS);
    this.#idlePing.unref();
  }

  #newId(): number {
    let id: number;
    do id = this.#calls.newId();
    while (this.#probes.has(id));
    return id;
  }

  #receive(message: RunnerMessage): void {
    switch (message.kind) {
      case "ready":
        if (this.#state !== "starting") throw new FrameError("ready was sent twice");
        this.#state = "ready";
        this.#ready.resolve();
        return;
      case "failed":
        this.#end(`it could not load the artifact: ${message.message}`);
        return;
      case "levels":
        this.#calls.close(message.call);
        this.#probes.answer(message.call, message.levels);
        return;
      case "pong":
        if (!this.#watchdog.answer(message.nonce)) throw new FrameError("a pong without its ping");
        return;
      case "kv-get":
      case "kv-set":
        this.#operations.perform(message);
        return;
      case "http-request":
        this.#exchanges.open(message, this.#calls.beginHttp(message.call));
        return;
      case "http-body":
      case "http-finish":
      case "http-read":
      case "http-abort":
        this.#exchanges.receive(message);
        return;
      case "log":
        this.#calls.hear(message.call, message.message.length)?.log(message.level, message.message);
        return;
      case "output":
        this.#calls.hear(message.call, message.text.length)?.output(message.stream, message.text);
        return;
      case "dropped":
        this.#calls.hear(message.call, 0)?.dropped(message.dropped);
        return;
      case "response":
        this.#settle(message.call, { kind: "ok", response: message.response });
        return;
      case "oversize":
        this.#settle(message.call, {
          kind: "failed",
          code: "reply-too-large",
          message: `the plugin's body has ${message.bytes} bytes`,
        });
        return;
      case "plugin-error":
        this.#settle(message.call, { kind: "plugin-error", message: message.message });
        return;
      case "trap":
        this.#receiveTrap(message.call, message.message);
        return;
    }
  }

  #receiveTrap(call: number, message: string): void {
    this.#charge(WORK_MS.trap);
    this.#settle(call, { kind: "trap", message });
    this.#probes.fail(call, `get-access-levels trapped: ${message}`);
  }

  /** The plugin has used the host's thread outside its turns. */
  #charge(ms: number): void {
    this.#share.spend(ms, performance.now());
  }

  #settle(id: number, outcome: Outcome): void {
    const call = this.#calls.close(id);
    if (call === undefined) return;
    this.#exchanges.endCall(id);
    this.#proven.resolve();
    call.settle(outcome);
    this.#noteCallEnd();
  }

  #noteCallEnd(): void {
    if (this.#drained !== undefined && this.#calls.waiting === 0) this.#drained.resolve();
  }

  /** Ends the process for a reason. Everything that waits is settled now, not when the process is gone. */
  #end(reason: string, lossCode: LossCode = "runner-lost"): void {
    if (this.#state === "ended") return;
    const wasStarting = this.#state === "starting";
    this.#state = "ended";
    this.#reason = reason;
    this.#lossCode = lossCode;
    clearInterval(this.#idlePing);
    this.#watchdog.stop();
    this.#channel.destroy();
    this.#child.kill();
    if (this.#child.pid === undefined) this.#exited.resolve(this.#exit());
    if (wasStarting) this.#ready.reject(new HostError("load-failed", `The plugin's runner failed: ${this.#explain()}`));
    this.#probes.failAll(`The runner ended: ${this.#explain()}`);
    this.#exchanges.endAll();
    const lost = this.#lost();
    // Each gets a reply and a record, hundreds of them at this moment.
    for (const call of this.#calls.clear()) this.#share.turns.run(() => call.settle(lost));
    this.#drained?.resolve();
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
