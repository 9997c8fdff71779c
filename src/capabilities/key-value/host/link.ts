/**
 * A runner's operations on the key-value store, as they come and go over its channel. What the host holds for it
 * meanwhile is bounded: values on their way to the store, and values that were read and that it does not take. Each
 * operation has an answer, also where nobody listens any more: the runner counts what it has in flight.
 *
 * @module
 */

import type { Violation } from "../../../channel/violation.ts";
import { FIXED_LIMITS } from "../../../contract/limits.ts";
import { WORK_MS } from "../../../fairness/thread-shares.ts";
import type { HostLink, LinkParts } from "../../host-side.ts";
import type { KeyValueResult, KeyValueToHost } from "../messages.ts";
import { KEY_VALUE_GATE } from "./gate.ts";
import { ReadWindow } from "./read-window.ts";

/** What a guest reads where too many bytes are in flight for its plugin. */
const TOO_MUCH: KeyValueResult = {
  kind: "error",
  message: "overloaded: too many bytes are in flight for this plugin; try again later.",
};
/** Read by nobody. */
const CANCELLED: Promise<KeyValueResult> = Promise.resolve({ kind: "error", message: "the call was cancelled" });

export class KeyValueLink implements HostLink<KeyValueToHost> {
  readonly #parts: LinkParts;
  readonly #reads = new ReadWindow(FIXED_LIMITS.runnerReadBytes);
  /** Bytes of values that are being written for it, or wait to be. */
  #valueBytes = 0;
  /** Of the value that was read last: the next one is taken for as large until it is there. */
  #readBytes = 0;

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  /** Performs an operation of a call that is in flight and sends its result. */
  receive(message: KeyValueToHost): Violation | undefined {
    const violation = this.#parts.calls.beginOperation(message.call);
    if (violation !== undefined) return violation;
    if (message.operation.kind === "get") this.#get(message);
    else this.#set(message, message.operation.value.length);
    return undefined;
  }

  #set(message: KeyValueToHost, length: number): void {
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

  #get(message: KeyValueToHost): void {
    let expectedBytes = 0;
    const read = (): Promise<KeyValueResult> => this.#performInShare(message, () => (expectedBytes = this.#readBytes));
    void this.#reads.run(read).then((result) => {
      this.#readBytes = result.kind === "value" ? result.value.length : 0;
      this.#parts.transfers.spend(this.#readBytes - expectedBytes);
      this.#answer(message, this.#fits(result) ? result : TOO_MUCH);
    });
  }

  #performInShare(message: KeyValueToHost, bytesOf: () => number): Promise<KeyValueResult> {
    const waiting = this.#parts.transfers.begin(bytesOf);
    return waiting === undefined ? this.#perform(message) : waiting.then(() => this.#perform(message));
  }

  #perform(message: KeyValueToHost): Promise<KeyValueResult> {
    // It may have been cancelled while this waited.
    const call = this.#parts.calls.listener(message.call);
    return call?.gate(KEY_VALUE_GATE).perform(message.operation, call) ?? CANCELLED;
  }

  #answer(message: KeyValueToHost, result: KeyValueResult): void {
    this.#parts.calls.endOperation(message.call);
    this.#parts.send({ kind: "key-value-result", op: message.op, result }, WORK_MS.storeOperation);
  }

  /** A value that was read is kept for the runner until it takes it. */
  #fits(result: KeyValueResult): boolean {
    if (result.kind !== "value") return true;
    return this.#parts.bufferedBytes() + result.value.length <= FIXED_LIMITS.runnerBacklogBytes;
  }
}
