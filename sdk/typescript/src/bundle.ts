/**
 * The author's modules → one, by rolldown, and what they import and use of the host and the engine.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { isAbsolute, join, relative } from "node:path";
import { type OutputChunk, type Plugin, rolldown } from "rolldown";
import { BuildError } from "./build-error.ts";
import { isInterface, listInterfaces } from "./contract.ts";
import { type Engine, type Use, WATCHED_GLOBALS } from "./engine.ts";
import { nearest } from "./nearest.ts";
import { SourcePlaces } from "./source-places.ts";

/** A bundle that an engine can run. */
export interface Bundle {
  readonly code: string;
  /** Interfaces of the host that it imports. */
  readonly imports: readonly string[];
  readonly places: SourcePlaces;
}

/** What the author's code needs. */
export interface Needs {
  readonly globals: readonly Use[];
  readonly imports: readonly Use[];
}

const ENTRY = "\0network-plugin:entry";
const GLOBAL = "\0network-plugin:global:";
/** Stand-ins for the host that throw: see {@link bundle}. */
const STAND_IN = "\0network-plugin:stand-in:";
const PLACEHOLDER = '"@@network-plugin:positions@@"';

/** Finds out what the author's code imports of the host and which globals it has none of its own for. @throws BuildError */
export async function findNeeds(entry: string, folder: string): Promise<Needs> {
  const globals = new Map<string, Use>();
  const imports = new Map<string, Use>();
  const inject = Object.fromEntries(
    WATCHED_GLOBALS.map((name) => [name, [`${GLOBAL}${name}`, name] as [string, string]]),
  );
  const watch: Plugin = {
    name: "network-plugin:globals",
    resolveId(specifier, importer) {
      if (!specifier.startsWith(GLOBAL)) return null;
      const name = specifier.slice(GLOBAL.length);
      if (!globals.has(name))
        globals.set(name, { name, place: placeOf(new RegExp(`\\b${name}\\b`), importer, folder) });
      return specifier;
    },
    load: (id) => (id.startsWith(GLOBAL) ? `export let ${id.slice(GLOBAL.length)} = Object();` : null),
  };
  const chunk = await generate(entry, folder, [watch, await hostModules(folder, imports)], inject);
  // What nobody uses is not there any more.
  return {
    globals: [...globals.values()].filter(({ name }) => chunk.moduleIds.includes(`${GLOBAL}${name}`)),
    imports: [...imports.values()].filter(({ name }) => chunk.imports.includes(name)),
  };
}

/**
 * Bundles the author's code with what this package puts around it.
 *
 * @param standIns interface → names, which throw in place of the host: to find out where one is called too early
 * @throws BuildError
 */
export async function bundle(
  entry: string,
  folder: string,
  engine: Engine,
  standIns: ReadonlyMap<string, readonly string[]> = new Map(),
): Promise<Bundle> {
  const around: Plugin = {
    name: "network-plugin:around",
    resolveId(specifier, importer) {
      if (specifier === ENTRY) return specifier;
      return standIns.has(specifier) && !isOwn(importer) ? `${STAND_IN}${specifier}` : null;
    },
    load(id) {
      if (id.startsWith(STAND_IN)) return standIn(id.slice(STAND_IN.length), standIns);
      if (id !== ENTRY) return null;
      const own = join(
        import.meta.dirname,
        "guest",
        `${engine}${import.meta.filename.endsWith(".ts") ? ".ts" : ".js"}`,
      );
      const file = relative(folder, entry);
      return [
        `import { serve } from ${JSON.stringify(own)};`,
        `import * as plugin from ${JSON.stringify(entry)};`,
        `export const handler = serve(plugin, ${JSON.stringify(file)});`,
      ].join("\n");
    },
  };
  const chunk = await generate(ENTRY, folder, [around, await hostModules(folder, new Map())], {});
  const places = new SourcePlaces(chunk.map, folder);
  const code = chunk.code.replace(PLACEHOLDER, () => JSON.stringify(JSON.stringify(places.authorsPart())));
  return { code, imports: chunk.imports, places };
}

/** Does this package import it itself, and not for the author? */
function isOwn(importer: string | undefined): boolean {
  return importer?.startsWith(join(import.meta.dirname, "guest")) === true;
}

function standIn(specifier: string, standIns: ReadonlyMap<string, readonly string[]>): string {
  const message = `${specifier} is called while the module is loaded`;
  const names = [...new Set(standIns.get(specifier))];
  return names.map((name) => `export function ${name}() { throw new Error(${JSON.stringify(message)}); }`).join("\n");
}

/** The host provides these when the component is linked; everything else has to be found now. */
async function hostModules(folder: string, found: Map<string, Use>): Promise<Plugin> {
  const known = await listInterfaces();
  return {
    name: "network-plugin:host",
    async resolveId(specifier, importer) {
      const isKnown = known.includes(specifier);
      if (specifier.startsWith("\0")) return null;
      const place = placeOf(specifier, importer, folder);
      if (!isKnown && !isInterface(specifier) && !isNode(specifier)) {
        const file = await this.resolve(specifier, importer, { skipSelf: true });
        if (file !== null) return file;
        const remedy = /^[./]/.test(specifier) ? "there is no such file" : `install it: npm install ${specifier}`;
        throw new BuildError(`${place}: ${specifier} was not found: ${remedy}`);
      }
      if (isNode(specifier)) throw new BuildError(`${place}: ${specifier} is Node's: plugins do not have it`);
      if (!isKnown)
        throw new BuildError(`${place}: the host has no ${specifier}. Did you mean ${nearest(specifier, known)}?`);
      if (!found.has(specifier)) found.set(specifier, { name: specifier, place });
      return { id: specifier, external: true, moduleSideEffects: false };
    },
  };
}

function isNode(specifier: string): boolean {
  return specifier.startsWith("node:") || builtinModules.includes(specifier);
}

async function generate(
  input: string,
  folder: string,
  plugins: readonly Plugin[],
  inject: Record<string, [string, string]>,
): Promise<OutputChunk> {
  try {
    const build = await rolldown({
      input,
      cwd: folder,
      platform: "neutral",
      plugins: [...plugins],
      transform: { inject },
      resolve: { mainFields: ["module", "main"] },
      onLog(level, log) {
        if (log.code === "IMPORT_IS_UNDEFINED") throw new BuildError(log.message);
        if (level === "warn") process.stderr.write(`${log.message}\n`);
      },
    });
    try {
      const { output } = await build.generate({ format: "esm", sourcemap: true, codeSplitting: false });
      return output[0];
    } finally {
      await build.close();
    }
  } catch (error) {
    throw new BuildError(authorsMessage(error, folder));
  }
}

/** rolldown's own messages have the file, the line and an excerpt; what a plugin threw is wrapped in them. */
function authorsMessage(error: unknown, folder: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const own = /BuildError: (.*)/.exec(message)?.[1];
  return own ?? message.replaceAll(`${folder}/`, "");
}

/** `file:line` of the first time that a file has the text. */
function placeOf(text: string | RegExp, importer: string | undefined, folder: string): string {
  if (importer === undefined || !isAbsolute(importer)) return "?";
  const lines = readFileSync(importer, "utf8").split("\n");
  const at = lines.findIndex((line) => (typeof text === "string" ? line.includes(text) : text.test(line)));
  return `${relative(folder, importer)}${at === -1 ? "" : `:${at + 1}`}`;
}
