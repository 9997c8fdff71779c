// Generated from wit/ by scripts/generate-sdk/typescript.ts; do not edit.
/// <reference path="./local-network-host-types.d.ts" />
declare module 'local:network-host/handler@1.0.0' {
  /**
   * The host calls this first to determine what capabilities to grant.
   */
  export function getAccessLevels(): AccessLevels;
  /**
   * The main entrypoint for the plugin to handle a request.
   */
  export function handleRequest(req: RpcRequest): RpcResponse;
  export type AccessLevels = import('local:network-host/types@1.0.0').AccessLevels;
  export type RpcRequest = import('local:network-host/types@1.0.0').RpcRequest;
  export type RpcResponse = import('local:network-host/types@1.0.0').RpcResponse;
}
