/**
 * The processes of one plugin that take calls now. The set picks the process for the next call and advises when there
 * should be more or fewer; it starts and ends none itself. A retired process leaves the set at once, so no new call can
 * reach it.
 *
 * @module
 */

import { cpuShareBetween } from "../process/cpu-share.ts";
import type { CpuSample, Runner } from "../process/runner.ts";
import { adviseSize, type CpuUse, type RunnerUse, type SizeAdvice, type SizeBounds } from "./runner-size.ts";

/** Reviews that must agree before one more process is started: a short burst is over by then. */
const LOOKS_TO_GROW = 2;
/** Before one is retired: starting it again costs more than keeping it for a while. */
const LOOKS_TO_SHRINK = 20;

interface Member {
  readonly process: Runner;
  /** When a review last found it busy. */
  busyMs: number;
  /** Calls that had begun on it at the last review. */
  callsBegun: number;
  cpu: CpuSample | undefined;
}

export class RunnerSet {
  readonly #bounds: SizeBounds;
  /** From the oldest to the youngest. */
  readonly #members: Member[] = [];
  #advice: SizeAdvice = "keep";
  /** Reviews in a row that gave this advice. */
  #looks = 0;

  constructor(bounds: SizeBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#members.length;
  }

  /** Is one of them a hog? Then a further one will be as well. */
  get hasHog(): boolean {
    return this.#members.some(({ process }) => process.isHog);
  }

  /** Is there a call that its process has certainly not begun? */
  get hasUnbegun(): boolean {
    return this.#members.some(({ process }) => process.callsUnbegun > 0);
  }

  /** Takes back the calls that wait behind computing guests. */
  recallFromLate(): void {
    for (const { process } of this.#members) if (process.isLate) process.recall();
  }

  /** Each process's processor time up to now. */
  samples(): ReadonlyMap<Runner, CpuSample | undefined> {
    return new Map(this.#members.map(({ process }) => [process, process.cpuSample()]));
  }

  /** Did a late process compute for `ms` since then? Assumes so where this machine does not report it. */
  hasComputed(since: ReadonlyMap<Runner, CpuSample | undefined>, ms: number): boolean {
    return this.#members.some(({ process }) => {
      const [before, now] = [since.get(process), process.cpuSample()];
      if (!process.isLate) return false;
      return before === undefined || now === undefined || now.ranMs - before.ranMs >= ms;
    });
  }

  add(process: Runner): void {
    const { callsBegun } = process;
    this.#members.push({ process, callsBegun, busyMs: performance.now(), cpu: process.cpuSample() });
    this.#looks = 0;
  }

  /** False where it was not in the set. */
  remove(process: Runner): boolean {
    const index = this.#members.findIndex((member) => member.process === process);
    if (index !== -1) this.#members.splice(index, 1);
    this.#looks = 0;
    return index !== -1;
  }

  /** Takes all processes out. */
  clear(): Runner[] {
    return this.#members.splice(0).map(({ process }) => process);
  }

  /** Takes the youngest process out. */
  pop(): Runner | undefined {
    this.#looks = 0;
    return this.#members.pop()?.process;
  }

  /**
   * The process for the next call: the one with the fewest calls in flight; of equals the oldest, whose instances are
   * warm. `undefined` where no process is ready, or every ready one is late.
   */
  pick(): Runner | undefined {
    let picked: Runner | undefined;
    for (const { process } of this.#members) {
      if (!process.isReady || process.isLate) continue;
      if (picked === undefined || process.callsInFlight < picked.callsInFlight) picked = process;
    }
    return picked;
  }

  /**
   * Reviews what the processes did since the last review. Advises to grow or shrink only when several in a row agree.
   */
  review(): SizeAdvice {
    const nowMs = performance.now();
    const advice = adviseSize(
      this.#members.map((member) => useOf(member, nowMs)),
      this.#bounds,
    );
    this.#looks = advice === this.#advice ? this.#looks + 1 : 1;
    this.#advice = advice;
    if (advice === "grow" && this.#looks < LOOKS_TO_GROW) return "keep";
    if (advice === "shrink" && this.#looks < LOOKS_TO_SHRINK) return "keep";
    return advice;
  }
}

/** What the member did since the last review; records this one. */
function useOf(member: Member, nowMs: number): RunnerUse {
  const { process } = member;
  const { callsBegun, callsInFlight } = process;
  const calls = callsBegun - member.callsBegun;
  if (callsInFlight > 0 || calls > 0) member.busyMs = nowMs;
  const before = member.cpu;
  member.callsBegun = callsBegun;
  member.cpu = process.cpuSample();
  const cpu = before === undefined || member.cpu === undefined ? undefined : cpuUse(before, member.cpu, calls);
  return { callsInFlight, idleMs: nowMs - member.busyMs, cpu };
}

function cpuUse(before: CpuSample, now: CpuSample, calls: number): CpuUse {
  const { ownMs, ranMs, share } = cpuShareBetween(before, now);
  // For a process that had no processor, nothing shows what it would have computed.
  return { computed: ownMs < 1 ? 0 : share, callMs: ranMs / Math.max(1, calls) };
}
