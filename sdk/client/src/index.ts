/**
 * Calls plugins of network-host over a NATS connection of the caller's: typed errors, a time budget for each call, and
 * retries only where the reply says that they may help and nothing can be done twice.
 *
 * @module
 */

export { CallError, type CallErrorCode, isCallError } from "./call-error.ts";
export { PluginClient } from "./client.ts";
export { ERROR_CODES, type ErrorCode, type ErrorCodeRow, isErrorCode } from "./error-codes.ts";
export type { CallOptions, ClientOptions } from "./options.ts";
export { json } from "./payload.ts";
export type { Reply } from "./reply.ts";
