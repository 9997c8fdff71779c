// Shows what a request finds of the ones before it, and uses what a language's runtime brings with it. The methods are
// those of every plugin in test/plugins/conformance-*. One source for QuickJS and for StarlingMonkey.

import { KeyValueStore } from "local:network-host/key-value-store@1.0.0";

let calls = 0;
let last = "";
const held = [];

const methods = {
  // How many calls there were, and what the last one brought.
  state(payload) {
    const before = `${calls} ${last}`;
    calls += 1;
    last = payload;
    return before;
  },

  // Random values, by the runtime's generator and, where there is one, by the system's.
  random() {
    const system = globalThis.crypto?.getRandomValues(new Uint8Array(8)) ?? [];
    return `${Math.random()} ${[...system].join("-")}`;
  },

  // Takes so many KiB of memory and keeps them.
  hold(payload) {
    held.push(new Uint8Array(Number(payload) * 1024).fill(120));
    return payload;
  },

  // Calls itself so many times, and at the bottom waits for the store.
  descend(payload) {
    return String(level(Number(payload), new KeyValueStore("conformance")));
  },

  // Reads and writes lists within lists, so many deep: by native code that calls itself.
  nest(payload) {
    const text = "[".repeat(Number(payload)) + "]".repeat(Number(payload));
    return JSON.stringify(JSON.parse(text)) === text ? "1" : "0";
  },

  // What was thrown and is caught by nobody.
  "throw-error"(payload) {
    throw new Error(payload);
  },

  "throw-text"(payload) {
    throw payload;
  },

  // What the language has for an option that is none.
  absent() {
    return String(new KeyValueStore("conformance").get("absent"));
  },

  // Calls itself until the stack is used up.
  endless(payload) {
    return methods.endless(payload) + payload;
  },
};

function level(left, store) {
  if (left > 0) return 1 + level(left - 1, store);
  store.get("bottom");
  return 0;
}

// Neither encodes at the top level: QuickJS has no such classes, and here all texts are ASCII.
function textOf(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function bytesOf(text) {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export const handler = {
  getAccessLevels() {
    return { keyValueRead: true, keyValueWrite: false, outboundHttp: false };
  },

  handleRequest({ method, payload }) {
    return { status: 200, body: bytesOf(methods[method](textOf(payload))) };
  },
};
