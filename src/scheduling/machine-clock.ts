/**
 * Moments that two processes of one machine understand alike: milliseconds of the machine's monotonic clock, as an unsigned
 * number of 32 bits. It begins anew every 49 days, so two moments are compared by {@link machineMsUntil}, and must lie less
 * than 24 days apart.
 *
 * @module
 */

import { hrtime } from "node:process";

const NANOS_PER_MS = 1e6;

/** What `performance.now()` lacks: it begins with the process. */
const BEGINNING_MS = Number(hrtime.bigint()) / NANOS_PER_MS - performance.now();

/** A moment of `performance.now()`, rounded up; never 0. */
export function machineMs(atMs: number): number {
  return Math.ceil(atMs + BEGINNING_MS) >>> 0 || 1;
}

/** How long it is from one moment to another; negative where the other came first. */
export function machineMsUntil(then: number, now: number): number {
  return (then - now) | 0;
}
