/**
 * The conversation between the host and one runner: requests and their outcomes, the operations and outbound exchanges
 * of their guests, probes, pings. Knows nothing of the process behind the channel.
 *
 * What the runner sends is untrusted. It commits a {@link Violation}, which ends it, by an answer without a question, a
 * message for a call that is not in flight, or more messages than a guest can cause. Messages for a cancelled call are
 * dropped, since they may have been on their way. What the host keeps for a runner is bounded: values in flight, and
 * bytes that the runner has not read.
 *
 * @module
 */

import { isCapabilityToHost } from "../../capabilities/capabilities.ts";
import { HostLinks } from "../../capabilities/host.ts";
import type { Channel } from "../../channel/channel.ts";
import type { HostMessage, RunnerMessage } from "../../channel/messages/messages.ts";
import { Violation } from "../../channel/violation.ts";
import type { AccessLevelBits } from "../../contract/access-levels.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { Outcome, RpcRequest } from "../../contract/request.ts";
import { machineMs } from "../../scheduling/machine-clock.ts";
import { type ThreadShare, WORK_MS } from "../../fairness/thread-shares.ts";
import { CallLedger } from "./call-ledger.ts";
import type { RunnerCall } from "./runner-call.ts";
import { MakingAllowance } from "./making-allowance.ts";
import { RunnerProbes } from "./runner-probes.ts";
import { SignsOfLife } from "./signs-of-life.ts";
import { MICROS_PER_MS } from "../../contract/time-units.ts";

/** The time to retry after for a request that the backlog of unread bytes kept out. */
const BACKLOG_HINT_MS = 250;

/** Of a call whose guest was stopped. */
const STOPPED = "it computed until its deadline, and was stopped";

/** The channel, the share that the work is charged to, and the events of the runner itself. */
export interface RunnerProtocolOptions {
  readonly channel: Pick<Channel<RunnerMessage, HostMessage>, "bufferedBytes" | "isBehind" | "send">;
  /** What one call may log. */
  readonly logBytes: number;
  readonly share: ThreadShare;
  /** It has loaded its artifact; returns a violation where it has said so before. */
  readonly ready: () => Violation | undefined;
  /** It cannot or must not go on: {@link RunnerProtocol.end} follows. */
  readonly failed: (reason: string) => void;
  /** It cannot load its artifact; `isLasting`: no other process can either. {@link RunnerProtocol.end} follows. */
  readonly unloaded: (reason: string, isLasting: boolean) => void;
  /** Its time on a processor up to now, where this machine reports it. */
  readonly ranMs: () => number | undefined;
  /** This much of that time went into making instances. */
  readonly instanceMade: (ms: number) => void;
  /** An answer to a ping has become late, or none is late any longer. */
  readonly latenessChanged: (isLate: boolean) => void;
}

