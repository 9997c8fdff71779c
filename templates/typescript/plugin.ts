import { type Handler, KeyValueStore } from "network-plugin-api";

export const handler: Handler = {
  // Asked once, before the first request: what the operator's policy has to allow.
  getAccessLevels() {
    return { keyValueRead: true, keyValueWrite: true };
  },

  handleRequest({ method, payload }) {
    console.log("a request for", method);
    const name = new TextDecoder().decode(payload);
    // A text that is thrown is what the caller gets for an answer.
    if (name === "") throw "a name is needed";

    const store = new KeyValueStore("counters");
    const stored = store.get(method);
    const count = (stored === null ? 0 : Number(new TextDecoder().decode(stored))) + 1;
    store.set(method, new TextEncoder().encode(String(count)));
    return { status: 200, body: new TextEncoder().encode(`Hello, ${name}! You are number ${count}.`) };
  },
};
