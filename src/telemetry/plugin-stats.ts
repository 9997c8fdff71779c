/**
 * Counts about one plugin on one replica. Every request increments some, so they are plain numbers in plain
 * collections; readers that need another form (metrics, discovery) build it on demand.
 *
 * @module
 */

import { CAPABILITIES } from "../capabilities/capabilities.ts";
import { ACCESS_LEVELS, type AccessLevel } from "../contract/access-levels.ts";
import { type ErrorCode, errorRow } from "../errors/table.ts";
import type { PluginName } from "../contract/names.ts";
import { Histogram, type HistogramValues } from "./histogram.ts";
import { TargetCounts } from "./target-counts.ts";

/** How a request was answered: `ok`, or a code of the error table. */
export type RequestOutcome = "ok" | ErrorCode;

/** Why a message was given up without a reply. */
export type DropReason =
  /** It has no reply subject. */
  | "no-reply-subject"
  /** Its reply subject is one that the host never publishes on. */
  | "reply-subject-refused"
  /** The replica stopped, or its connection was closed permanently, before the reply could be sent. */
  | "connection-closed"
  /** The connection did not come back while the caller waited. */
  | "reply-expired"
  /** Too many replies waited for the connection. */
  | "reply-no-room"
  /** The NATS server refused the reply: the permission is missing, or the reply is too large. */
  | "reply-refused"
  /** The caller closed its wRPC connection before it had the result. */
  | "caller-gone"
  /** The caller did not read the result from its wRPC connection in time. */
  | "reply-unread";

/** Why a process was started: with the load, by a request to a cold plugin, or because the others were busy. */
export type RunnerStartReason = "load" | "request" | "busy";

/** Operations of one capability by name, then by outcome: those that occurred. */
export type OperationCounts = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Upper bounds of the duration histogram's buckets, in milliseconds; one more bucket takes what is longer. */
export const DURATION_BUCKETS_MS: readonly number[] = [
  0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
];

/** The statistics of an endpoint under the names of NATS ADR-32; times in nanoseconds. */
export interface EndpointStats {
  readonly num_requests: number;
  readonly num_errors: number;
  readonly last_error: string;
  readonly processing_time: number;
  readonly average_processing_time: number;
}

const NANOSECONDS_PER_MS = 1e6;

/** Counts what happens to one plugin's requests. One {@link end} or {@link giveUp} follows every {@link begin}. */
export class PluginStats {
  readonly plugin: PluginName;
  /** The targets of its operations. */
  readonly targets = new TargetCounts();
  readonly #outcomes = new Map<RequestOutcome, number>();
  readonly #drops = new Map<DropReason, number>();
  /** By capability, operation and outcome. */
  readonly #operations = new Map<string, Map<string, Map<string, number>>>();
  readonly #durations = new Histogram(DURATION_BUCKETS_MS);
  #inFlight = 0;
  #shed = 0;
  #narrowings = 0;
  #runnerRestarts = 0;
  #runners = 0;
  readonly #runnerStarts = new Map<RunnerStartReason, number>();
  #lastError: ErrorCode | undefined;

  constructor(plugin: PluginName) {
    this.plugin = plugin;
  }

  /** A request was admitted. */
  begin(): void {
    this.#inFlight += 1;
  }

  /** The reply of an admitted request was sent, `durationMs` after the request's arrival. */
  end(outcome: RequestOutcome, durationMs: number): void {
    this.#inFlight -= 1;
    this.#durations.observe(durationMs);
    this.#count(outcome);
  }

  /** The reply of an admitted request was given up. */
  giveUp(reason: DropReason): void {
    this.#inFlight -= 1;
    this.drop(reason);
  }

  /** A request was answered with an error without being admitted: overload, malformed, draining. */
  refuse(code: ErrorCode): void {
    if (code === "overloaded") this.#shed += 1;
    this.#count(code);
  }

