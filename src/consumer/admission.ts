/**
 * Admission: bounds how many requests are handled at a time, per plugin and per replica. A request gets a place at once
 * or is refused. Nothing queues here, so a caller sees overload as an error, not as latency. A {@link Permit} holds the
 * place.
 *
 * @module
 */

/** Why a request got no place, and when to try again. */
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

  /** `limit` returns how many requests of all plugins together may be handled now. */
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

  /** The gate of one plugin. It keeps its own count, so nothing of a removed plugin stays here. */
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

/** Holds a place until it is disposed of. Idempotent. */
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
