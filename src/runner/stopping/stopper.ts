/**
 * The program of the thread that stops guests: it sleeps until a run is due, and then sets the stop flag of the run's
 * instance. It runs no code of a guest and reads nothing but the shared words.
 *
 * @module
 */

import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { machineMs, machineMsUntil } from "../../scheduling/machine-clock.ts";
import { ALARM, FLAG, NO_ALARM, type StopperData } from "./stop-words.ts";

const { alarm: alarmMemory, flags: newFlags } = workerData as StopperData;
const alarm = new Int32Array(alarmMemory);
const flags: Int32Array[] = [];

function takeNewFlags(): void {
  for (;;) {
    const received = receiveMessageOnPort(newFlags);
    if (received === undefined) return;
    flags.push(new Int32Array(received.message as SharedArrayBuffer));
  }
}

/** Stops what is due; returns when the next run is, or `undefined` where no run has a deadline. */
function stopDue(): number | undefined {
  const now = machineMs(performance.now());
  let next: number | undefined;
  for (const flag of flags) {
    const run = Atomics.load(flag, FLAG.run);
    if (run <= 0) continue;
    const due = Atomics.load(flag, FLAG.due);
    if (machineMsUntil(due, now) <= 0) Atomics.compareExchange(flag, FLAG.run, run, -run);
    else if (next === undefined || machineMsUntil(due, next) < 0) next = due;
  }
  return next;
}

for (;;) {
  const signal = Atomics.load(alarm, ALARM.signal);
  // A run that begins while the flags are looked at may be missed. It finds no alarm, and signals.
  Atomics.store(alarm, ALARM.wakes, NO_ALARM);
  takeNewFlags();
  const next = stopDue();
  if (next === undefined) Atomics.wait(alarm, ALARM.signal, signal);
  else {
    Atomics.store(alarm, ALARM.wakes, next);
    const leftMs = machineMsUntil(next, machineMs(performance.now()));
    Atomics.wait(alarm, ALARM.signal, signal, Math.max(0, leftMs));
  }
}
