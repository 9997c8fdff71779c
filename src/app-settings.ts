/**
 * What a consumer file says of the replica itself. Some of it may change while a replica runs; the rest is as it was at
 * its start, and a change of it is told to the operator rather than ignored.
 *
 * @module
 */

import type { ConsumerDocument } from "./config/consumer-document.ts";
import type { ReplicaLimits } from "./contract/limits.ts";
import type { PendingSetting } from "./control/report.ts";
import type { Logger } from "./telemetry/logger.ts";

/** Settings that are applied at once. All others of the replica need a restart. */
const LIVE: ReadonlySet<keyof ReplicaLimits> = new Set([
  "concurrency",
  "drainMs",
  // For what is loaded from then on.
  "componentBytes",
  "compileMs",
]);

export class ReplicaSettings {
  readonly #start: ConsumerDocument;
  readonly #logger: Logger;
  #replica: ReplicaLimits;
  /** By key; each was warned of. */
  readonly #pending = new Map<string, PendingSetting>();

  /** `start` is what the replica was started with. */
  constructor(start: ConsumerDocument, logger: Logger) {
    this.#start = start;
    this.#replica = start.replica;
    this.#logger = logger;
  }

  /** The queue group; it stays the same. */
  get group(): string {
    return this.#start.group;
  }

  /** Requests at a time, over all plugins. */
  get concurrency(): number {
    return this.#replica.concurrency;
  }

  /** What the file says otherwise by now and takes a restart. */
  get pending(): readonly PendingSetting[] {
    return [...this.#pending.values()];
  }

  /** The time that a drain has. */
  get drainMs(): number {
    return this.#replica.drainMs;
  }

  /** Takes up what can be. The result is what is in force. */
  follow(consumer: ConsumerDocument): ConsumerDocument {
    this.#warnOf("group", this.#start.group, consumer.group);
    const replica = { ...this.#replica };
    for (const name of Object.keys(replica) as (keyof ReplicaLimits)[]) {
      if (!LIVE.has(name)) {
        this.#warnOf(`replica.${name}`, this.#start.replica[name], consumer.replica[name]);
      } else if (replica[name] !== consumer.replica[name]) {
        this.#logger.info(
          { key: `replica.${name}`, from: replica[name], to: consumer.replica[name] },
          "setting changed",
        );
        replica[name] = consumer.replica[name];
      }
    }
    this.#replica = replica;
    return { ...consumer, group: this.#start.group, replica };
  }

  #warnOf(key: string, inForce: string | number, written: string | number): void {
    if (written === inForce) this.#pending.delete(key);
    if (written === inForce || this.#pending.get(key)?.written === written) return;
    this.#pending.set(key, { key, inForce, written });
    this.#logger.warn(
      { file: this.#start.file, key, inForce, written },
      `${key} was changed and takes a restart: ${inForce} stays in force`,
    );
  }
}
