/**
 * Probes of a runner: questions for the access levels that its plugin requests. An answer without a question is a
 * violation; a missing answer ends the process when its time is over.
 *
 * @module
 */

import { Violation } from "../../channel/violation.ts";
import { type AccessLevelBits, ALL_ACCESS_LEVEL_BITS } from "../../contract/access-levels.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import { HostError } from "../../errors/host-error.ts";
import { patienceOf, ProcessorDeadline } from "../sandbox/processor-deadline.ts";

/** A probe that waits. */
interface Probe extends PromiseWithResolvers<AccessLevelBits> {
  /** Fails it because its time is over. */
  readonly overdue: (how: "used" | "starved") => void;
  readonly isUsed: () => boolean;
}

export class RunnerProbes {
  readonly #open = new Map<number, Probe>();
  readonly #ranMs: () => number | undefined;

  /** `ranMs` is the runner's time on a processor up to now. */
  constructor(ranMs: () => number | undefined) {
    this.#ranMs = ranMs;
  }

  /** Probes that wait for an answer. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Asks by `send`, which is told how long the runner may take at the most, and waits for the answer. Where none comes in
   * time, calls `expired` with the reason, to end the process. The runner is not to stop the guest earlier, by the clock: then
   * a guest that loops on a busy machine could not be told from one that had no processor. Throws `probe-failed`, or
   * `load-failed` where the runner ended or hardly had a processor.
   */
  async ask(call: number, send: (mostMs: number) => void, expired: (why: string) => void): Promise<AccessLevelBits> {
    const answer = Promise.withResolvers<AccessLevelBits>();
    const timeoutMs = FIXED_LIMITS.probeMs;
    const why = `get-access-levels did not return within ${timeoutMs} ms`;
    const overdue = (how: "used" | "starved"): void =>
      answer.reject(new HostError(how === "used" ? "probe-failed" : "load-failed", why));
    using deadline = new ProcessorDeadline({
      timeoutMs,
      ranMs: this.#ranMs,
      expired: (how) => {
        overdue(how);
        expired(why);
      },
    });
    this.#open.set(call, { ...answer, overdue, isUsed: () => deadline.isUsed });
    send(patienceOf(timeoutMs));
    try {
      return await answer.promise;
    } finally {
      this.#open.delete(call);
    }
  }

  /** Takes the levels of a call; a violation where the call is not a probe. */
  answer(call: number, levels: number): Violation | undefined {
    const probe = this.#open.get(call);
    if (probe === undefined) return new Violation(`levels for call ${call}, which is not a probe`);
    if ((levels & ~ALL_ACCESS_LEVEL_BITS) === 0) probe.resolve(levels);
    else
      probe.reject(
        new HostError("probe-failed", `get-access-levels returned unknown flags (0x${levels.toString(16)})`),
      );
    return undefined;
  }

  /** The runner stopped a call whose time was over. Does nothing where it is not a probe. */
  stop(call: number): void {
    const probe = this.#open.get(call);
    probe?.overdue(probe.isUsed() ? "used" : "starved");
  }

  /** A call failed. Does nothing where it is not a probe. */
  fail(call: number, why: string): void {
    this.#open.get(call)?.reject(new HostError("probe-failed", why));
  }

  /** The runner ended before it could answer. */
  lose(call: number, why: string): void {
    this.#open.get(call)?.reject(new HostError("load-failed", why));
  }

  /** The runner ended: no probe will be answered. */
  loseAll(why: string): void {
    for (const call of this.#open.keys()) this.lose(call, why);
    this.#open.clear();
  }
}
