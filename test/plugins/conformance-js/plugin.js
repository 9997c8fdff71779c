// The methods of the contract's cases (conformance/contract.test.yaml), and more that show what a request finds of the ones
// before it and use what a language's runtime brings with it. The methods are those of every plugin in
// test/plugins/conformance-*. One source for QuickJS and for StarlingMonkey, which alone has `fetch`.

import { KeyValueStore } from "local:network-host/key-value-store@1.0.0";

let calls = 0;
let last = "";
const held = [];

const methods = {
  echo: (payload) => payload,

  id: (_, { id }) => bytesText(id),

  "méthode-方法-🙂": (_, { method }) => bytesText(method),

  status: (payload) => ({ status: Number(payload), body: "" }),

  fail(payload) {
    throw utf8(payload);
  },

  trap: (payload) => methods.endless(payload),

  remember(payload) {
    const before = last;
    last = payload;
    return before;
  },

  get(payload) {
    const [bucket, key] = utf8(payload).split("\n");
    const value = operate(() => new KeyValueStore(bucket).get(key));
    return value ? { status: 200, body: value } : { status: 404, body: "" };
  },

  set(payload) {
    const [bucket, key] = payload.split("\n", 2);
    const value = bytesOf(payload.slice(bucket.length + key.length + 2));
    operate(() => new KeyValueStore(utf8(bucket)).set(utf8(key), value));
    return "";
  },

  async fetch(payload) {
    const [method, url] = payload.split("\n", 2);
    const body = payload.slice(method.length + url.length + 2);
    try {
      const response = await fetch(url, body === "" ? { method } : { method, body: bytesOf(body) });
      return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      throw String(error);
    }
  },

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

// The contract's error is a text; what the engines throw for it is not.
function operate(operation) {
  try {
    return operation();
  } catch (error) {
    throw String(error?.payload ?? error?.message ?? error);
  }
}

// A payload is a text with a character for each byte: QuickJS has no classes that encode.
function textOf(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

function bytesOf(text) {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function utf8(bytesText) {
  return decodeURIComponent(escape(bytesText));
}

function bytesText(text) {
  return unescape(encodeURIComponent(text));
}

function response(answer) {
  const { status, body } = typeof answer === "string" ? { status: 200, body: answer } : answer;
  return { status, body: typeof body === "string" ? bytesOf(body) : body };
}

export const handler = {
  getAccessLevels() {
    return { keyValueRead: true, keyValueWrite: true, outboundHttp: typeof fetch === "function" };
  },

  handleRequest(request) {
    const answer = methods[request.method](textOf(request.payload), request);
    return answer instanceof Promise ? answer.then(response) : response(answer);
  },
};
