/**
 * Makes QuickJS an engine that has what authors expect, then serves.
 *
 * @module
 */

import type { AccessLevels, RpcRequest, RpcResponse } from "local:network-host/types@1.0.0";
import { getRandomBytes } from "wasi:random/random@0.2.0";
import { guestConsole } from "./console.ts";
import { accessLevels, authorOf, checkedResponse, failure } from "./handler.ts";
import { beginServing } from "./phase.ts";
import { createCrypto, createRandom } from "./random.ts";
import { TextDecoder, TextEncoder } from "./text.ts";

Object.assign(globalThis, { TextEncoder, TextDecoder, console: guestConsole, crypto: createCrypto(getRandomBytes) });
Math.random = createRandom(getRandomBytes, Math.random);

/** @returns the contract's `handler`. */
export function serve(plugin: Readonly<Record<string, unknown>>, file: string) {
  const author = authorOf(plugin, file);
  return {
    getAccessLevels: (): AccessLevels => accessLevels(author),
    handleRequest(request: RpcRequest): RpcResponse {
      beginServing();
      try {
        const response = author.handleRequest(request);
        if (response instanceof Promise)
          throw new TypeError(
            "handleRequest returned a promise: it cannot be async on QuickJS. Return the response itself, or build with --engine starlingmonkey",
          );
        return checkedResponse(response);
      } catch (error) {
        throw failure(error);
      }
    },
  };
}
