/**
 * Extism's JavaScript SDK behind a NATS subscription, as its documentation has it. A plugin takes one call at a time,
 * so there is a pool of them. Host functions that wait need a plugin in a worker thread, whose thread they block; all
 * others run fastest in this one. After a call the SDK's own memory is reset; the plugin's is not, so unlike in the
 * measured host state stays from request to request (`pooled`), unless every request gets a new plugin (`fresh`).
 *
 * usage: node responder.ts pooled|fresh echo|kv|compute SUBJECT NATS_URL mongodb|sqlite STORE|- PLUGIN
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { type Reply, serve } from "../../responders/serve.ts";
import { openStore } from "../../responders/store.ts";
import { PluginPool } from "./plugin-pool.ts";
import { type CallContext, loadSdk, type SdkPlugin } from "./sdk.ts";

/** In worker mode each is a thread that sleeps while it waits for the store. */
const WORKERS = 32;

const [mode = "", work = "", subject = "", natsUrl = "", storeKind = "", storeAddress = "-", path = ""] =
  process.argv.slice(2);
const { createPlugin } = await loadSdk();
const module = await WebAssembly.compile(await readFile(path));
const store = storeAddress === "-" ? undefined : await openStore(storeKind, storeAddress);

const functions = {
  async kv_get(context: CallContext, key: bigint): Promise<bigint> {
    const value = await store?.get(textAt(context, key));
    return value === undefined ? 0n : context.store(Uint8Array.from(value));
  },
  async kv_set(context: CallContext, key: bigint, value: bigint): Promise<void> {
    const bytes = context.read(value)?.bytes() ?? new Uint8Array();
    await store?.set(textAt(context, key), Uint8Array.from(bytes));
  },
};

const open = (): Promise<SdkPlugin> =>
  createPlugin(
    { wasm: [{ module }] },
    { useWasi: false, runInWorker: store !== undefined, functions: { "extism:host/user": functions } },
  );

const pool = await PluginPool.open(open, store === undefined ? 1 : WORKERS);
await serve(
  natsUrl,
  subject,
  mode === "fresh" ? answerFresh : (payload) => pool.use((plugin) => call(plugin, payload)),
);

async function answerFresh(payload: Uint8Array): Promise<Reply> {
  const plugin = await open();
  try {
    return await call(plugin, payload);
  } finally {
    await plugin.close();
  }
}

async function call(plugin: SdkPlugin, payload: Uint8Array): Promise<Reply> {
  // The SDK takes the whole buffer of what it is given, and a message is a part of one.
  const output = await plugin.call(work, Uint8Array.from(payload));
  if (output === null) return { status: 404, body: new Uint8Array() };
  const body = Uint8Array.from(output.bytes());
  await plugin.reset();
  return { status: 200, body };
}

function textAt(context: CallContext, address: bigint): string {
  return Buffer.from(context.read(address)?.bytes() ?? []).toString("utf8");
}
