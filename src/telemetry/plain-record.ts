/**
 * The record of a request that went well, as one line without the logger's general way: there is one for every request,
 * and nearly all of it is the same each time. What it writes equals, byte for byte, what the logger would.
 *
 * It takes only what needs no escaping and can hold no credential; everything else is refused, and is the logger's.
 *
 * @module
 */

import type { DestinationStream, Logger } from "pino";
import { scrubSecrets } from "./redaction.ts";

/** What differs from request to request. */
export interface PlainRecord {
  readonly method: string;
  readonly id: string;
  readonly status: number;
  readonly queueMs: number;
  readonly runMs: number;
  readonly storeMs: number;
  readonly traceId: string | undefined;
}

/** No quote, no backslash, nothing outside of ASCII, nothing of a URL or of a parameter. */
const PLAIN = /^[\w.:-]*$/;

/** Where loggers write their lines to. */
const outputs = new WeakMap<Logger, DestinationStream>();

/** From now on requests' records may pass the logger by: to its output. */
export function registerOutput(logger: Logger, output: DestinationStream): void {
  outputs.set(logger, output);
}

export class PlainRecords {
  readonly #logger: Logger;
  readonly #output: DestinationStream;
  /** What is the same in every record, behind the time. */
  readonly #same: string;
  readonly #message: string;

  private constructor(logger: Logger, output: DestinationStream, message: string) {
    this.#logger = logger;
    this.#output = output;
    this.#same = scrubSecrets(JSON.stringify(logger.bindings()).slice(1, -1));
    this.#message = message;
  }

  /** For `logger`, a child of `parent`; `undefined` where it is not known where that one writes to. */
  static of(parent: Logger, logger: Logger, message: string): PlainRecords | undefined {
    const output = outputs.get(parent);
    return output === undefined ? undefined : new PlainRecords(logger, output, message);
  }

  /** Writes the record at the level info, if that is on. False where it is not plain. */
  write({ method, id, status, queueMs, runMs, storeMs, traceId = "" }: PlainRecord): boolean {
    if (!PLAIN.test(method) || !PLAIN.test(id) || !PLAIN.test(traceId)) return false;
    if (!this.#logger.isLevelEnabled("info")) return true;
    const times = `"queueMs":${queueMs},"runMs":${runMs},"storeMs":${storeMs}`;
    const trace = traceId === "" ? "" : `,"traceId":"${traceId}"`;
    this.#output.write(
      `{"level":"info"${timeField()},${this.#same},"method":"${method}","id":"${id}","status":${status},${times}${trace},"msg":"${this.#message}"}\n`,
    );
    return true;
  }
}

let lastMs = 0;
let lastTime = "";

/** The field of the time with the comma before it. Many records are of the same millisecond: its text is made once. */
export function timeField(): string {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastTime = `,"time":"${new Date(ms).toISOString()}"`;
  }
  return lastTime;
}
