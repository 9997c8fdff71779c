/**
 * Entries of batches, each with one operation that somebody waits for, and what happened to it.
 *
 * @module
 */

import type { BucketName } from "../../../src/contract/names.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { Entry } from "../../../src/kv/entry.ts";
import { Operation, type OperationKind } from "../../../src/kv/operation.ts";
import { DeadlineTimer } from "../../../src/scheduling/deadline-timer.ts";

const TIMER = new DeadlineTimer();

/** An entry under test. */
export interface WatchedEntry<Result> {
  readonly entry: Entry<Result>;
  /** What it has ended with: a result, the code of an error, or "waiting". */
  readonly outcome: () => Promise<Result | string>;
  /** Ends the time of its operation. */
  readonly abandon: () => void;
}

export function watchedEntry<Result>(kind: OperationKind, key: string, value = "v"): WatchedEntry<Result> {
  const operation = new Operation<Result>(
    {
      kind,
      address: { namespace: { kind: "private", plugin: "p" }, bucket: "b" as BucketName, key },
      value: Buffer.from(value),
      options: { timeoutMs: 5_000 },
    },
    TIMER,
    () => undefined,
  );
  const ended = operation.result.catch((error: unknown) => (error instanceof HostError ? error.code : String(error)));
  return {
    entry: new Entry(operation),
    outcome: () => Promise.race([ended, new Promise<string>((resolve) => setImmediate(resolve, "waiting"))]),
    abandon: () => operation.fail(new HostError("store-unavailable")),
  };
}
