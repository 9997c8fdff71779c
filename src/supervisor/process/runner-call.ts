/**
 * What a runner needs from the code that starts a request on it.
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
  /** What the runner says that it dropped of log and output. */
  dropped(dropped: DroppedLog): void;
  /** The request ended. Called exactly once, unless the call was cancelled or {@link returned} before. */
  settle(outcome: Outcome): void;
  /** This process never began the request and never will: it may begin on another process. */
  returned(): void;
}
