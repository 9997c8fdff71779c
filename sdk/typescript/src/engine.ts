/**
 * The two engines, what each lacks, and which one a plugin needs.
 *
 * @module
 */

import { BuildError } from "./build-error.ts";

export type Engine = "quickjs" | "starlingmonkey";

export const ENGINES: readonly Engine[] = ["quickjs", "starlingmonkey"];
export const ENGINE_NAMES: Readonly<Record<Engine, string>> = { quickjs: "QuickJS", starlingmonkey: "StarlingMonkey" };

/** Globals that are there to send requests. */
const HTTP_GLOBALS = ["fetch", "Request", "Response", "Headers"];

/** Globals that StarlingMonkey has and QuickJS has not. */
const STARLING_GLOBALS = HTTP_GLOBALS.concat(
  ["URL", "URLSearchParams", "AbortController", "AbortSignal", "Blob", "File", "FormData", "Event", "EventTarget"],
  ["setTimeout", "setInterval", "clearTimeout", "clearInterval", "structuredClone", "self"],
  ["ReadableStream", "WritableStream", "TransformStream", "CompressionStream", "DecompressionStream"],
);

/** Globals of Node that no engine has. */
const NODE_GLOBALS = ["process", "Buffer", "require", "setImmediate", "__dirname", "__filename"];

/** What the bundler looks for. */
export const WATCHED_GLOBALS: readonly string[] = [...STARLING_GLOBALS, ...NODE_GLOBALS];

/** A global or a module that the author's code uses, and where. */
export interface Use {
  readonly name: string;
  /** `file:line`, as far as it is known. */
  readonly place: string;
}

/** The engine of the author's choice, or the one that what is used needs. @throws BuildError */
export function chooseEngine(wanted: Engine | undefined, globals: readonly Use[], imports: readonly Use[]): Engine {
  const http = [...globals.filter(isHttpGlobal), ...imports.filter(isHttpImport)][0];
  if (http === undefined) return wanted ?? "quickjs";
  if (wanted === "quickjs")
    throw new BuildError(
      `${http.place}: ${http.name} cannot be had on QuickJS: leave out --engine, or say --engine starlingmonkey`,
    );
  return "starlingmonkey";
}

const isHttpGlobal = ({ name }: Use): boolean => HTTP_GLOBALS.includes(name);
const isHttpImport = ({ name }: Use): boolean => name.startsWith("wasi:http/");

/** Does the plugin send requests by `fetch`? Then the engine itself needs HTTP. */
export function usesFetch(globals: readonly Use[]): boolean {
  return globals.some(isHttpGlobal);
}

/** What will not be there when it is used. The code may have put it there itself, so that it is no error. */
export function warningsOf(engine: Engine, globals: readonly Use[]): string[] {
  return globals.flatMap(({ name, place }) => {
    if (NODE_GLOBALS.includes(name)) return [`${place}: ${name} is Node's: plugins do not have it`];
    if (engine === "starlingmonkey") return [];
    return [`${place}: QuickJS has no ${name}; --engine starlingmonkey has it`];
  });
}
