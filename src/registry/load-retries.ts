/**
 * Retries loads that failed for a temporary reason, at growing intervals, until they end in another way. Faults of the
 * component are not retried: only another component helps, and its file is watched.
 *
 * @module
 */

import type { PluginSlot, ReloadOutcome } from "./plugin-slot.ts";

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;

interface Retry {
  readonly failures: number;
  readonly timer: NodeJS.Timeout;
}

export class LoadRetries {
  readonly #reload: (slot: PluginSlot) => void;
  readonly #retries = new Map<PluginSlot, Retry>();
  #state: "open" | "closed" = "open";

  /** `reload` loads the slot; its outcome is passed to {@link note}. */
  constructor(reload: (slot: PluginSlot) => void) {
    this.#reload = reload;
  }

  /** Records how a load ended. Returns when it is retried, in milliseconds, if it is. */
  note(slot: PluginSlot, outcome: ReloadOutcome): number | undefined {
    const failures = (this.#retries.get(slot)?.failures ?? 0) + 1;
    this.forget(slot);
    if (this.#state === "closed" || !isPassing(outcome)) return undefined;
    const delayMs = Math.max(
      Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1)),
      outcome.error.retryAfterMs ?? 0,
    );
    const timer = setTimeout(() => this.#reload(slot), delayMs).unref();
    this.#retries.set(slot, { failures, timer });
    return delayMs;
  }

  /** Cancels the slot's retry. */
  forget(slot: PluginSlot): void {
    clearTimeout(this.#retries.get(slot)?.timer);
    this.#retries.delete(slot);
  }

  /** Cancels all retries. Idempotent. */
  close(): void {
    this.#state = "closed";
    for (const slot of this.#retries.keys()) this.forget(slot);
  }
}

function isPassing(outcome: ReloadOutcome): outcome is Extract<ReloadOutcome, { kind: "failed" | "kept" }> {
  return (outcome.kind === "failed" || outcome.kind === "kept") && outcome.error.row.retryable;
}
