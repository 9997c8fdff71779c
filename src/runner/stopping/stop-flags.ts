/**
 * The stop flags of a runner's instances, and the thread that sets them. A flag is used again for another instance once its
 * own can run no more code. So there are as many flags as there were instances at a time.
 *
 * @module
 */

import { extname } from "node:path";
import process from "node:process";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { machineMsUntil } from "../../scheduling/machine-clock.ts";
import { StopFlag } from "./stop-flag.ts";
import { ALARM, ALARM_WORDS, NO_ALARM, type StopperData } from "./stop-words.ts";

// The realm loses these globals when it is sealed.
const { add, load, notify } = Atomics;

/** The module of the thread: beside this one, and in the build beside the bundle that this one is a part of. */
const PROGRAM = new URL(`./stopper${extname(import.meta.url)}`, import.meta.url);

/** V8's bounds on the thread: its program is small and keeps next to nothing. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };

export class StopFlags {
  readonly #alarm = new Int32Array(new SharedArrayBuffer(ALARM_WORDS * Int32Array.BYTES_PER_ELEMENT));
  readonly #free: StopFlag[] = [];
  /** Flags whose instances have ended in this turn of the event loop. */
  #ended: StopFlag[] = [];
  #port: MessagePort | undefined;

  /**
   * Starts the thread, and gives up this process's right to start another one. Does not wait until the thread runs: a run that
   * is due earlier is stopped then.
   */
  start(): void {
    const { port1, port2 } = new MessageChannel();
    const data: StopperData = { alarm: this.#alarm.buffer, flags: port2 };
    const thread = new Worker(PROGRAM, {
      workerData: data,
      transferList: [port2],
      name: "stopper",
      env: {},
      argv: [],
      execArgv: [],
      resourceLimits: RESOURCE_LIMITS,
    });
    this.#port = port1;
    thread.unref();
    // Without it the runner would not do what it is trusted to: it ends, and its host starts another one.
    thread.on("error", (error) => {
      throw error;
    });
    process.permission?.drop("worker");
  }

  /** A flag for a new instance. */
  take(): StopFlag {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const flag = new StopFlag((due) => this.#note(due));
    this.#port?.postMessage(flag.memory.buffer);
    this.#signal();
    return flag;
  }

  /**
   * An instance has ended. What of it may still run is stopped: code that goes on after a wait that was over already does so
   * before the event loop turns. After that, the flag serves another instance.
   */
  giveBack(flag: StopFlag): void {
    flag.stop();
    if (this.#ended.push(flag) > 1) return;
    setImmediate(() => {
      for (const ended of this.#ended) {
        ended.end();
        this.#free.push(ended);
      }
      this.#ended = [];
    });
  }

  /** A run is due then: wakes the stopper where it would sleep for longer. */
  #note(due: number): void {
    const wakes = load(this.#alarm, ALARM.wakes);
    if (machineMsUntil(due, wakes) < 0 || wakes === NO_ALARM) this.#signal();
  }

  #signal(): void {
    add(this.#alarm, ALARM.signal, 1);
    notify(this.#alarm, ALARM.signal);
  }
}
