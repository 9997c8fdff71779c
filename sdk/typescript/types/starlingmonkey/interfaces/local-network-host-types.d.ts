// Generated from wit/ by scripts/generate-sdk/typescript.ts; do not edit.
declare module 'local:network-host/types@1.0.0' {
  /**
   * Defines the permissions a plugin can request.
   */
  export interface AccessLevels {
    /**
     * Allows the plugin to read from the host's key-value store.
     */
    keyValueRead?: boolean,
    /**
     * Allows the plugin to write to the host's key-value store.
     */
    keyValueWrite?: boolean,
    /**
     * Allows the plugin to make outbound HTTP requests.
     */
    outboundHttp?: boolean,
  }
  /**
   * Represents an incoming request from an external RPC call.
   */
  export interface RpcRequest {
    /**
     * A unique identifier for the request.
     */
    id: string,
    /**
     * The method or operation to be performed.
     */
    method: string,
    /**
     * The payload of the request, as raw bytes.
     */
    payload: Uint8Array,
  }
  /**
   * Represents the response the plugin must return.
   */
  export interface RpcResponse {
    /**
     * The status of the operation.
     */
    status: number,
    /**
     * The response payload, as raw bytes.
     */
    body: Uint8Array,
  }
}
