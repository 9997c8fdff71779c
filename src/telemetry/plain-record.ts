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

/** Times of a request, in milliseconds. */
export interface RequestTimes {
  /** From arrival to the plugin's process: the start of a cold plugin's is in it. */
  readonly queueMs: number;
  /** In the plugin's process, store operations included. */
  readonly runMs: number;
  /** Sum over the request's store operations. */
  readonly storeMs: number;
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
  readonly #output: DestinationStream;
  readonly #isEnabled: boolean;
  /** What is the same in every record, behind the time. */
  readonly #same: string;
  readonly #end: string;
  /** A record's beginning as it was last time: it holds for the millisecond and the method. */
  #head = "";
  #headTime = "";
  #headMethod = "";

  private constructor(logger: Logger, output: DestinationStream, message: string) {
    this.#output = output;
    this.#isEnabled = logger.isLevelEnabled("info");
    this.#same = scrubSecrets(JSON.stringify(logger.bindings()).slice(1, -1));
    this.#end = `,"msg":"${message}"}\n`;
  }

  /** For `logger`, a child of `parent`; `undefined` where it is not known where that one writes to. */
  static of(parent: Logger, logger: Logger, message: string): PlainRecords | undefined {
    const output = outputs.get(parent);
    return output === undefined ? undefined : new PlainRecords(logger, output, message);
  }

  /** Writes the record at the level info, if that is on. False where it is not plain. */
  write(method: string, id: string, status: number, times: RequestTimes, traceId: string | undefined): boolean {
    if (!PLAIN.test(id) || (traceId !== undefined && !PLAIN.test(traceId))) return false;
    const time = timeField();
    if (time !== this.#headTime || method !== this.#headMethod) {
      if (!PLAIN.test(method)) return false;
      this.#head = `{"level":"info"${time},${this.#same},"method":"${method}","id":"`;
      this.#headTime = time;
      this.#headMethod = method;
    }
    if (!this.#isEnabled) return true;
    const queue = `","status":${status},"queueMs":${millisecondsText(times.queueMs)}`;
    const run = `,"runMs":${millisecondsText(times.runMs)},"storeMs":${millisecondsText(times.storeMs)}`;
    const trace = traceId === undefined ? "" : `,"traceId":"${traceId}"`;
    this.#output.write(`${this.#head}${id}${queue}${run}${trace}${this.#end}`);
    return true;
  }
}

const MICROS_PER_MS = 1_000;

/** Microseconds are as fine as these clocks are worth. */
export function roundMs(ms: number): number {
  return Math.round(ms * MICROS_PER_MS) / MICROS_PER_MS;
}

/** `.001` to `.999` as a number's text ends with them; nothing for 0. */
const FRACTIONS: readonly string[] = Array.from({ length: MICROS_PER_MS }, (_, micros) =>
  String(micros / MICROS_PER_MS).slice(1),
);

/** The text of {@link roundMs}: of two whole numbers, which is many times faster than that of a fraction. */
function millisecondsText(ms: number): string {
  const micros = Math.round(ms * MICROS_PER_MS);
  if (!(micros >= 0 && micros <= MAX_MICROS)) return String(roundMs(ms));
  const whole = Math.trunc(micros / MICROS_PER_MS);
  return `${whole}${FRACTIONS[micros - whole * MICROS_PER_MS]}`;
}

/** What is longer is rare. */
const MAX_MICROS = 2 ** 31 - 1;

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
