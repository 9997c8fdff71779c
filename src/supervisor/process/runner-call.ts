/**
 * What a runner process asks of the one who started a request on it.
 *
 * @module
 */

import type { BrokeredCall } from "../../capabilities/host-side.ts";
import type { DroppedLog } from "../../contract/log-rate.ts";
import type { LogLevel, Outcome } from "../../contract/request.ts";

/** One request on a runner, seen from the supervisor. All methods are called on the host's main thread. */
export interface RunnerCall extends BrokeredCall {
  log(level: LogLevel, message: string): void;
  output(stream: 1 | 2, text: string): void;
  /** What of log and output the runner dropped, by its own word. */
  dropped(dropped: DroppedLog): void;
  /** The request ended. Called exactly once, unless the call was cancelled before or {@link returned}. */
  settle(outcome: Outcome): void;
  /** The process never began the request and never will: it may begin on another one. */
  returned(): void;
}
