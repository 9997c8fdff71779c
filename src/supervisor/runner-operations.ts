/**
 * A runner's operations on the key-value store, as they come and go over its channel. What the host holds for it
 * meanwhile is bounded: values on their way to the store, and values that were read and that it does not take.
 *
 * @module
 */

import type { HostMessage, OperationResult, RunnerMessage } from "../channel/messages.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { CallLedger } from "./call-ledger.ts";
import { ReadWindow } from "./read-window.ts";

/** What a guest reads where too many bytes are under way for its plugin. */
const TOO_MUCH_TEXT = "overloaded: too many bytes are under way for this plugin; try again later.";
const TOO_MUCH: Promise<OperationResult> = Promise.resolve({ kind: "error", message: TOO_MUCH_TEXT });

/** What they need of their runner. */
export interface OperationsParts {
  readonly calls: CallLedger;
  readonly send: (message: HostMessage) => void;
  /** Bytes that were sent and that the runner has not read. */
  readonly bufferedBytes: () => number;
}

export class RunnerOperations {
  readonly #parts: OperationsParts;
  /** Bytes of values that are being written for it. */
  #valueBytes = 0;
  readonly #reads = new ReadWindow(FIXED_LIMITS.runnerValueBytes);

  constructor(parts: OperationsParts) {
    this.#parts = parts;
  }

  /** Performs an operation of a call that is under way and sends its result. */
  perform(message: Extract<RunnerMessage, { kind: "kv-get" | "kv-set" }>): void {
    const { calls, send } = this.#parts;
    const call = calls.beginOperation(message.call);
    if (call === undefined) return;
    const valueBytes = message.kind === "kv-set" ? message.value.length : 0;
    const fits = this.#valueBytes + valueBytes <= FIXED_LIMITS.runnerValueBytes;
    this.#valueBytes += valueBytes;
    const perform = (): Promise<OperationResult> => call.perform(message);
    const performed = !fits ? TOO_MUCH : message.kind === "kv-get" ? this.#reads.run(perform) : perform();
    void performed.then((result) => {
      this.#valueBytes -= valueBytes;
      calls.endOperation(message.call);
      const answer = this.#fits(result) ? result : ({ kind: "error", message: TOO_MUCH_TEXT } as const);
      send({ kind: "result", op: message.op, result: answer });
    });
  }

  /** A value that was read is kept for the runner until it takes it. */
  #fits(result: OperationResult): boolean {
    if (result.kind !== "value") return true;
    return this.#parts.bufferedBytes() + result.value.length <= FIXED_LIMITS.runnerBacklogBytes;
  }
}
