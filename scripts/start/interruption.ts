const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** npm and the terminal may both deliver one Ctrl-C: only a signal that comes later is a second one. */
const SAME_SIGNAL_MS = 1_000;

/** Keeps SIGINT and SIGTERM from ending this process, until it is disposed of. */
export class Interruption implements Disposable {
  readonly #first = Promise.withResolvers<void>();
  #firstMs: number | undefined;
  #second: () => void = () => {};

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#receive);
  }

  /** Resolves at the first signal. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  /** What a second, impatient signal does. */
  onSecond(action: () => void): void {
    this.#second = action;
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#receive);
  }

  readonly #receive = (): void => {
    const nowMs = performance.now();
    if (this.#firstMs === undefined) {
      this.#firstMs = nowMs;
      this.#first.resolve();
    } else if (nowMs - this.#firstMs > SAME_SIGNAL_MS) {
      this.#second();
    }
  };
}
