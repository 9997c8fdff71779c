/**
 * How many processes a plugin should have: a pure rule over what each of them did since the last review.
 *
 * One process is best for a plugin that waits (for the store, for a response): its calls share instances, frames and
 * store batches. One more helps only where every process computes without pausing, has calls waiting for that reason,
 * and spends so much time on a call that the host is not the bottleneck. A process is retired when the others could do
 * its work with time to spare, when no call has needed it for `idleMs`, or when the plugin's bound has shrunk.
 *
 * @module
 */

import { RESTLESS_SHARE } from "../process/cpu-share.ts";

/** What a process did between two reviews. */
export interface CpuUse {
  /** The share of its usable time in which it computed. Time in which it waited for a processor is not usable. */
  readonly computed: number;
  /** Time on a processor for each call that began. */
  readonly callMs: number;
}

/** One process of a plugin. */
export interface RunnerUse {
  readonly callsInFlight: number;
  /** Milliseconds since it was last busy. */
  readonly idleMs: number;
  /** `undefined` where this machine does not report it. */
  readonly cpu: CpuUse | undefined;
}

/** What a plugin may have. */
export interface SizeBounds {
  /** The most processes; may differ from review to review. */
  readonly runners: number;
  /** A process that was idle for this long is retired. */
  readonly idleMs: number;
}

/** `grow` means one process more, `shrink` one fewer: the youngest. `stop` means none. */
export type SizeAdvice = "keep" | "grow" | "shrink" | "stop";

/**
 * A plugin's bounds on a machine with this many processors. While other plugins are active, one processor is left to
 * them and the host, so that they need not wait for a plugin that computes.
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

/**
 * The host spends some tens of microseconds on a call. For a plugin that spends little more, the host is the
 * bottleneck.
 */
const COSTLY_CALL_MS = 0.3;
/** If the remaining processes would compute for at most this share of their time, they are enough. */
const EASY_SHARE = 0.7;
/** With one call there is nothing for another process to do. */
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
