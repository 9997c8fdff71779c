/**
 * What a finished component imports and asks for: found out by asking the component itself.
 *
 * @module
 */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { componentWit, transpile } from "@bytecodealliance/jco";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";
import { BuildError } from "./build-error.ts";

export interface Examination {
  /** Every interface that the component imports, the engine's own included. */
  readonly imports: readonly string[];
  /** The access levels that it asks for, as the contract spells them. */
  readonly levels: readonly string[];
  /** What it logged when it was asked: that is what its module said while it was loaded. */
  readonly said: readonly string[];
}

interface Instance {
  readonly handler: { getAccessLevels(): Readonly<Record<string, boolean | undefined>> };
}

/** Core modules are read from where the code is. */
type Instantiate = (getCoreModule: undefined, imports: Readonly<Record<string, unknown>>) => Promise<Instance>;

const LEVELS = { keyValueRead: "key-value-read", keyValueWrite: "key-value-write", outboundHttp: "outbound-http" };

/** @param work a folder to write to. @throws BuildError */
export async function examine(component: Uint8Array, work: string): Promise<Examination> {
  const wit = await componentWit(component);
  const imports = [...wit.matchAll(/^ {2}import ([^;]+);/gm)].map(([, name = ""]) => name);
  const { files } = await transpile(component, { name: "examined", instantiation: "async" });
  const folder = join(work, "examined");
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  const module = (await import(pathToFileURL(join(folder, "examined.js")).href)) as { instantiate: Instantiate };
  const said: string[] = [];
  const host = {
    "local:network-host/logging": { log: (_level: string, message: string) => said.push(message) },
    "local:network-host/key-value-store": { KeyValueStore: NoStore },
  };
  // It gets no folder, no variable and no output of this process.
  const wasi = new WASIShim({ sandbox: { preopens: {}, env: {}, args: [], enableNetwork: false } });
  try {
    const { handler } = await module.instantiate(undefined, { ...wasi.getImportObject(), ...host });
    const asked = handler.getAccessLevels();
    const levels = Object.entries(LEVELS).flatMap(([name, level]) => (asked[name] === true ? [level] : []));
    return { imports, levels, said };
  } catch (error) {
    throw new BuildError(`getAccessLevels failed: ${said.at(-1) ?? String(error)}`);
  }
}

/** There is no store while building; a plugin has no reason to look for one when it is asked for its levels. */
class NoStore {
  constructor() {
    throw new Error("there is no store while a plugin is built");
  }
}
