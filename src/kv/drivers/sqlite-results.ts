/**
 * The results of a batch as they are found, in the order of its entries. They go out in one reply, or, where there are
 * large values, in several, each as soon as there is enough for one.
 *
 * @module
 */

import type { HostError } from "../../errors/host-error.ts";
import { type BatchReply, type BatchRequest, packOwned } from "./sqlite-messages.ts";

/** Names of one address in a batch. */
const NAMES = 4;

/** Values that were read leave when they are so many bytes: what comes behind them does not hold them back. */
const REPLY_BYTES = 1024 * 1024;

/** The address of an entry, as the table has it. */
export type Columns = [kind: string, namespace: string, bucket: string, key: Uint8Array];

/** Where results go. */
export type SendReply = (reply: BatchReply, transfer: ArrayBuffer[]) => void;

/** The results of one batch, entry by entry in order. */
export class BatchResults {
  readonly count: number;
  readonly #batch: BatchRequest;
  readonly #send: SendReply;
  /** Where the reply begins that is being collected. */
  #from = 0;
  #values: (Uint8Array | undefined)[] = [];
  #failures: BatchReply["failures"][number][] = [];
  #bytes = 0;

  constructor(batch: BatchRequest, send: SendReply) {
    this.count = batch.names.length / NAMES;
    this.#batch = batch;
    this.#send = send;
  }

  /** The first entry without a result. */
  get next(): number {
    return this.#from + this.#values.length;
  }

  /** The address of {@link next}. */
  get columns(): Columns {
    return this.columnsOf(this.next);
  }

  columnsOf(entry: number): Columns {
    const [kind = "", namespace = "", bucket = "", key = ""] = this.#batch.names.slice(
      entry * NAMES,
      entry * NAMES + NAMES,
    );
    return [kind, namespace, bucket, Buffer.from(key, "utf8")];
  }

  succeed(value: Uint8Array | undefined): void {
    this.#values.push(value);
    this.#bytes += value?.length ?? 0;
    if (this.#bytes >= REPLY_BYTES && this.next < this.count) this.send("more");
  }

  fail({ code, message }: HostError): void {
    this.#failures.push({ at: this.next, code, message });
    this.#values.push(undefined);
  }

  send(what: "more" | "last"): void {
    const { values, transfer } = packOwned(this.#values);
    const { id } = this.#batch;
    const isLast = what === "last";
    this.#send({ kind: "results", id, from: this.#from, values, failures: this.#failures, isLast }, transfer);
    this.#from = this.next;
    this.#values = [];
    this.#failures = [];
    this.#bytes = 0;
  }
}
