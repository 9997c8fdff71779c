/**
 * How planning refuses a component. A refusal is not the component's fault: it runs on the other engine, and the manifest
 * names the reason.
 *
 * @module
 */

import { HostError } from "../../errors/host-error.ts";

/** Longest reason that a manifest carries, in characters. */
export const REASON_MAX_LENGTH = 200;

/** The error for what cannot be planned. `what` may quote the component. */
export function refusal(what: string): HostError {
  return new HostError("compile-failed", what.slice(0, REASON_MAX_LENGTH));
}
