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

/** A guest was stopped because its run was due. */
export interface Stopped {
  readonly kind: "stopped";
}

/** How a guest's `handle-request` ended: the outcomes that depend on the guest alone. */
export type GuestOutcome = Extract<Outcome, { kind: "ok" | "plugin-error" | "trap" }> | Stopped;

/** How a guest's `get-access-levels` ended. */
export type LevelsOutcome =
  | { readonly kind: "levels"; readonly levels: AccessLevelBits }
  | { readonly kind: "trap"; readonly message: string }
  | Stopped;

/** Until when code of a guest may run, as a moment of `machine-clock.ts`; `undefined` where the engine is not to stop it. */
export type Due = number | undefined;

/** Makes instances of one artifact. */
export interface Engine {
  /**
   * Instantiates the component, with its imports bound to `context`. This runs guest code (start functions): it may never
   * return where the engine cannot stop it. Rejects with what that code throws, and with {@link StoppedError}. The instance
   * belongs to the caller.
   */
  instantiate(context: GuestContext, due?: Due): Promise<Instance>;
}

/**
 * How an instance was put back: it is `ready` for the next call, or it is `unstarted` and must {@link Instance.start} first.
 * Where an exact restoration is `impossible`, nothing has changed, and the caller destroys the instance.
 */
export type Restoration = "ready" | "unstarted" | "impossible";

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
  getAccessLevels(due?: Due): LevelsOutcome | Promise<LevelsOutcome>;
  /**
   * Calls `handle-request`, in the same way. A result that is not of the contract's types is a trap.
   */
  handleRequest(request: RpcRequest, due?: Due): GuestOutcome | Promise<GuestOutcome>;
  /**
   * Puts the instance back to its first state, and its retired context with it, so that it can serve another call. Only after
   * a call that returned by itself.
   */
  restore(): Restoration;
  /**
   * Runs the start functions of an `unstarted` instance. This runs guest code, as instantiating does: it may never return where
   * the engine cannot stop it. Throws what that code throws, and {@link StoppedError}; then the caller destroys the instance.
   */
  start(due?: Due): void;
  /** Unwinds the guest where it is suspended, without running any of its code. Idempotent. */
  destroy(): void;
}
