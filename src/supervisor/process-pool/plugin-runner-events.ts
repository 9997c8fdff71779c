/**
 * What a plugin's runner reports about its processes.
 *
 * @module
 */

import type { RunnerExit } from "../process/runner.ts";

/** Why a process was started that replaces none. */
export type StartReason =
  /** The plugin was loaded, or a warm version is about to be replaced. */
  | "load"
  /** A request came. */
  | "request"
  /** The existing processes compute without pausing. */
  | "busy";

export interface PluginRunnerEvents {
  started(reason: StartReason, durationMs: number): void;
  /** One more process runs now, or one fewer. */
  counted(change: 1 | -1): void;
  /** A process was retired: the plugin needs none, or fewer. */
  stopped(reason: "idle" | "surplus"): void;
  /**
   * A process ended that the host had not asked to end. The next start is after `delayMs`; `undefined`: others go on
   * serving.
   */
  ended(exit: RunnerExit, delayMs: number | undefined): void;
  /** A start failed. The next try is after `delayMs`; `undefined`: when one is needed. */
  startFailed(error: unknown, delayMs: number | undefined): void;
  restarted(): void;
  /** The circuit opened, for the first time or again: nothing is started for `delayMs`. */
  circuitOpened(failures: number, delayMs: number): void;
  /** The process survived a request. */
  circuitClosed(): void;
}
