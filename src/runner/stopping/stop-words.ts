/**
 * The shared words by which the runner's main thread and its stopper agree on what is to be stopped. All accesses are atomic.
 *
 * Each instance has a stop flag, whose first word has one of these values:
 *
 * - 0: no run of the instance has a deadline.
 * - positive: the number of a run, which is due at the second word. The stopper makes it negative once the run is due.
 * - negative: the instance's code traps at its next check.
 *
 * The stopper changes the first word only by comparing and exchanging: from the number of a run that is due to that number
 * negated. So it never stops another run than the one that it has found due, whatever the main thread does meanwhile.
 *
 * @module
 */

import { STOP_FLAG_OFFSET } from "../../contract/stop-flag.ts";

/** Words of a stop flag's memory. */
export const FLAG = { run: STOP_FLAG_OFFSET / Int32Array.BYTES_PER_ELEMENT, due: 1 } as const;

/** Words of the memory that wakes the stopper. */
export const ALARM = {
  /** Changes whenever the stopper must look again. */
  signal: 0,
  /** When the stopper looks again by itself, as a moment of the machine's clock; {@link NO_ALARM} where it does not. */
  wakes: 1,
} as const;

export const ALARM_WORDS = 2;

/** No moment of the machine's clock. */
export const NO_ALARM = 0;

/** What the stopper is started with. */
export interface StopperData {
  readonly alarm: SharedArrayBuffer;
  /** Brings the buffer of each new flag. */
  readonly flags: import("node:worker_threads").MessagePort;
}
