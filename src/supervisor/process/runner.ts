/**
 * One process of a plugin, as seen by the code that starts requests on it and the code that manages it.
 *
 * @module
 */

import type { AccessLevelBits } from "../../contract/access-levels.ts";
import type { RpcRequest } from "../../contract/request.ts";
import type { RunnerCall } from "./runner-call.ts";

/** How a runner ended, for the log. */
export interface RunnerExit {
  readonly reason: string;
  /** The end of its stderr, bounded. */
  readonly stderr: string;
  /** Did {@link Runner.close} end it? */
  readonly expected: boolean;
  /** Was it computing almost without pausing when it ended? */
  readonly wasHog: boolean;
}

/** A thread's times up to a moment, and that moment. */
export interface CpuSample {
  readonly atMs: number;
  /** Time on a processor. */
  readonly ranMs: number;
  /** Time waiting for a processor. */
  readonly waitedMs: number;
}

/** A process that executes one artifact. However it ends, every call on it is settled or returned, at once. */
export interface Runner {
  /** Resolves when the process has ended, however it did. Never rejects. */
  readonly exited: Promise<RunnerExit>;
  /** Resolves once a request has ended, or the process has answered a ping after a cancelled one. May stay pending. */
  readonly proven: Promise<void>;
  readonly isReady: boolean;
  /** True when no call is in flight and no ping is unanswered. */
  readonly isQuiet: boolean;
  /** Has a ping been unanswered for longer than usual? A call that is started now may have to wait. */
  readonly isLate: boolean;
  /** Calls that are not settled. */
  readonly callsInFlight: number;
  /** Requests ever started on it. */
  readonly callsBegun: number;
  /** Does it compute almost without pausing? */
  readonly isHog: boolean;

  /** The times of its main thread up to now; `undefined` where this machine does not report them. */
  cpuSample(): CpuSample | undefined;

  /** Asks `get-access-levels` of an instance with every capability denied. Throws `probe-failed`. */
  probe(): Promise<AccessLevelBits>;

  /** Calls `changed` each time that {@link isLate} changes, until it ends. */
  watchLateness(changed: () => void): void;

  /**
   * Starts a request. `call.settle` reports how it ended, or `call.returned` that it never began. Returns the id for
   * {@link cancel}. Pass `nowMs` if you have just read the clock.
   */
  begin(request: RpcRequest, call: RunnerCall, nowMs?: number): number;

  /**
   * Gives a call up; its `RunnerCall` hears no more. If the runner does not answer a ping soon afterwards, its guest is
   * computing, and only killing the process stops it. The plugin may compute until its own deadline, `graceMs` from
   * now, although its caller no longer waits: a caller must not be able to end the plugin's process.
   */
  cancel(id: number, graceMs: number): void;

  /** Takes back the calls that it has certainly not begun. What it may still do for one has no effect. */
  recall(): void;

  /** How many calls {@link recall} would take back. */
  readonly callsUnbegun: number;

  /**
   * Waits until the calls on it have been answered, at the latest by their deadlines, then ends it. Start no call on it
   * after this.
   */
  drain(): Promise<void>;

  /** Ends the process. Calls still on it are settled as lost, or returned. Idempotent; resolves when it has ended. */
  close(): Promise<void>;
}
