/**
 * JavaScript to a component by componentize-js, on StarlingMonkey: an engine with `fetch`.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { _setPreopens } from "@bytecodealliance/preview2-shim/filesystem";
import { ROOT } from "../lib/project.ts";
import { builtOnce, CONTRACT_SOURCES } from "./built-once.ts";

const PACKAGE = "@bytecodealliance/componentize-js";

/** Builds one module into a plugin of the contract's own world; returns the component's path. */
export async function buildStarlingPlugin(name: string, source: string): Promise<string> {
  const description = await readFile(join(ROOT, "node_modules", PACKAGE, "package.json"), "utf8");
  const { version } = JSON.parse(description) as { readonly version: string };
  return builtOnce({
    name,
    sources: [source, ...CONTRACT_SOURCES],
    builtWith: `${PACKAGE} ${version}`,
    build: async () => {
      // The generator reads WIT files through WASI, and the shim gives it no folders unless told to.
      // (The shim's types describe its browser build.)
      (_setPreopens as unknown as (preopens: Readonly<Record<string, string>>) => void)({ "/": "/" });
      const { componentize } = await import("@bytecodealliance/componentize-js");
      const { component } = await componentize({
        sourcePath: join(ROOT, source),
        witPath: join(ROOT, "wit"),
        worldName: "network-plugin",
        disableFeatures: ["fetch-event"],
      });
      return component;
    },
  });
}
