/**
 * jco as its documentation has it, behind a NATS subscription: the component is transpiled once, every request gets an
 * instance of its own in this process, and imports that wait are promises (JSPI). No limits, no policy, no deadline.
 *
 * usage: node jco-plain.ts SUBJECT NATS_URL mongodb|sqlite STORE|- COMPONENT
 *
 * @module
 */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { transpile } from "@bytecodealliance/jco";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";
import { withoutVersion } from "../../src/contract/interface-names.ts";
import { serve } from "./serve.ts";
import { openStore, type Store } from "./store.ts";

const HANDLER = "local:network-host/handler@1.0.0";
const KEY_VALUE = "local:network-host/key-value-store@1.0.0";
const LOGGING = "local:network-host/logging@1.0.0";

interface HandlerExports {
  handleRequest(request: { id: string; method: string; payload: Uint8Array }): Promise<{
    status: number;
    body: Uint8Array;
  }>;
}

type Instantiate = (
  getCoreModule: (file: string) => WebAssembly.Module,
  imports: object,
) => Promise<Readonly<Record<string, HandlerExports | undefined>>>;

const [subject = "", natsUrl = "", storeKind = "", storeAddress = "-", component = ""] = process.argv.slice(2);
const { instantiate, modules } = await load(component);
const imports = importsOf(storeAddress === "-" ? undefined : await openStore(storeKind, storeAddress));
await serve(natsUrl, subject, async (payload, method) => {
  const instance = await instantiate(coreModule, imports);
  const handler = instance[HANDLER];
  if (handler === undefined) throw new Error(`the component does not export ${HANDLER}`);
  return await handler.handleRequest({ id: "bench", method, payload });
});

function coreModule(file: string): WebAssembly.Module {
  const module = modules.get(file);
  if (module === undefined) throw new Error(`there is no core module ${file}`);
  return module;
}

async function load(path: string): Promise<{ instantiate: Instantiate; modules: Map<string, WebAssembly.Module> }> {
  const { files } = await transpile(await readFile(path), {
    name: "component",
    instantiation: "async",
    asyncMode: "jspi",
    asyncImports: [`${KEY_VALUE}#[method]key-value-store.get`, `${KEY_VALUE}#[method]key-value-store.set`],
    asyncExports: [`${HANDLER}#handle-request`],
    noTypescript: true,
  });
  const folder = await mkdtemp(join(tmpdir(), "jco-plain-"));
  const modules = new Map<string, WebAssembly.Module>();
  try {
    for (const [name, content] of Object.entries(files)) {
      if (name.endsWith(".wasm")) modules.set(name, await WebAssembly.compile(content));
    }
    const entry = join(folder, "component.mjs");
    await writeFile(entry, files["component.js"] ?? "");
    const { instantiate } = (await import(pathToFileURL(entry).href)) as { instantiate: Instantiate };
    return { instantiate, modules };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function importsOf(store: Store | undefined): object {
  const opened = (): Store => {
    if (store === undefined) throw new Error("this job has no store");
    return store;
  };
  class KeyValueStore {
    readonly #bucket: string;

    constructor(bucket: string) {
      this.#bucket = bucket;
    }

    get(key: string): Promise<Uint8Array | undefined> {
      return opened().get(`${this.#bucket}/${key}`);
    }

    set(key: string, value: Uint8Array): Promise<void> {
      return opened().set(`${this.#bucket}/${key}`, value);
    }
  }
  const log = (level: string, message: string): void => console.error(`${level}: ${message}`);
  const wasi = new WASIShim().getImportObject();
  // What jco's `instantiation` looks for has no versions.
  return { ...wasi, [withoutVersion(KEY_VALUE)]: { KeyValueStore }, [withoutVersion(LOGGING)]: { log } };
}
