/** What the host offers a plugin: the contract's imports, by shorter names. */

export { KeyValueStore } from "local:network-host/key-value-store@1.0.0";
export { log } from "local:network-host/logging@1.0.0";
