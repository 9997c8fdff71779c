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

import { createTrap } from "./guest/trap.ts";

type HostFunction = (...args: readonly unknown[]) => unknown;

/** How the instance that is being made wraps its suspending imports. */
let adopt: ((body: HostFunction) => HostFunction) | undefined;

/** The one place where a guest may be suspended: a guest has one thread. */
export class Suspension {
  #state: "live" | "ended" = "live";
  #interrupt: ((trap: Error) => void) | undefined;
  #resume: (() => void) | undefined;

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

  /** Traps where the instance has ended: the guest runs on after its call was cut off. */
  check(): void {
    if (this.#state === "ended") throw createTrap("the call has ended");
  }

  /**
   * Waits for a result or for the end, whichever comes first. `resume` makes of the result what the guest gets,
   * `fail` of what is thrown; neither is called any more once the instance has ended.
   */
  wait<Value>(
    result: Promise<unknown>,
    resume: (value: unknown) => Value,
    fail: (thrown: unknown) => unknown,
  ): Promise<Value> {
    // One promise and one reaction: this is on the way of every operation of a guest.
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      const settle = (give: () => void): void => {
        if (this.#interrupt !== reject) return;
        this.#interrupt = undefined;
        give();
      };
      result.then(
        (value) =>
          settle(() => {
            try {
              resolve(resume(value));
            } catch (thrown) {
              reject(fail(thrown));
            }
          }),
        (thrown: unknown) => settle(() => reject(fail(thrown))),
      );
    });
  }

  /** Suspends the guest between two calls: until {@link unpark} or the end. */
  park(): Promise<void> {
    this.check();
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      this.#resume = resolve;
    });
  }

  /** Lets a parked guest go on, in a microtask. */
  unpark(): void {
    this.#interrupt = undefined;
    this.#resume?.();
    this.#resume = undefined;
  }

  #interruptible(body: HostFunction): HostFunction {
    return (...args) => {
      this.check();
      const result = body(...args);
      return result instanceof Promise ? this.wait(result, same, same) : result;
    };
  }
}

function same(value: unknown): unknown {
  return value;
}

/** Puts ours in the place of `WebAssembly.Suspending`, for code that is loaded from now on. Call it once. */
export function interceptSuspending(): void {
  const NativeSuspending = WebAssembly.Suspending;
  WebAssembly.Suspending = function Suspending(body: HostFunction): object {
    return new NativeSuspending(adopt?.(body) ?? body);
  } as unknown as typeof NativeSuspending;
}