export class RunnerProtocol {
  readonly #parts: RunnerProtocolOptions;
  readonly #calls: CallLedger;
  readonly #links: HostLinks;
  readonly #probes: RunnerProbes;
  readonly #signs: SignsOfLife;
  readonly #proven = Promise.withResolvers<void>();
  /** Why the conversation ended; `undefined` while it goes on. */
  #endReason: string | undefined;
  #callsBegun = 0;
  readonly #making = new MakingAllowance();
  /** Resolves when the last call has ended, for {@link idle}. */
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(parts: RunnerProtocolOptions) {
    const { channel, failed, logBytes, share, ranMs, latenessChanged } = parts;
    this.#parts = parts;
    this.#calls = new CallLedger(logBytes);
    this.#probes = new RunnerProbes(ranMs);
    this.#links = new HostLinks({
      calls: this.#calls,
      transfers: share.transfers,
      send: (message, workMs) => this.#sendCharged(message, workMs),
      bufferedBytes: () => channel.bufferedBytes,
    });
    this.#signs = new SignsOfLife({
      send: (nonce) => channel.send({ kind: "ping", nonce }),
      failed,
      isBehind: () => channel.isBehind,
      ranMs,
      latenessChanged,
    });
  }

  /** See `Runner`, as for all members that it has too. */
  get callsInFlight(): number {
    return this.#calls.waiting;
  }

  get callsBegun(): number {
    return this.#callsBegun;
  }

  get isQuiet(): boolean {
    return this.#calls.waiting === 0 && !this.#signs.isOwed;
  }

  get callsUnbegun(): number {
    return this.#calls.unbegun(this.#signs.answered).length;
  }

  get proven(): Promise<void> {
    return this.#proven.promise;
  }

  /** Does the host wait for a call, a probe or the answer to a ping? */
  get isBusy(): boolean {
    return this.#calls.waiting > 0 || this.#probes.size > 0 || this.#signs.isOwed;
  }

  /** Is the answer to a ping overdue because the runner had no processor? */
  get isOverdue(): boolean {
    return this.#signs.isOverdue;
  }

  async probe(): Promise<AccessLevelBits> {
    const call = this.#calls.newId();
    this.#calls.open(call, this.#signs.asked);
    const send = (mostMs: number): void => {
      const due = machineMs(performance.now() + mostMs);
      if (this.#endReason === undefined) this.#parts.channel.send({ kind: "probe", call, due });
      else this.#probes.lose(call, `the runner has ended: ${this.#endReason}`);
    };
    return await this.#probes.ask(call, send, this.#parts.failed);
  }

  begin(request: RpcRequest, call: RunnerCall, nowMs: number): number {
    const { channel } = this.#parts;
    const id = this.#calls.newId();
    this.#callsBegun += 1;
    if (channel.bufferedBytes > FIXED_LIMITS.runnerBacklogBytes) {
      const message = "the plugin's process has not read what was sent to it before";
      call.settle({ kind: "failed", code: "overloaded", message, retryAfterMs: BACKLOG_HINT_MS });
      return id;
    }
    if (this.#calls.waiting > 0) this.#signs.askBefore(nowMs);
    this.#calls.open(id, this.#signs.asked, call);
    channel.send({ kind: "request", call: id, due: machineMs(nowMs + call.remainingMs()), request });
    return id;
  }

  cancel(id: number, graceMs: number): void {
    if (!this.#calls.cancel(id) || this.#endReason !== undefined) return;
    this.#noteCallEnd();
    this.#links.cancelCall(id);
    this.#parts.channel.send({ kind: "cancel", call: id });
    this.#signs.ask(() => {
      this.#calls.forget(id);
      this.#links.forgetCall(id);
      this.#proven.resolve();
    }, graceMs);
  }

  /** The host refuses what a guest may still do for one of these calls, as for any cancelled call. */
  recall(): void {
    for (const id of this.#calls.unbegun(this.#signs.answered)) {
      const call = this.#calls.listener(id);
      this.cancel(id, Number.POSITIVE_INFINITY);
      call?.returned();
    }
  }

  /** Resolves when no call is in flight. */
  async idle(): Promise<void> {
    if (this.#calls.waiting === 0) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  /** The runner prepares instances while it is idle, which runs guest code: that must end as well. */
  checkIdle(): void {
    if (this.isQuiet && this.#endReason === undefined) this.#signs.ask(() => undefined, FIXED_LIMITS.idleComputeMs);
  }

  /** Acts on a message of the runner; returns a violation where the message is not allowed. */
  receive(message: RunnerMessage): Violation | undefined {
    if (isCapabilityToHost(message)) return this.#links.receive(message);
    switch (message.kind) {
      case "ready":
        return this.#parts.ready();
      case "failed":
        this.#parts.unloaded(`it could not load the artifact: ${message.message}`, message.isLasting);
        return undefined;
      case "levels": {
        const call = this.#calls.close(message.call);
        if (call instanceof Violation) return call;
        this.#links.endCall(message.call);
        return this.#probes.answer(message.call, message.levels);
      }
      case "pong":
        return this.#signs.hear(message.nonce);
      case "log":
        return this.#tell(message.call, message.message.length, (call) => call.log(message.level, message.message));
      case "output":
        return this.#tell(message.call, message.text.length, (call) => call.output(message.stream, message.text));
      case "dropped":
        return this.#tell(message.call, 0, (call) => call.dropped(message.dropped));
      case "response":
        return this.#settle(message.call, { kind: "ok", response: message.response });
      case "oversize": {
        const why = `the plugin's body has ${message.bytes} bytes`;
        return this.#settle(message.call, { kind: "failed", code: "reply-too-large", message: why });
      }
      case "plugin-error":
        return this.#settle(message.call, { kind: "plugin-error", message: message.message });
      case "trap":
        return this.#receiveTrap(message.call, message.message);
      case "stopped":
        return this.#receiveStop(message.call);
      case "instance-made":
        this.#parts.instanceMade(this.#making.take(message.micros / MICROS_PER_MS, this.#callsBegun));
        return undefined;
    }
  }

  /**
   * Ends the conversation: settles everything that waits. Idempotent.
   *
   * @param reason for probes that come later
   * @param explained the reason, for the probes that wait
   * @param lost the outcome of the calls that had begun
   */
  end(reason: string, explained: string, lost: Outcome): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#signs.stop();
    this.#probes.loseAll(`The runner ended: ${explained}`);
    this.#links.endAll();
    const unbegun = this.#calls.unbegun(this.#signs.answered).flatMap((id) => {
      const call = this.#calls.listener(id);
      this.#calls.cancel(id);
      return call ?? [];
    });
    // There may be hundreds of calls, and each gets a reply and a log record: they take turns.
    const { turns } = this.#parts.share;
    for (const call of this.#calls.clear()) turns.run(() => call.settle(lost));
    for (const call of unbegun) turns.run(() => call.returned());
    this.#idle?.resolve();
  }

  /** Passes a call's log or output to its listener, if it has one. */
  #tell(id: number, characters: number, tell: (call: RunnerCall) => void): Violation | undefined {
    const call = this.#calls.hear(id, characters);
    if (call instanceof Violation) return call;
    if (call !== undefined) tell(call);
    return undefined;
  }

  #receiveTrap(call: number, message: string): Violation | undefined {
    this.#charge(WORK_MS.trap);
    const violation = this.#settle(call, { kind: "trap", message });
    if (violation === undefined) this.#probes.fail(call, `get-access-levels trapped: ${message}`);
    return violation;
  }

  /** The call is due, by the machine's clock, and the timer of its deadline has settled it or is about to. */
  #receiveStop(call: number): Violation | undefined {
    const violation = this.#settle(call, { kind: "failed", code: "deadline-exceeded", message: STOPPED });
    if (violation === undefined) this.#probes.stop(call);
    return violation;
  }

  #settle(id: number, outcome: Outcome): Violation | undefined {
    const call = this.#calls.close(id);
    if (call instanceof Violation) return call;
    const { listener, usedCapability } = call;
    if (usedCapability) this.#links.endCall(id);
    if (listener === undefined) return undefined;
    this.#proven.resolve();
    listener.settle(outcome);
    this.#noteCallEnd();
    return undefined;
  }

  #noteCallEnd(): void {
    if (this.#idle === undefined || this.#calls.waiting > 0) return;
    this.#idle.resolve();
    this.#idle = undefined;
  }

  #sendCharged(message: HostMessage, ms: number): void {
    this.#charge(ms);
    this.#parts.channel.send(message);
  }

  /** Charges the plugin for work on the host's thread outside its turns. */
  #charge(ms: number): void {
    this.#parts.share.spend(ms, performance.now());
  }
}
