/**
 * Sees every instance that can be put back, at its first state and after each time that it was put back. Nobody serves
 * with one: it is how tests look at what {@link Snapshot} does, with means of their own.
 *
 * @module
 */

import type { LinkedInstance } from "./linked-instance.ts";

export interface InstanceAudit {
  /** The instance has just been made, and nothing has been asked of it. */
  noteSnapshot(instance: LinkedInstance): void;
  /** The instance has been put back. What this throws ends the process. */
  checkRestored(instance: LinkedInstance): void;
}
