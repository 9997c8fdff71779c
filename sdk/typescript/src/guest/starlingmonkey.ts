/**
 * Makes of StarlingMonkey what QuickJS is made, too: the same log and randomness, then serves.
 *
 * @module
 */

import type { AccessLevels, RpcRequest, RpcResponse } from "local:network-host/types@1.0.0";
import { guestConsole } from "./console.ts";
import { accessLevels, authorOf, checkedResponse, failure } from "./handler.ts";
import { beginServing } from "./phase.ts";
import { createRandom } from "./random.ts";

// The engine's own writes to standard output, which has no levels.
Object.assign(globalThis, { console: guestConsole });
Math.random = createRandom((count) => crypto.getRandomValues(new Uint8Array(count)), Math.random);

/** @returns the contract's `handler`. */
export function serve(plugin: Readonly<Record<string, unknown>>, file: string) {
  const author = authorOf(plugin, file);
  return {
    getAccessLevels: (): AccessLevels => accessLevels(author),
    async handleRequest(request: RpcRequest): Promise<RpcResponse> {
      beginServing();
      try {
        return checkedResponse(await author.handleRequest(request));
      } catch (error) {
        throw failure(error);
      }
    },
  };
}
