/**
 * Sees every instance that can be put back, in its first state and each time it was put back. Only tests use an audit: they
 * check by means of their own what {@link Snapshot} does.
 *
 * @module
 */

import type { LinkedInstance } from "./linked-instance.ts";

export interface InstanceAudit {
  /** The instance has just been made, and has served no call. */
  noteSnapshot(instance: LinkedInstance): void;
  /** The instance has been put back. An error thrown here ends the process. */
  checkRestored(instance: LinkedInstance): void;
}
