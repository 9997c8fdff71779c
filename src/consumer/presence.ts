/**
 * Decides whether a replica takes a plugin's requests. It does where it can serve them. Where it cannot load the
 * plugin, it leaves the requests to replicas that can. While there are none, it takes them, so that callers learn the
 * reason.
 *
 * @module
 */

import type { PluginName } from "../contract/names.ts";
import { Gate } from "../registry/gate.ts";
import type { PluginSlot } from "../registry/plugin-slot.ts";
import type { Consumer } from "./consumer.ts";

/** How often to check whether another replica still serves a plugin that this one cannot load. */
const LOOK_MS = 5_000;

/** Concurrent questions to other replicas; each takes part of a second. */
const CONCURRENT_QUESTIONS = 8;

/** The parts of a slot that decide. */
type PresentSlot = Pick<PluginSlot, "name" | "state" | "stats">;

export interface PresenceEvents {
  /** The server has accepted the subscriptions of these plugins. */
  subscribed(plugins: readonly PluginName[]): void;
  /** This replica cannot serve the plugin, and another one does. */
  left(plugin: PluginName): void;
  /** This replica cannot serve the plugin, and no other one does any more. */
  alone(plugin: PluginName): void;
}

export interface PresenceOptions {
  readonly consumer: Pick<Consumer, "subscribe" | "unsubscribe">;
  /** Does another replica serve it? Never rejects. */
  readonly isServedElsewhere: (plugin: PluginName) => Promise<boolean>;
  readonly events: PresenceEvents;
}

interface Place {
  /** Settles when all work queued for the plugin is done; its steps run one after another. */
  tail: Promise<void>;
  timer: NodeJS.Timeout | undefined;
  isLeft: boolean;
}

export class Presence {
  readonly #parts: PresenceOptions;
  readonly #places = new Map<PresentSlot, Place>();
  readonly #questions = new Gate({ places: CONCURRENT_QUESTIONS });
  #state: "open" | "closed" = "open";

  constructor(parts: PresenceOptions) {
    this.#parts = parts;
  }

  /**
   * Takes the requests of these plugins, or leaves them to other replicas, by the present state of the slots. Resolves
   * when that is decided for each failed or known one.
   */
  async review(slots: Iterable<PresentSlot>): Promise<void> {
    const able: PresentSlot[] = [];
    const decisions: Promise<void>[] = [];
    for (const slot of slots) {
      const isKnown = this.#places.has(slot);
      if (slot.state.kind === "failed" || isKnown) decisions.push(this.#then(slot, () => this.#decide(slot)));
      else able.push(slot);
    }
    if (able.length > 0) void this.#subscribe(able);
    await Promise.all(decisions);
  }

  /** Stops taking the plugin's requests; callers get no reason. Resolves when no more are taken. */
  async remove(slot: PresentSlot): Promise<void> {
    const left = this.#then(slot, () => this.#parts.consumer.unsubscribe(slot.name));
    clearTimeout(this.#places.get(slot)?.timer);
    this.#places.delete(slot);
    await left;
  }

  /** Stops reviewing; subscriptions stay as they are. Idempotent. */
  close(): void {
    this.#state = "closed";
    for (const { timer } of this.#places.values()) clearTimeout(timer);
  }

  /** Queues work behind the slot's earlier work. */
  #then(slot: PresentSlot, work: () => Promise<void>): Promise<void> {
    const place = this.#places.get(slot) ?? { tail: Promise.resolve(), timer: undefined, isLeft: false };
    this.#places.set(slot, place);
    place.tail = place.tail.then(work);
    return place.tail;
  }

  async #decide(slot: PresentSlot): Promise<void> {
    const place = this.#places.get(slot);
    if (place === undefined || this.#state === "closed") return;
    clearTimeout(place.timer);
    const { consumer, isServedElsewhere, events } = this.#parts;
    const isServed = slot.state.kind === "failed" && (await this.#questions.run(() => isServedElsewhere(slot.name)));
    // The plugin may have been loaded, or removed, during the question.
    if (this.#places.get(slot) !== place || this.#isClosed()) return;
    const isFailed = slot.state.kind === "failed";
    if (isServed && isFailed) {
      if (!place.isLeft) events.left(slot.name);
      await consumer.unsubscribe(slot.name);
    } else {
      if (isFailed && place.isLeft) events.alone(slot.name);
      await this.#subscribe([slot]);
    }
    place.isLeft = isServed && isFailed;
    if (isFailed && !this.#isClosed()) {
      place.timer = setTimeout(() => void this.#then(slot, () => this.#decide(slot)), LOOK_MS).unref();
    }
  }

  async #subscribe(slots: readonly PresentSlot[]): Promise<void> {
    const held = await this.#parts.consumer.subscribe(slots);
    if (held.length > 0) this.#parts.events.subscribed(held);
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }
}
