/**
 * Sees every instance: in its first state if it can be put back, each time it was put back, and each time its start functions
 * have run. Only tests use an audit: they check by means of their own what {@link Snapshot} does.
 *
 * @module
 */

import type { LinkedInstance } from "./linked-instance.ts";

export interface InstanceAudit {
  /** The instance is in the state that it will be put back to; a later one takes the place of an earlier one. */
  noteSnapshot(instance: LinkedInstance): void;
  /** The instance has been put back. An error thrown here ends the process. */
  checkRestored(instance: LinkedInstance): void;
  /** The start functions have run: of a new instance, or again of one that was put back to its state before them. */
  noteStarted(instance: LinkedInstance): void;
}
