/**
 * A suspendable call that keeps its stack from call to call. V8 gives every call by `WebAssembly.promising` a stack of its
 * own and keeps few of them for later calls. With many calls at a time, it maps and unmaps a stack for each. Here each
 * instance makes one such call, which runs a loop and is suspended between two calls of the function.
 *
 * Call again only when the promise of the call before has resolved, and never after one that rejected. V8 can release the
 * stack when the suspension ends.
 *
 * @module
 */

import type { Suspension } from "../suspension.ts";
import type { CoreFunction } from "./canon.ts";
import type { FlatValue } from "./compiled-type.ts";

export class StandingCall {
  readonly #suspension: Suspension;
  /** The arguments with which the loop calls the function. */
  readonly #params: readonly WebAssembly.Global[];
  readonly #serve: () => Promise<void>;
  #state: "idle" | "standing" = "idle";
  #resolve: (flat: FlatValue | undefined) => void = ignore;
  #reject: (thrown: unknown) => void = ignore;

  /** @param loop the module of `encodeStandingLoop` for the signature of `core`, an exported core function */
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

  /** Calls the function: the first time at once, after that in a microtask. Rejects with what the guest throws. */
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
      // Also rejects with what the guest throws in a later call, and, between two calls, when the suspension ends.
      this.#serve().catch((thrown: unknown) => this.#reject(thrown));
    });
  }
}

function ignore(): void {
  // No call has been made yet.
}
