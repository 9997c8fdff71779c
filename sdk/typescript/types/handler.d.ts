export type { AccessLevels, RpcRequest, RpcResponse } from "local:network-host/types@1.0.0";
export type { LogLevel } from "local:network-host/logging@1.0.0";
export { KeyValueStore } from "local:network-host/key-value-store@1.0.0";
export { log } from "local:network-host/logging@1.0.0";
