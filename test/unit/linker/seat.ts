/**
 * One instance of an engine, with what it may do: one call after another, and the way back in between. Where the engine is
 * audited, what was not put back exactly is thrown on that way.
 *
 * @module
 */

import type { RpcRequest } from "../../../src/contract/request.ts";
import type { Engine, GuestOutcome, Instance, Restoration } from "../../../src/runner/engine.ts";
import { GuestContext } from "../../../src/runner/guest/guest-context.ts";

type RequestNames = Pick<RpcRequest, "id" | "method">;

const NO_NAMES: RequestNames = { id: "", method: "" };

/** Each file of tests adds how it asks. */
export class Seat {
  readonly #instance: Instance;
  readonly #context: GuestContext;

  constructor(instance: Instance, context: GuestContext) {
    this.#instance = instance;
    this.#context = context;
  }

  static async take<Taken extends Seat>(
    this: new (instance: Instance, context: GuestContext) => Taken,
    engine: Engine,
  ): Promise<Taken> {
    const context = new GuestContext(65_536);
    return new this(await engine.instantiate(context), context);
  }

  /** A call in which every capability answers with nothing. */
  async call(payload: Uint8Array, names: RequestNames = NO_NAMES): Promise<GuestOutcome> {
    this.#context.bind({
      log: () => undefined,
      output: () => undefined,
      trapped: () => undefined,
      capability: () => ({ perform: () => Promise.resolve({ kind: "none" }) }),
    });
    return await this.callUnbound(payload, names);
  }

  /** A call of a plugin that uses no capability. */
  async callUnbound(payload: Uint8Array, names: RequestNames = NO_NAMES): Promise<GuestOutcome> {
    const outcome = await this.#instance.handleRequest({ ...names, payload });
    this.#context.retire();
    return outcome;
  }

  /** Puts it back, and says how. */
  restore(): Restoration {
    return this.#instance.restore();
  }

  /** Throws what its start functions throw. */
  start(due?: number): void {
    this.#instance.start(due);
  }

  /** Puts it back, and starts it again where it is to be. */
  putBack(): boolean {
    const restoration = this.restore();
    if (restoration === "unstarted") this.start();
    return restoration !== "impossible";
  }

  get memoryBytes(): number {
    return this.#instance.memoryBytes;
  }
}
