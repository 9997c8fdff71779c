/**
 * What is told of a plugin's processes over their lives.
 *
 * @module
 */

import type { RunnerExit } from "../process/runner.ts";

/** Why a process was started that takes nobody's place. */
export type StartReason =
  /** The plugin was loaded, or a warm version is about to be replaced. */
  | "load"
  /** A request came. */
  | "request"
  /** Those there are compute without pausing. */
  | "busy";

/** Told of what an operator should know. */
export interface PluginRunnerEvents {
  started(reason: StartReason, durationMs: number): void;
  /** One process more runs now, or one fewer. */
  counted(change: 1 | -1): void;
  /** A process was let go: none is needed, or fewer are. */
  stopped(reason: "idle" | "surplus"): void;
  /** A process ended without being asked to. It is started again after `delayMs`, unless others go on serving. */
  ended(exit: RunnerExit, delayMs: number | undefined): void;
  /** A start failed; the next try is after `delayMs`, or when one is needed. */
  startFailed(error: unknown, delayMs: number | undefined): void;
  restarted(): void;
  /** The circuit opened, once more or for the first time: nothing is started for `delayMs`. */
  circuitOpened(failures: number, delayMs: number): void;
  /** The process survived a request. */
  circuitClosed(): void;
}
