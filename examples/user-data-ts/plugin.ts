/** Appends each request's payload to one stored value. */

import { KeyValueStore } from "local:network-host/key-value-store@1.0.0";
import { log } from "local:network-host/logging@1.0.0";
import type { AccessLevels, RpcRequest, RpcResponse } from "local:network-host/types@1.0.0";

import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

export const handler = {
  getAccessLevels(): AccessLevels {
    return { keyValueRead: true, keyValueWrite: true };
  },

  // What is thrown, here or by the host, becomes the contract's `err`.
  handleRequest(req: RpcRequest): RpcResponse {
    log("info", `Handling request ${req.id}`);

    using store = new KeyValueStore("user-data");
    const currentValue = store.get("some-key") ?? new Uint8Array();
    const newValue = `${decodeUtf8(currentValue)} processed by ${decodeUtf8(req.payload)}`;
    store.set("some-key", encodeUtf8(newValue));

    return { status: 200, body: encodeUtf8("Successfully processed") };
  },
};
