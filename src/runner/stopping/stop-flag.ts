/**
 * The main thread's end of one instance's stop flag.
 *
 * @module
 */

import { STOP_FLAG_PAGES } from "../../contract/stop-flag.ts";
import { FLAG } from "./stop-words.ts";

// The realm loses its global `Atomics` when it is sealed.
const { exchange, store } = Atomics;

const FIRST_RUN = 1;
const LAST_RUN = 0x7fff_ffff;

/** Runs of all instances are numbered: a number comes again after two thousand million runs. */
let lastRun = 0;

export class StopFlag {
  readonly memory: WebAssembly.Memory<SharedArrayBuffer>;
  readonly #words: Int32Array;
  readonly #begun: (due: number) => void;

  /** @param begun told when a run that has begun is due */
  constructor(begun: (due: number) => void) {
    this.memory = new WebAssembly.Memory({ initial: STOP_FLAG_PAGES, maximum: STOP_FLAG_PAGES, shared: true });
    this.#words = new Int32Array(this.memory.buffer);
    this.#begun = begun;
  }

  /** Code of the instance runs from now on, until {@link end}: it is stopped at the moment `due` of the machine's clock. */
  begin(due: number): void {
    lastRun = lastRun === LAST_RUN ? FIRST_RUN : lastRun + 1;
    store(this.#words, FLAG.due, due | 0);
    store(this.#words, FLAG.run, lastRun);
    this.#begun(due);
  }

  /** The run is over, and was it stopped? From now on, nothing is stopped. */
  end(): boolean {
    return exchange(this.#words, FLAG.run, 0) < 0;
  }

  /** Stops whatever of the instance may still run, until {@link end}. */
  stop(): void {
    store(this.#words, FLAG.run, -1);
  }
}
