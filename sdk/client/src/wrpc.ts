/**
 * Calls plugins of network-host over wRPC, as functions of an object: over TCP, or over a NATS connection of the caller's.
 *
 * @module
 */

export type { AccessLevel } from "./wrpc/handler-values.ts";
export { wrpcOverNats, type WrpcNatsOptions } from "./wrpc/nats.ts";
export { wrpcOverTcp, type WrpcTcpOptions } from "./wrpc/tcp.ts";
export type { WrpcCallOptions, WrpcPlugin, WrpcPluginOptions } from "./wrpc/wrpc-plugin.ts";
