// QuickJS has no `crypto`, and its `Math.random` goes on from where it was when the component was built. A plugin that
// needs random values imports them.

import { getRandomBytes } from "wasi:random/random@0.2.0";

globalThis.crypto = {
  getRandomValues(bytes) {
    bytes.set(getRandomBytes(bytes.length));
    return bytes;
  },
};

export { handler } from "./plugin.js";