  /** A message was given up without a reply. */
  drop(reason: DropReason): void {
    increment(this.#drops, reason);
  }

  /** An operation of a capability ended with this outcome. */
  operation(capability: string, operation: string, outcome: string): void {
    const counts = entryOf(entryOf(this.#operations, capability), operation);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }

  /** A process was started that replaces none. */
  runnerStarted(reason: RunnerStartReason): void {
    increment(this.#runnerStarts, reason);
  }

  /** One more process of the plugin runs now, or one fewer. */
  countRunners(change: 1 | -1): void {
    this.#runners += change;
  }

  /** A process of the plugin ended unexpectedly; another was started if needed. */
  runnerRestarted(): void {
    this.#runnerRestarts += 1;
  }

  /** A change of policy or limits took something away from the plugin. */
  narrowed(): void {
    this.#narrowings += 1;
  }

  /** How many changes of policy or limits took something away from the plugin. */
  get narrowings(): number {
    return this.#narrowings;
  }

  /** Requests admitted and not answered yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests refused with `overloaded`. */
  get shed(): number {
    return this.#shed;
  }

  get runnerRestarts(): number {
    return this.#runnerRestarts;
  }

  /** Processes of the plugin that run now. */
  get runners(): number {
    return this.#runners;
  }

  /** Starts of processes that replaced none, by reason. */
  get runnerStarts(): ReadonlyMap<RunnerStartReason, number> {
    return this.#runnerStarts;
  }

  /** Requests by outcome: those that occurred. */
  get outcomes(): ReadonlyMap<RequestOutcome, number> {
    return this.#outcomes;
  }

  get drops(): ReadonlyMap<DropReason, number> {
    return this.#drops;
  }

  /** The operations of a capability. */
  operationsOf(capability: string): OperationCounts {
    return this.#operations.get(capability) ?? NO_OPERATIONS;
  }

  /** Operations that were allowed, by the access level that allowed them. */
  get usedLevels(): Readonly<Record<AccessLevel, number>> {
    const used = Object.fromEntries(ACCESS_LEVELS.map((level) => [level, 0])) as Record<AccessLevel, number>;
    for (const { name, operations, counter } of CAPABILITIES) {
      for (const [operation, outcomes] of this.operationsOf(name)) {
        const level = operations[operation];
        if (level !== undefined) used[level] += sumExcept(outcomes, counter?.deniedOutcome);
      }
    }
    return used;
  }

  /** Durations of the admitted requests, in milliseconds. A copy. */
  durations(): HistogramValues {
    return this.#durations.values();
  }

  /** The same counts in the form of an answer to `$SRV.STATS` (NATS ADR-32). */
  endpointStats(): EndpointStats {
    const requests = [...this.#outcomes.values()].reduce((sum, times) => sum + times, 0);
    const last = this.#lastError;
    const { sum, count } = this.#durations;
    const processing = Math.round(sum * NANOSECONDS_PER_MS);
    return {
      num_requests: requests,
      num_errors: requests - (this.#outcomes.get("ok") ?? 0),
      last_error: last === undefined ? "" : `${errorRow(last).replyCode}:${last}`,
      processing_time: processing,
      average_processing_time: count === 0 ? 0 : Math.round(processing / count),
    };
  }

  #count(outcome: RequestOutcome): void {
    increment(this.#outcomes, outcome);
    if (outcome !== "ok") this.#lastError = outcome;
  }
}

const NO_OPERATIONS: OperationCounts = new Map();

/** The map at this key; created where there is none. */
function entryOf<Key, InnerKey, Value>(map: Map<Key, Map<InnerKey, Value>>, key: Key): Map<InnerKey, Value> {
  let entry = map.get(key);
  if (entry === undefined) {
    entry = new Map();
    map.set(key, entry);
  }
  return entry;
}

function sumExcept(counts: ReadonlyMap<string, number>, except: string | undefined): number {
  let sum = 0;
  for (const [key, count] of counts) if (key !== except) sum += count;
  return sum;
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
