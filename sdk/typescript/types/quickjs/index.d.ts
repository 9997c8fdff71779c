/// <reference path="../globals.d.ts" />
/// <reference path="./interfaces/index.d.ts" />

import type { AccessLevels, RpcRequest, RpcResponse } from "local:network-host/types@1.0.0";

export * from "../handler.js";

/** What a plugin exports as `handler`. */
export interface Handler {
  /** Asked before the first request, and never during one: what the policy has to allow. */
  getAccessLevels(): AccessLevels;
  /**
   * Answers a request, on the state that the module had when the plugin was built.
   *
   * What it throws becomes the contract's `err`, which the caller reads: a text as it is, an `Error` by its message. It
   * cannot be `async` on this engine.
   */
  handleRequest(request: RpcRequest): RpcResponse;
}
