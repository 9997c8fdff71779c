/**
 * The port between the runner and what executes an artifact. An engine turns the artifact into instances; it
 * knows nothing of calls, pools or the channel. It refuses nothing by itself: what a guest may reach is decided
 * by the namespaces that the runner builds from a {@link GuestContext}.
 *
 * @module
 */

import type { AccessLevelBits } from "../contract/access-levels.ts";
import type { Outcome, RpcRequest } from "../contract/request.ts";
import type { GuestContext } from "./guest/guest-context.ts";

/** How a guest's run ended, as far as the guest decides it. */
export type GuestOutcome = Extract<Outcome, { kind: "ok" | "plugin-error" | "trap" }>;

/** How the question for access levels ended. */
export type LevelsOutcome =
  | { readonly kind: "levels"; readonly levels: AccessLevelBits }
  | { readonly kind: "trap"; readonly message: string };

/** Makes instances of one artifact. */
export interface Engine {
  /**
   * Instantiates the component, its imports bound to `context`. Runs guest code (start functions), so it may
   * compute for ever and may throw whatever the guest made it throw. The instance belongs to the caller.
   */
  instantiate(context: GuestContext): Promise<Instance>;
}

/**
 * One instantiation of the component. It serves one call and is then either put back to its first state, which
 * not every engine can do, or destroyed.
 */
export interface Instance {
  /** Bytes of linear memory that it holds now. */
  readonly memoryBytes: number;
  /**
   * Asks `get-access-levels`. Never throws or rejects; settles never if the guest waits for ever. Where the guest
   * cannot be suspended the outcome is there at once; else it begins at once or in a microtask that is queued by then.
   */
  getAccessLevels(): LevelsOutcome | Promise<LevelsOutcome>;
  /**
   * Runs `handle-request`, in the same way. An outcome that is not of the contract's types is a trap.
   */
  handleRequest(request: RpcRequest): GuestOutcome | Promise<GuestOutcome>;
  /**
   * Puts it back to the state that it had before its first call, for a next one. To be asked after a call that
   * returned by itself. False where that cannot be done exactly: destroy it then.
   */
  restore(): boolean;
  /** Unwinds the guest where it is suspended; none of its code runs for it. Idempotent. */
  destroy(): void;
}
