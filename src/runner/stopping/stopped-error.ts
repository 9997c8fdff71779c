/**
 * What instantiating rejects with where a guest's start function was stopped.
 *
 * @module
 */

import { HostError } from "../../errors/host-error.ts";

export class StoppedError extends HostError {
  constructor() {
    super("deadline-exceeded", "the guest was stopped while its instance was made");
  }
}
