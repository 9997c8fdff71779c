/**
 * How many processes a plugin should have: a pure rule over what each of them did since the last look.
 *
 * One process is best for a plugin that waits (for the store, for an answer): its calls share instances, frames
 * and store batches. A further one helps only where each of them computes without pausing, has calls that wait for
 * that, and spends so much on a call that the host is not what holds the plugin up. It is let go when the others
 * could do its work and still rest, when nothing has asked for it, or when the plugin may not have as many any more.
 *
 * @module
 */

import { RESTLESS_SHARE } from "../process/cpu-share.ts";

/** What a process did between two looks. */
export interface CpuUse {
  /** Share of the time that was its own to use in which it computed. Time without a processor was not its own. */
  readonly computed: number;
  /** Time on a processor for each call that began. */
  readonly callMs: number;
}

/** One process of a plugin. */
export interface RunnerUse {
  readonly callsInFlight: number;
  /** Milliseconds since it had anything to do. */
  readonly idleMs: number;
  /** `undefined` where this machine does not tell. */
  readonly cpu: CpuUse | undefined;
}

/** What a plugin may have. */
export interface SizeBounds {
  /** Processes, at most; may be another number at each look. */
  readonly runners: number;
  /** A process that was idle for so long is let go. */
  readonly idleMs: number;
}

/** What would be right now; `grow` and `shrink` by one process, the youngest. */
export type SizeAdvice = "keep" | "grow" | "shrink" | "stop";

/**
 * What a plugin may have on a machine of so many processors: while others are active beside it one of them is theirs,
 * and the host's, so that nothing they do has to wait for a plugin that computes.
 */
export function createSizeBounds(
  limits: SizeBounds,
  processors: number,
  share: { readonly isShared: boolean },
): SizeBounds {
  return {
    get runners() {
      return Math.min(limits.runners, share.isShared ? Math.max(1, processors - 1) : processors);
    },
    idleMs: limits.idleMs,
  };
}

/** The host spends some tens of microseconds on a call. What spends little more has the host for its bound. */
const COSTLY_CALL_MS = 0.3;
/** What the processes that stay may compute for them to be enough. */
const EASY_SHARE = 0.7;
/** With one call there is nothing that another process could do. */
const MIN_CALLS = 2;

/** `uses` is from the oldest process to the youngest. */
export function adviseSize(uses: readonly RunnerUse[], bounds: SizeBounds): SizeAdvice {
  if (uses.every(({ idleMs }) => idleMs >= bounds.idleMs)) return "stop";
  if (uses.length > Math.max(1, bounds.runners)) return "shrink";
  if (uses.length > 1 && (isIdle(uses.at(-1), bounds) || fitInOneLess(uses))) return "shrink";
  return uses.length < bounds.runners && uses.every(isOverworked) ? "grow" : "keep";
}

function isIdle(use: RunnerUse | undefined, { idleMs }: SizeBounds): boolean {
  return use !== undefined && use.idleMs >= idleMs;
}

function fitInOneLess(uses: readonly RunnerUse[]): boolean {
  const computed = uses.reduce((sum, { cpu }) => sum + (cpu?.computed ?? 0), 0);
  return computed <= EASY_SHARE * (uses.length - 1);
}

function isOverworked({ callsInFlight, cpu }: RunnerUse): boolean {
  return (
    callsInFlight >= MIN_CALLS && cpu !== undefined && cpu.computed >= RESTLESS_SHARE && cpu.callMs >= COSTLY_CALL_MS
  );
}
