/**
 * What a replica writes: JSON records on standard output, anything on standard error.
 *
 * @module
 */

import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** One record of the log, as it was written. */
export type LogRecord = Readonly<Record<string, unknown>>;

interface Waiter {
  readonly matches: (record: LogRecord) => boolean;
  readonly resolve: (record: LogRecord) => void;
  readonly reject: (reason: Error) => void;
}

export class ReplicaLog {
  readonly records: LogRecord[] = [];
  readonly #waiters = new Set<Waiter>();
  #errorOutput = "";
  #state: "open" | "ended" = "open";

  /** Reads the child's output from now on, where it is piped; call it right after the child was started. */
  constructor({ stdout, stderr }: ChildProcess) {
    stderr?.setEncoding("utf8").on("data", (text: string) => (this.#errorOutput += text));
    if (stdout === null) return;
    const lines = createInterface({ input: stdout });
    lines.on("line", (line) => this.#add(parseRecord(line)));
    lines.once("close", () => this.#end());
  }

  get errorOutput(): string {
    return this.#errorOutput;
  }

  async first(matches: (record: LogRecord) => boolean): Promise<LogRecord> {
    const past = this.records.find(matches);
    if (past !== undefined) return past;
    if (this.#state === "ended") throw new Error("the replica has ended and logged no such record");
    const { promise, resolve, reject } = Promise.withResolvers<LogRecord>();
    this.#waiters.add({ matches, resolve, reject });
    return promise;
  }

  #add(record: LogRecord): void {
    this.records.push(record);
    for (const waiter of this.#waiters) {
      if (!waiter.matches(record)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(record);
    }
  }

  #end(): void {
    this.#state = "ended";
    for (const { reject } of this.#waiters) reject(new Error("the replica ended and logged no such record"));
    this.#waiters.clear();
  }
}

/** A line that is not a JSON object is kept too: a test that looks for such lines finds them by their only key. */
function parseRecord(line: string): LogRecord {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as LogRecord;
  } catch {
    // Falls through to the unparsed line.
  }
  return { unparsed: line };
}
