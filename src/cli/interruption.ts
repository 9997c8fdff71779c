/**
 * The first signal that ends a command, as an abort: what the command has started is ended with it.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";
import type { HeededSignal, SignalSource } from "./serve.ts";

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const satisfies readonly HeededSignal[];

export class Interruption implements Disposable {
  readonly #signals: SignalSource;
  readonly #controller = new AbortController();

  constructor(signals: SignalSource) {
    this.#signals = signals;
    for (const name of ENDING) signals.on(name, this.#receive);
  }

  /** Aborted by the first signal; its reason is an error that says so. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const name of ENDING) this.#signals.off(name, this.#receive);
  }

  readonly #receive = (name: HeededSignal): void => {
    this.#controller.abort(new HostError("build-failed", `ended by ${name}`));
  };
}
