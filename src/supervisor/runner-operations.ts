/**
 * A runner's operations on the key-value store, as they come and go over its channel. What the host holds for it
 * meanwhile is bounded: values on their way to the store, and values that were read and that it does not take. Each
 * operation has an answer, also where nobody listens any more: the runner counts what it has under way.
 *
 * @module
 */

import type { HostMessage, OperationResult } from "../channel/messages.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { CallLedger } from "./call-ledger.ts";
import { ReadWindow } from "./read-window.ts";
import type { CapabilityOperation } from "./runner-call.ts";
import type { TransferShare } from "./transfer-share.ts";

/** What a guest reads where too many bytes are under way for its plugin. */
const TOO_MUCH: OperationResult = {
  kind: "error",
  message: "overloaded: too many bytes are under way for this plugin; try again later.",
};
/** Read by nobody. */
const CANCELLED: Promise<OperationResult> = Promise.resolve({ kind: "error", message: "the call was cancelled" });

/** What they need of their runner. */
export interface OperationsParts {
  readonly calls: CallLedger;
  readonly transfers: TransferShare;
  readonly send: (message: HostMessage) => void;
  /** Bytes that were sent and that the runner has not read. */
  readonly bufferedBytes: () => number;
}

export class RunnerOperations {
  readonly #parts: OperationsParts;
  readonly #reads = new ReadWindow(FIXED_LIMITS.runnerReadBytes);
  /** Bytes of values that are being written for it, or wait to be. */
  #valueBytes = 0;
  /** Of the value that was read last: the next one is taken for as large until it is there. */
  #readBytes = 0;

  constructor(parts: OperationsParts) {
    this.#parts = parts;
  }

  /** Performs an operation of a call that is under way and sends its result. */
  perform(message: CapabilityOperation): void {
    this.#parts.calls.beginOperation(message.call);
    const performed = message.kind === "kv-get" ? this.#reads.run(() => this.#read(message)) : this.#write(message);
    void performed.then((result) => {
      this.#parts.calls.endOperation(message.call);
      this.#parts.send({ kind: "result", op: message.op, result: this.#fits(result) ? result : TOO_MUCH });
    });
  }

  async #write(message: Extract<CapabilityOperation, { kind: "kv-set" }>): Promise<OperationResult> {
    const { length } = message.value;
    if (this.#valueBytes + length > FIXED_LIMITS.runnerValueBytes) return TOO_MUCH;
    this.#valueBytes += length;
    await this.#parts.transfers.begin(() => length);
    const result = await this.#performed(message);
    this.#valueBytes -= length;
    return result;
  }

  async #read(message: CapabilityOperation): Promise<OperationResult> {
    const { transfers } = this.#parts;
    const expectedBytes = await transfers.begin(() => this.#readBytes);
    const result = await this.#performed(message);
    this.#readBytes = result.kind === "value" ? result.value.length : 0;
    transfers.spend(this.#readBytes - expectedBytes);
    return result;
  }

  #performed(message: CapabilityOperation): Promise<OperationResult> {
    // It may have been cancelled while this waited.
    return this.#parts.calls.listener(message.call)?.perform(message) ?? CANCELLED;
  }

  /** A value that was read is kept for the runner until it takes it. */
  #fits(result: OperationResult): boolean {
    if (result.kind !== "value") return true;
    return this.#parts.bufferedBytes() + result.value.length <= FIXED_LIMITS.runnerBacklogBytes;
  }
}
