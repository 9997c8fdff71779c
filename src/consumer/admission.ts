/**
 * Admission: how many requests may be handled at a time, per plugin and per replica. A request gets a place
 * at once or none: nothing queues here, so that overload is seen by the caller and not as latency. A {@link Permit}
 * holds the place.
 *
 * @module
 */

/** What a request without a place is told. */
export interface Shed {
  readonly kind: "shed";
  /** Whose limit it was. */
  readonly by: "plugin" | "replica";
  readonly retryAfterMs: number;
}

/** Hint for a shed caller: long enough for places to become free, short enough not to idle. */
const RETRY_AFTER_MS = 100;

const SHED_BY_REPLICA: Shed = { kind: "shed", by: "replica", retryAfterMs: RETRY_AFTER_MS };
const SHED_BY_PLUGIN: Shed = { kind: "shed", by: "plugin", retryAfterMs: RETRY_AFTER_MS };

/** The places of a replica, which its plugins share. */
export class AdmissionGate {
  readonly #limit: () => number;
  #inFlight = 0;

  /** `limit` is the number of requests over all plugins, at each moment. */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Requests that hold a place now. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get isFull(): boolean {
    return this.#inFlight >= this.#limit();
  }

  /** The gate of one plugin. It counts for itself, so that nothing of a plugin is left here when that one is gone. */
  forPlugin(): PluginGate {
    return new PluginGate(this);
  }

  /** A place was taken or given back; for {@link PluginGate}. */
  count(change: 1 | -1): void {
    this.#inFlight += change;
  }
}

/** The places of one plugin. */
export class PluginGate {
  readonly #replica: AdmissionGate;
  #inFlight = 0;

  constructor(replica: AdmissionGate) {
    this.#replica = replica;
  }

  /** Requests of the plugin that hold a place now. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Takes a place. `limit` is the plugin's, as it is now. */
  enter(limit: number): Permit | Shed {
    if (this.#replica.isFull) return SHED_BY_REPLICA;
    if (this.#inFlight >= limit) return SHED_BY_PLUGIN;
    this.count(1);
    return new Permit(this);
  }

  /** A place was taken or given back; for {@link Permit}. */
  count(change: 1 | -1): void {
    this.#inFlight += change;
    this.#replica.count(change);
  }
}

/** A place that is held until this is disposed of, once or more. */
export class Permit implements Disposable {
  readonly kind = "admitted";
  #gate: PluginGate | undefined;

  constructor(gate: PluginGate) {
    this.#gate = gate;
  }

  [Symbol.dispose](): void {
    this.#gate?.count(-1);
    this.#gate = undefined;
  }
}
