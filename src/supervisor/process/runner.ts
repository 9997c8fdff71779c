/**
 * One process of a plugin, as whoever gives it requests and whoever keeps it sees it.
 *
 * @module
 */

import type { AccessLevelBits } from "../../contract/access-levels.ts";
import type { RpcRequest } from "../../contract/request.ts";
import type { RunnerCall } from "./runner-call.ts";

/** How a runner ended, for the log. */
export interface RunnerExit {
  readonly reason: string;
  /** The last lines it wrote to stderr, bounded. */
  readonly stderr: string;
  /** Did {@link Runner.close} end it? */
  readonly expected: boolean;
  /** Did it hardly rest, up to its end? */
  readonly wasHog: boolean;
}

/** What a thread did up to now, and when that was. */
export interface CpuSample {
  readonly atMs: number;
  /** On a processor. */
  readonly ranMs: number;
  /** Ready to run, without a processor. */
  readonly waitedMs: number;
}

/** A process that executes one artifact. However it ends, every call on it is settled or returned, at once. */
export interface Runner {
  /** Settles when the process has ended, in whatever way. Never rejects. */
  readonly exited: Promise<RunnerExit>;
  /** Resolves once a request has ended and the process was seen alive after it. May never. */
  readonly proven: Promise<void>;
  readonly isReady: boolean;
  /** True when no call is in flight and no ping is unanswered for one that was given up. */
  readonly isQuiet: boolean;
  /** Does it owe a sign of life for longer than one takes as a rule? What is begun on it now may have to wait. */
  readonly isLate: boolean;
  /** Calls that are not settled. */
  readonly callsInFlight: number;
  /** Requests that were ever begun on it. */
  readonly callsBegun: number;
  /** Does it hardly rest? */
  readonly isHog: boolean;

  /** What its main thread did up to now; `undefined` where this machine does not tell. */
  cpuSample(): CpuSample | undefined;

  /** Asks `get-access-levels` of an instance with every capability denied. Throws `probe-failed`. */
  probe(): Promise<AccessLevelBits>;

  /** Calls `changed` each time that it becomes late or is late no longer, until it ends. */
  watchLateness(changed: () => void): void;

  /**
   * Starts a request; `call.settle` tells how it ended, or `call.returned` that it never began. Returns the id to
   * {@link cancel} it by.
   */
  begin(request: RpcRequest, call: RunnerCall): number;

  /**
   * Gives a call up, without a word to it. If the runner does not answer a ping soon after, its guest is
   * computing and cannot be stopped otherwise: the process is killed. A plugin may compute until its own deadline,
   * which is in `graceMs`, though its caller waits no longer: callers must not be able to end its process.
   */
  cancel(id: number, graceMs: number): void;

  /** Gives the calls back that it is known not to have begun. What it may still do for one has no effect. */
  recall(): void;

  /** Calls that {@link recall} would give back. */
  readonly callsUnbegun: number;

  /** Lets the calls on it be answered, which their deadlines bound, and ends it. Begin no call on it any more. */
  drain(): Promise<void>;

  /** Ends the process. Calls still on it are settled as lost. Idempotent; resolves when it is gone. */
  close(): Promise<void>;
}
