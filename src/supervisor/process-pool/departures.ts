/**
 * Processes that were retired from service and have not ended yet. No new call can reach them.
 *
 * @module
 */

import type { Runner } from "../process/runner.ts";

export class Departures {
  readonly #leaving = new Map<Runner, Promise<void>>();

  /** Ends a process once the calls on it have been answered. */
  add(process: Runner): void {
    const gone = process.drain().finally(() => this.#leaving.delete(process));
    this.#leaving.set(process, gone);
  }

  /** Ends all of them now; calls still on one are settled as lost. */
  async close(): Promise<void> {
    await Promise.all([...this.#leaving].map(([process, gone]) => Promise.all([process.close(), gone])));
  }
}
