// The methods of the contract's cases (conformance/contract.test.yaml), and more that show what a request finds of the ones
// before it and use what a language's runtime brings with it. The methods are those of every plugin in
// test/plugins/conformance-*. One source for QuickJS and for StarlingMonkey, which alone has `fetch`.

import { KeyValueStore } from "local:network-host/key-value-store@1.0.0";

let calls = 0;
let last = "";
const held = [];

let remembered = new Uint8Array();

// The methods of the contract's cases. They answer with a body, or with a status and a body.
const contract = {
  echo: ({ payload }) => payload,

  id: ({ id }) => utf8Of(id),

  "méthode-方法-🙂": ({ method }) => utf8Of(method),

  status: ({ payload }) => ({ status: Number(textOf(payload)), body: new Uint8Array() }),

  fail({ payload }) {
    throw fromUtf8(payload);
  },

  trap: () => methods.endless("x"),

  remember({ payload }) {
    const before = remembered;
    remembered = payload;
    return before;
  },

  get({ payload }) {
    const [bucket, key] = fields(payload, 2);
    const value = operate(() => new KeyValueStore(fromUtf8(bucket)).get(fromUtf8(key)));
    return value ? { status: 200, body: value } : { status: 404, body: new Uint8Array() };
  },

  set({ payload }) {
    const [bucket, key, value] = fields(payload, 3);
    operate(() => new KeyValueStore(fromUtf8(bucket)).set(fromUtf8(key), value));
    return new Uint8Array();
  },

  async fetch({ payload }) {
    const [method, url, body] = fields(payload, 3);
    const init = { method: textOf(method), ...(body.length > 0 && { body }) };
    try {
      const response = await fetch(textOf(url), init);
      return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      throw String(error);
    }
  },
};

// The others take a text and reply with one, all of it ASCII.
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

// The contract's error is a text; what the engines throw for it is not.
function operate(operation) {
  try {
    return operation();
  } catch (error) {
    throw String(error?.payload ?? error?.message ?? error);
  }
}

// A payload's lines; the last one takes all that is left.
function fields(payload, count) {
  const found = [];
  let from = 0;
  while (found.length < count) {
    const end = found.length === count - 1 ? -1 : payload.indexOf(10, from);
    found.push(payload.subarray(from, end === -1 ? payload.length : end));
    from = end === -1 ? payload.length : end + 1;
  }
  return found;
}

// Neither encodes at the top level: QuickJS has no such classes.
function textOf(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function bytesOf(text) {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function fromUtf8(bytes) {
  return decodeURIComponent(escape(textOf(bytes)));
}

function utf8Of(text) {
  return bytesOf(unescape(encodeURIComponent(text)));
}

function responseOf(answer) {
  return answer.status === undefined ? { status: 200, body: answer } : answer;
}

export const handler = {
  getAccessLevels() {
    return { keyValueRead: true, keyValueWrite: true, outboundHttp: typeof fetch === "function" };
  },

  handleRequest(request) {
    const { method, payload } = request;
    const inContract = contract[method];
    if (inContract === undefined) return { status: 200, body: bytesOf(methods[method](textOf(payload))) };
    const answer = inContract(request);
    return answer instanceof Promise ? answer.then(responseOf) : responseOf(answer);
  },
};
