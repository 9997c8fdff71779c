/**
 * Makes suspended guests of generated code interruptible. V8 treats the stack of a suspended guest as a root:
 * an instance whose import never settles is never collected. So each suspending import waits for its result
 * or for the end of its instance, whichever comes first, and the end unwinds the guest by a trap.
 *
 * Generated code asks `WebAssembly.Suspending` for its suspending imports; once {@link interceptSuspending} was
 * called it gets ours. They belong to the instance that is being made at that time, since instantiation is
 * synchronous.
 *
 * @module
 */

import { createTrap } from "./trap.ts";

type HostFunction = (...args: readonly unknown[]) => unknown;

/** How the instance that is being made wraps its suspending imports. */
let adopt: ((body: HostFunction) => HostFunction) | undefined;

/** The one place where a guest may be suspended: a guest has one thread. */
export class Suspension {
  #state: "live" | "ended" = "live";
  #interrupt: ((trap: Error) => void) | undefined;

  /** Runs `instantiate`; the suspending imports that it makes are this object's. */
  adopt<Instance>(instantiate: () => Instance): Instance {
    adopt = (body) => this.#interruptible(body);
    try {
      return instantiate();
    } finally {
      adopt = undefined;
    }
  }

  /** Unwinds the guest if it is suspended, and whenever it would suspend from now on. Idempotent. */
  end(): void {
    this.#state = "ended";
    this.#interrupt?.(createTrap("the call has ended"));
    this.#interrupt = undefined;
  }

  /** A suspending import for an instance that is not made of generated code. */
  suspending(body: HostFunction): object {
    return new WebAssembly.Suspending(this.#interruptible(body));
  }

  #interruptible(body: HostFunction): HostFunction {
    return (...args) => {
      if (this.#state === "ended") throw createTrap("the call has ended");
      const result = body(...args);
      return result instanceof Promise ? this.#until(result) : result;
    };
  }

  #until(result: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      result.finally(() => (this.#interrupt = undefined)).then(resolve, reject);
    });
  }
}

/** Puts ours in the place of `WebAssembly.Suspending`, for code that is loaded from now on. Call it once. */
export function interceptSuspending(): void {
  const NativeSuspending = WebAssembly.Suspending;
  WebAssembly.Suspending = function Suspending(body: HostFunction): object {
    return new NativeSuspending(adopt?.(body) ?? body);
  } as unknown as typeof NativeSuspending;
}
