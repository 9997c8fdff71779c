/**
 * A runner's operations on the key-value store, as they come and go over its channel. What the host holds for it
 * meanwhile is bounded: values on their way to the store, and values that were read and that it does not take. Each
 * operation has an answer, also where nobody listens any more: the runner counts what it has in flight.
 *
 * @module
 */

import type { HostMessage, OperationResult } from "../../channel/messages/messages.ts";
import type { Violation } from "../../channel/violation.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { CallLedger } from "./call-ledger.ts";
import { ReadWindow } from "./read-window.ts";
import type { CapabilityOperation } from "./runner-call.ts";
import type { TransferShare } from "../../fairness/transfer-share.ts";

/** What a guest reads where too many bytes are in flight for its plugin. */
const TOO_MUCH: OperationResult = {
  kind: "error",
  message: "overloaded: too many bytes are in flight for this plugin; try again later.",
};
/** Read by nobody. */
const CANCELLED: Promise<OperationResult> = Promise.resolve({ kind: "error", message: "the call was cancelled" });

/** What they need of their runner. */
export interface RunnerOperationsOptions {
  readonly calls: CallLedger;
  readonly transfers: TransferShare;
  readonly send: (message: HostMessage) => void;
  /** Bytes that were sent and that the runner has not read. */
  readonly bufferedBytes: () => number;
}

export class RunnerOperations {
  readonly #parts: RunnerOperationsOptions;
  readonly #reads = new ReadWindow(FIXED_LIMITS.runnerReadBytes);
  /** Bytes of values that are being written for it, or wait to be. */
  #valueBytes = 0;
  /** Of the value that was read last: the next one is taken for as large until it is there. */
  #readBytes = 0;

  constructor(parts: RunnerOperationsOptions) {
    this.#parts = parts;
  }

  /** Performs an operation of a call that is in flight and sends its result. */
  perform(message: CapabilityOperation): Violation | undefined {
    const violation = this.#parts.calls.beginOperation(message.call);
    if (violation !== undefined) return violation;
    if (message.kind === "kv-get") this.#read(message);
    else this.#write(message);
    return undefined;
  }

  #write(message: Extract<CapabilityOperation, { kind: "kv-set" }>): void {
    const { length } = message.value;
    if (this.#valueBytes + length > FIXED_LIMITS.runnerValueBytes) {
      this.#answer(message, TOO_MUCH);
      return;
    }
    this.#valueBytes += length;
    void this.#performInShare(message, () => length).then((result) => {
      this.#valueBytes -= length;
      this.#answer(message, result);
    });
  }

  #read(message: CapabilityOperation): void {
    let expectedBytes = 0;
    const read = (): Promise<OperationResult> => this.#performInShare(message, () => (expectedBytes = this.#readBytes));
    void this.#reads.run(read).then((result) => {
      this.#readBytes = result.kind === "value" ? result.value.length : 0;
      this.#parts.transfers.spend(this.#readBytes - expectedBytes);
      this.#answer(message, this.#fits(result) ? result : TOO_MUCH);
    });
  }

  #performInShare(message: CapabilityOperation, bytesOf: () => number): Promise<OperationResult> {
    const waiting = this.#parts.transfers.begin(bytesOf);
    return waiting === undefined ? this.#perform(message) : waiting.then(() => this.#perform(message));
  }

  #perform(message: CapabilityOperation): Promise<OperationResult> {
    // It may have been cancelled while this waited.
    return this.#parts.calls.listener(message.call)?.perform(message) ?? CANCELLED;
  }

  #answer(message: CapabilityOperation, result: OperationResult): void {
    this.#parts.calls.endOperation(message.call);
    this.#parts.send({ kind: "result", op: message.op, result });
  }

  /** A value that was read is kept for the runner until it takes it. */
  #fits(result: OperationResult): boolean {
    if (result.kind !== "value") return true;
    return this.#parts.bufferedBytes() + result.value.length <= FIXED_LIMITS.runnerBacklogBytes;
  }
}
