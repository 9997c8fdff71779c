/**
 * A suspendable call that keeps its stack from call to call. V8 gives every call by `WebAssembly.promising` a stack of
 * its own and keeps few of them for the next ones; with many calls at a time it maps and unmaps one for each. Here
 * one such call per instance runs a loop: between two calls of the function it is suspended.
 *
 * A call may be followed by the next one when its promise has resolved; after one that rejected there is none. The
 * stack is released when the suspension ends.
 *
 * @module
 */

import type { Suspension } from "../suspension.ts";
import type { CoreFunction } from "./canon.ts";
import type { FlatValue } from "./compiled-type.ts";

export class StandingCall {
  readonly #suspension: Suspension;
  /** What the loop calls the function with. */
  readonly #params: readonly WebAssembly.Global[];
  readonly #serve: () => Promise<void>;
  #state: "idle" | "standing" = "idle";
  #resolve: (flat: FlatValue | undefined) => void = ignore;
  #reject: (thrown: unknown) => void = ignore;

  /** @param loop a module of `encodeStandingLoop` for the signature of `core`, which is an exported core function */
  constructor(loop: WebAssembly.Module, core: CoreFunction, suspension: Suspension) {
    this.#suspension = suspension;
    const { exports } = new WebAssembly.Instance(loop, {
      "": {
        call: core,
        returned: (flat: FlatValue | undefined) => this.#resolve(flat),
        next: new WebAssembly.Suspending(() => suspension.park()),
      },
    });
    const { serve, ...params } = exports;
    this.#serve = WebAssembly.promising(serve) as () => Promise<void>;
    this.#params = Object.values(params) as WebAssembly.Global[];
  }

  /** Calls the function: the first time at once, later in a microtask. */
  call(flat: readonly FlatValue[]): Promise<FlatValue | undefined> {
    for (const [index, value] of flat.entries()) (this.#params[index] as WebAssembly.Global).value = value;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (this.#state === "standing") {
        this.#suspension.unpark();
        return;
      }
      this.#state = "standing";
      // What the guest throws in a later call arrives here, too; and the end, between two calls.
      this.#serve().catch((thrown: unknown) => this.#reject(thrown));
    });
  }
}

function ignore(): void {
  // There is no call yet.
}
