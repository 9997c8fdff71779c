/**
 * The plugin name of a component if none is given.
 *
 * @module
 */

import { basename } from "node:path";
import { isPluginName, type PluginName, pluginNameOf } from "../contract/names.ts";
import { badSetting } from "./settings.ts";

/** A name as the command line has it. Throws `usage-invalid`. */
export function parsePluginName(name: string): PluginName {
  if (isPluginName(name)) return name;
  throw badSetting({ text: name, source: "--plugin" }, "write words of a-z and 0-9 joined by '-'");
}

/** Derived from the words in a file's name; `plugin` if there are none or too many. */
export function nameOfFile(path: string): PluginName {
  return pluginNameOf(basename(path, ".wasm"));
}
