/**
 * What a build prints.
 *
 * @module
 */

import type { BuiltPlugin } from "./build.ts";
import { KEY_VALUE } from "./contract.ts";
import { ENGINE_NAMES } from "./engine.ts";

const WIDTH = 9;

/** The lines for a component that was written to `file`. */
export function reportOf({ component, engine, imports, levels }: BuiltPlugin, file: string): string {
  const size = `${(component.length / 1e6).toFixed(1)} MB`;
  const own = imports.filter((name) => !name.startsWith("wasi:"));
  const wasi = imports.filter((name) => name.startsWith("wasi:"));
  const shown = [...own, ...wasiByPackage(wasi)];
  return [
    row("plugin", `${file}, ${size}, on ${ENGINE_NAMES[engine]}`),
    ...shown.map((name, at) => row(at === 0 ? "imports" : "", name)),
    row("levels", levels.length === 0 ? "none" : levels.join(", ")),
  ].join("\n");
}

/** What the levels and the imports say of each other. */
export function doubtsOf({ imports, levels }: BuiltPlugin): string[] {
  const has = (wanted: (name: string) => boolean): boolean => imports.some(wanted);
  const asks = (level: string): boolean => levels.some((name) => name.startsWith(level));
  const doubts: string[] = [];
  if (has((name) => name === KEY_VALUE) && !asks("key-value"))
    doubts.push("it imports the key-value store, but getAccessLevels asks for neither keyValueRead nor keyValueWrite");
  if (has((name) => name.startsWith("wasi:http/outgoing-handler")) && !asks("outbound-http"))
    doubts.push("it sends requests, but getAccessLevels does not ask for outboundHttp");
  return doubts;
}

function row(name: string, text: string): string {
  return `${name.padEnd(WIDTH)}${text}`;
}

/** `wasi:io/poll@0.2.12` and its like, a line for each package and version. */
function wasiByPackage(names: readonly string[]): string[] {
  const groups = Object.groupBy(names, (name) => name.replace(/\/[^@]*/, ""));
  return Object.entries(groups).map(([name, members = []]) => {
    const interfaces = members.map((member) => member.replace(/^[^/]*\/|@.*$/g, ""));
    return `${name} (${interfaces.join(", ")})`;
  });
}
