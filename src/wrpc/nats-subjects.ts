/**
 * The subjects of wRPC over NATS, as its last published crates have them (wrpc-transport-nats 0.31.0). Pure.
 *
 * @module
 */

import type { PluginName } from "../contract/names.ts";
import { WRPC_PROTOCOL } from "../contract/protocol.ts";
import { HANDLER_INSTANCE, type HandlerFunction } from "./handler-functions.ts";

/** Where callers of a plugin's function publish the invocation. */
export function invocationSubject(prefix: string, plugin: PluginName, { name }: HandlerFunction): string {
  return `${prefix}.${plugin}.${WRPC_PROTOCOL}.${HANDLER_INSTANCE}.${name}`;
}

/** Where the callee takes the parameters that did not fit the invocation. `inbox` is what it named in the handshake. */
export function parametersSubject(inbox: string): string {
  return `${inbox}.params`;
}

/** Where the caller takes the results. `inbox` is the reply subject of its invocation. */
export function resultsSubject(inbox: string): string {
  return `${inbox}.results`;
}
