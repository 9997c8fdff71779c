// Does the work of the job `kv`: the payload is a bucket, a key and a value, each on a line; the value is written, and the
// reply is the one that the key had. One source for QuickJS and for StarlingMonkey.

import { KeyValueStore } from "local:network-host/key-value-store@1.0.0";

const LINE_BREAK = 10;

export const handler = {
  getAccessLevels() {
    return { keyValueRead: true, keyValueWrite: true, outboundHttp: false };
  },

  handleRequest({ payload }) {
    const bucketEnd = payload.indexOf(LINE_BREAK);
    const keyEnd = payload.indexOf(LINE_BREAK, bucketEnd + 1);
    if (bucketEnd === -1 || keyEnd === -1) throw "the payload is a bucket, a key and a value, each on a line";
    const store = new KeyValueStore(textOf(payload.subarray(0, bucketEnd)));
    const key = textOf(payload.subarray(bucketEnd + 1, keyEnd));
    // An option that is none is `null` on QuickJS and `undefined` on StarlingMonkey.
    const earlier = store.get(key) ?? undefined;
    store.set(key, payload.slice(keyEnd + 1));
    return earlier === undefined ? { status: 404, body: new Uint8Array() } : { status: 200, body: earlier };
  },
};

/** QuickJS has no decoder; names of buckets and keys are ASCII here. */
function textOf(bytes) {
  return String.fromCharCode(...bytes);
}
