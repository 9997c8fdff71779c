/**
 * Makes suspended guests interruptible. V8 treats the stack of a suspended guest as a root: it never collects an instance
 * whose import never settles. So each suspending import waits for its result or for the end of its instance, whichever
 * comes first, and the end unwinds the guest by a trap.
 *
 * Generated code makes its suspending imports by `WebAssembly.Suspending`, which {@link interceptSuspending} replaces. The
 * imports belong to the instance that is being made at that time, because instantiation is synchronous.
 *
 * @module
 */

import { asTrap, createTrap } from "./guest/trap.ts";

type HostFunction = (...args: readonly unknown[]) => unknown;

/** Wraps a suspending import for the instance that is being made. */
let adopt: ((body: HostFunction) => HostFunction) | undefined;

/** The suspension of one instance's guest. A guest has one thread, so at most one of its calls is suspended. */
export class Suspension {
  #state: "live" | "ended" = "live";
  #interrupt: ((trap: Error) => void) | undefined;
  /** The guest between two calls. A start function that runs then and would suspend is not parked, so this is not #interrupt. */
  #parked: { readonly resume: () => void; readonly interrupt: (trap: Error) => void } | undefined;

  /** Runs `instantiate`; the suspending imports that it makes belong to this object. */
  adopt<Instance>(instantiate: () => Instance): Instance {
    adopt = (body) => this.#interruptible(body);
    try {
      return instantiate();
    } finally {
      adopt = undefined;
    }
  }

  /** Unwinds the guest if it is suspended now, and whenever it would suspend later. Idempotent. */
  end(): void {
    this.#state = "ended";
    this.#interrupt?.(createTrap("the call has ended"));
    this.#interrupt = undefined;
    this.#parked?.interrupt(createTrap("the call has ended"));
    this.#parked = undefined;
  }

  /** Traps where the instance has ended: a guest may run on after its call was cut off. */
  check(): void {
    if (this.#state === "ended") throw createTrap("the call has ended");
  }

  /**
   * Waits for a result or for the end, whichever comes first. The guest gets what `resume` makes of the result, or what
   * `fail` makes of an error. Neither is called once the instance has ended.
   */
  wait<Value>(
    result: Promise<unknown>,
    resume: (value: unknown) => Value,
    fail: (thrown: unknown) => unknown,
  ): Promise<Value> {
    // One promise and one reaction, because every operation of a guest passes here.
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
      this.#parked = { resume: resolve, interrupt: reject };
    });
  }

  /** Resumes a parked guest, in a microtask. */
  unpark(): void {
    this.#parked?.resume();
    this.#parked = undefined;
  }

  #interruptible(body: HostFunction): HostFunction {
    return (...args) => {
      this.check();
      try {
        const result = body(...args);
        return result instanceof Promise ? this.wait(result, same, asTrap) : result;
      } catch (thrown) {
        throw asTrap(thrown);
      }
    };
  }
}

function same(value: unknown): unknown {
  return value;
}

/** Replaces `WebAssembly.Suspending`, for code that is loaded from now on. Call it once. */
export function interceptSuspending(): void {
  const NativeSuspending = WebAssembly.Suspending;
  WebAssembly.Suspending = function Suspending(body: HostFunction): object {
    return new NativeSuspending(adopt?.(body) ?? body);
  } as unknown as typeof NativeSuspending;
}
