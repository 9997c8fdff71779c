/**
 * What a runner process asks of the one who started a request on it.
 *
 * @module
 */

import type { OperationResult, RunnerMessage } from "../../channel/messages/messages.ts";
import type { HttpExchange, HttpRequest, HttpSink } from "../../contract/http.ts";
import type { DroppedLog } from "../../contract/log-rate.ts";
import type { LogLevel, Outcome } from "../../contract/request.ts";

/** A capability operation as a runner asks for it. */
export type CapabilityOperation = Extract<RunnerMessage, { kind: "kv-get" | "kv-set" }>;

/** One request on a runner, seen from the supervisor. All methods are called on the host's main thread. */
export interface RunnerCall {
  /** Checks the grant and performs the operation. Never rejects. */
  perform(operation: CapabilityOperation): Promise<OperationResult>;
  /** Checks the grant and sends an outbound HTTP request. Never throws: what is wrong is told to the sink. */
  openHttp(request: HttpRequest, sink: HttpSink): HttpExchange;
  log(level: LogLevel, message: string): void;
  output(stream: 1 | 2, text: string): void;
  /** What of log and output the runner dropped, by its own word. */
  dropped(dropped: DroppedLog): void;
  /** The request ended. Called exactly once, unless the call was cancelled before or {@link returned}. */
  settle(outcome: Outcome): void;
  /** The process never began the request and never will: it may begin on another one. */
  returned(): void;
}
