/**
 * The connection to MongoDB, which every command needs first. It is opened on demand, and again as long as no attempt has
 * succeeded: after a failed first attempt, the driver itself gives up permanently, even if the server or the user appears
 * later.
 *
 * It says why there is no connection, without revealing credentials.
 *
 * @module
 */

import { setTimeout as pause } from "node:timers/promises";
import type { MongoClient, ServerDescription, TopologyDescription } from "mongodb";
import { HostError } from "../../errors/host-error.ts";
import { REDACTED, scrubSecrets } from "../../telemetry/redaction.ts";
import type { StoreTrouble } from "../store.ts";
import { describeMongoError } from "./mongodb-errors.ts";

/** Attempts begin no sooner after one that failed: a user that is refused must not be tried a hundred times a second. */
const RETRY_PAUSE_MS = 500;

/** Closing the connection to a server that does not answer takes at most this long; the sockets are closed by then. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Servers that a description names. */
const NAMED_SERVERS = 8;

export class MongoConnection {
  readonly client: MongoClient;
  readonly #secrets: readonly string[];
  #state: "new" | "connected" | "closed" = "new";
  #connecting: Promise<void> | undefined;
  #notBefore = 0;
  /** Why the last attempt failed, as long as none has succeeded. */
  #failure: string | undefined;
  /** Those that the driver knew of last; none where no server is what the URL says. */
  #servers: readonly ServerDescription[] | undefined;
  #recognisesRetries = false;

  /** @param secrets what no message may hold */
  constructor(client: MongoClient, secrets: readonly string[]) {
    this.client = client;
    this.#secrets = secrets;
    client.on("topologyDescriptionChanged", ({ newDescription }) => this.#note(newDescription));
  }

  /**
   * Resolves when there is a connection to the primary, or was one: a lost one comes back by itself. Rejects with
   * what the driver says when it cannot be made; another call tries again.
   */
  connected(): Promise<void> {
    if (this.#state === "connected") return Promise.resolve();
    if (this.#state === "closed") return Promise.reject(new HostError("store-unavailable", "the store is closed"));
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined));
    return this.#connecting;
  }

  /** May a write be sent again, since the servers recognise it by its number? Known once it is connected. */
  get recognisesRetries(): boolean {
    return this.client.options.retryWrites && this.#recognisesRetries;
  }

  /** May a read be sent again? */
  get repeatsReads(): boolean {
    return this.client.options.retryReads;
  }

  /** What is wrong with the connection or with servers, as far as it is known. */
  trouble(): StoreTrouble | undefined {
    const reason = this.#reason();
    if (reason === undefined) return undefined;
    const isCutOff = this.#state !== "connected" || this.#servers?.every(({ isWritable }) => !isWritable) === true;
    return { kind: isCutOff ? "cut-off" : "impaired", reason };
  }

  #reason(): string | undefined {
    if (this.#servers?.length === 0) return "no server that answers belongs to the replica set that the URL names";
    const failing = this.#servers?.filter(({ error }) => error !== null).slice(0, NAMED_SERVERS) ?? [];
    if (failing.length === 0) return this.#failure;
    return failing.map(({ address, error }) => `${address}: ${describeMongoError(error, this.redact)}`).join(", ");
  }

  /** Removes credentials from a text that comes from the driver. */
  readonly redact = (text: string): string => {
    let safe = scrubSecrets(text);
    for (const secret of this.#secrets) safe = safe.replaceAll(secret, REDACTED);
    return safe;
  };

  async close(): Promise<void> {
    this.#state = "closed";
    const closed = this.client.close().catch(() => {
      // A failed close loses nothing: every operation has settled.
    });
    const over = new AbortController();
    const expired = pause(CLOSE_TIMEOUT_MS, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([closed, expired]);
    over.abort();
  }

  async #connect(): Promise<void> {
    const waitMs = this.#notBefore - performance.now();
    if (waitMs > 0) await pause(waitMs);
    try {
      await this.client.connect();
      if (this.#state === "new") this.#state = "connected";
      this.#failure = undefined;
    } catch (error) {
      this.#failure = describeMongoError(error, this.redact);
      this.#notBefore = performance.now() + RETRY_PAUSE_MS;
      throw error;
    }
  }

  #note({ servers }: TopologyDescription): void {
    const known = [...servers.values()];
    // A new attempt knows nothing yet: the previous attempt's finding is still the best available.
    if (known.length > 0 && known.every(({ type, error }) => type === "Unknown" && error === null)) return;
    this.#servers = known;
    // The driver's rule, https://github.com/mongodb/specifications (retryable writes).
    const writable = known.find(({ isWritable }) => isWritable);
    if (writable !== undefined)
      this.#recognisesRetries = writable.type !== "Standalone" && writable.logicalSessionTimeoutMinutes !== null;
  }
}
