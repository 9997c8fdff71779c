/**
 * The port between the runner and an engine, which executes an artifact. An engine makes instances of the artifact. It
 * knows nothing of calls, pools or the channel, and grants and denies nothing: the namespaces that the runner builds from a
 * {@link GuestContext} decide what a guest can reach.
 *
 * @module
 */

import type { AccessLevelBits } from "../contract/access-levels.ts";
import type { Outcome, RpcRequest } from "../contract/request.ts";
import type { GuestContext } from "./guest/guest-context.ts";

/** How a guest's `handle-request` ended: the outcomes that depend on the guest alone. */
export type GuestOutcome = Extract<Outcome, { kind: "ok" | "plugin-error" | "trap" }>;

/** How a guest's `get-access-levels` ended. */
export type LevelsOutcome =
  | { readonly kind: "levels"; readonly levels: AccessLevelBits }
  | { readonly kind: "trap"; readonly message: string };

/** Makes instances of one artifact. */
export interface Engine {
  /**
   * Instantiates the component, with its imports bound to `context`. This runs guest code (start functions): it may never
   * return, and rejects with what that code throws. The instance belongs to the caller.
   */
  instantiate(context: GuestContext): Promise<Instance>;
}

/**
 * One instantiation of the component. It serves one call at a time. After each call, it is put back to its first state,
 * which not every engine can do, or destroyed.
 */
export interface Instance {
  /** The bytes of its linear memories, as large as they are now. */
  readonly memoryBytes: number;
  /**
   * Calls `get-access-levels`. Never throws or rejects; never settles if the guest waits for ever. A guest that cannot be
   * suspended has run when this returns its outcome. Any other begins before this returns, or in a microtask queued by then.
   */
  getAccessLevels(): LevelsOutcome | Promise<LevelsOutcome>;
  /**
   * Calls `handle-request`, in the same way. A result that is not of the contract's types is a trap.
   */
  handleRequest(request: RpcRequest): GuestOutcome | Promise<GuestOutcome>;
  /**
   * Puts the instance back to its state before its first call, so that it can serve another. Only after a call that
   * returned by itself. False where an exact restoration is impossible: the caller then destroys the instance.
   */
  restore(): boolean;
  /** Unwinds the guest where it is suspended, without running any of its code. Idempotent. */
  destroy(): void;
}
