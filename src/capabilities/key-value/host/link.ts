/**
 * One runner's operations on the key-value store, as they pass over its channel. What the host holds for the runner is
 * bounded: values in flight to the store, and values that were read and that the runner does not take. Each operation has
 * an answer, even after its call was cancelled: the runner counts its operations in flight.
 *
 * @module
 */

import type { Violation } from "../../../channel/violation.ts";
import { FIXED_LIMITS } from "../../../contract/limits.ts";
import { WORK_MS } from "../../../fairness/thread-shares.ts";
import type { HostLink, LinkOptions } from "../../host-side.ts";
import type { KeyValueResult, KeyValueToHost } from "../messages.ts";
import { KEY_VALUE_GATE } from "./gate.ts";
import { ReadWindow } from "./read-window.ts";

/** The answer where too many bytes are in flight for the plugin. */
const TOO_MUCH: KeyValueResult = {
  kind: "error",
  message: "overloaded: too many bytes are in flight for this plugin; try again later.",
};
/** The answer to an operation of a cancelled call, which the runner drops. */
const CANCELLED: Promise<KeyValueResult> = Promise.resolve({ kind: "error", message: "the call was cancelled" });

/** The host's end of one runner's key-value messages. */
export class KeyValueLink implements HostLink<KeyValueToHost> {
  readonly #parts: LinkOptions;
  readonly #reads = new ReadWindow(FIXED_LIMITS.runnerReadBytes);
  /** Bytes of values that are being written for the runner, or wait to be. */
  #valueBytes = 0;
  /** Bytes of the value that was read last: the next one is assumed to be as large until it has arrived. */
  #readBytes = 0;

  constructor(parts: LinkOptions) {
    this.#parts = parts;
  }

  /** Performs an operation of a call in flight and sends its result. */
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
    // The call may have been cancelled while this operation waited.
    const call = this.#parts.calls.listener(message.call);
    return call?.gate(KEY_VALUE_GATE).perform(message.operation, call) ?? CANCELLED;
  }

  #answer(message: KeyValueToHost, result: KeyValueResult): void {
    this.#parts.calls.endOperation(message.call);
    this.#parts.send({ kind: "key-value-result", op: message.op, result }, WORK_MS.storeOperation);
  }

  /** May the host keep this value until the runner takes it? */
  #fits(result: KeyValueResult): boolean {
    if (result.kind !== "value") return true;
    return this.#parts.bufferedBytes() + result.value.length <= FIXED_LIMITS.runnerBacklogBytes;
  }
}
