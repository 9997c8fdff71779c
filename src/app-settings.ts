/**
 * The settings of the replica itself in a consumer file. Some may change while the replica runs. The others stay as they
 * were at its start, and the replica warns the operator of a change instead of ignoring it.
 *
 * @module
 */

import type { ConsumerDocument } from "./config/consumer-document.ts";
import type { ReplicaLimits } from "./contract/limits.ts";
import type { WrpcNatsSettings } from "./contract/wrpc-settings.ts";
import type { PendingSetting } from "./control/report.ts";
import type { Logger } from "./telemetry/logger.ts";

/** Settings that are applied at once. All others of the replica need a restart. */
const LIVE: ReadonlySet<keyof ReplicaLimits> = new Set([
  "concurrency",
  "drainMs",
  // These two apply to what is loaded from then on.
  "componentBytes",
  "compileMs",
]);

/** The replica's settings in force, as its consumer file changes. */
export class ReplicaSettings {
  readonly #start: ConsumerDocument;
  readonly #logger: Logger;
  #replica: ReplicaLimits;
  /** By key. The log has a warning of each. */
  readonly #pending = new Map<string, PendingSetting>();

  /** `start` is what the replica was started with. */
  constructor(start: ConsumerDocument, logger: Logger) {
    this.#start = start;
    this.#replica = start.replica;
    this.#logger = logger;
  }

  /** The queue group, which stays the same while the replica runs. */
  get group(): string {
    return this.#start.group;
  }

  /** wRPC over NATS, which stays the same while the replica runs. */
  get wrpcNats(): WrpcNatsSettings | undefined {
    return this.#start.wrpc.nats;
  }

  /** The most requests at a time, over all plugins. */
  get concurrency(): number {
    return this.#replica.concurrency;
  }

  /** Settings that have changed in the file and apply only after a restart. */
  get pending(): readonly PendingSetting[] {
    return [...this.#pending.values()];
  }

  /** The time limit of a drain, in milliseconds. */
  get drainMs(): number {
    return this.#replica.drainMs;
  }

  /** Applies the settings that can change at once, and warns of the others. Returns what is in force. */
  follow(consumer: ConsumerDocument): ConsumerDocument {
    this.#warnOf("group", this.#start.group, consumer.group);
    this.#warnOf("wrpc.nats", describeNats(this.wrpcNats), describeNats(consumer.wrpc.nats));
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

function describeNats(nats: WrpcNatsSettings | undefined): string {
  return nats === undefined ? "off" : `${nats.prefix}: ${[...nats.plugins].sort().join(", ")}`;
}
