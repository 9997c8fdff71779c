/**
 * The contract's records and the outcomes of a request, as the parts of the host pass them on.
 *
 * @module
 */

import type { ErrorCode } from "../errors/table.ts";

/** The contract's `rpc-request`. */
export interface RpcRequest {
  readonly id: string;
  readonly method: string;
  readonly payload: Uint8Array;
}

/** The largest status of a response: an unsigned integer of 16 bits. */
export const MAX_STATUS = 0xffff;

/** The contract's `rpc-response`; `status` is at most {@link MAX_STATUS}. */
export interface RpcResponse {
  readonly status: number;
  readonly body: Uint8Array;
}

/**
 * How one run of `handle-request` ended. Every case is distinct in the reply, the log and the metrics. `isAfterOutage`: an
 * operation of the store failed during the request in a way that passes, so the plugin may not be to blame.
 */
export type Outcome =
  | { readonly kind: "ok"; readonly response: RpcResponse }
  /** The plugin returned `err(message)`. */
  | { readonly kind: "plugin-error"; readonly message: string; readonly isAfterOutage?: boolean }
  /** The guest trapped; `message` is for the log only. */
  | { readonly kind: "trap"; readonly message: string; readonly isAfterOutage?: boolean }
  /**
   * The host ended it or could not run it. `message` is for the log only; `safeText` replaces the table's
   * summary in the reply and must be fit for a stranger.
   */
  | {
      readonly kind: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly safeText?: string;
      readonly retryAfterMs?: number;
    };

/** The contract's `log-level`. */
export type LogLevel = "info" | "warning" | "error";

/** All log levels in the contract's order: the index is the enum's discriminant. */
export const LOG_LEVELS: readonly LogLevel[] = ["info", "warning", "error"];
