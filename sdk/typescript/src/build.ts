/**
 * From the author's file to a component: what it needs → the engine → the bundle → the world → the component.
 *
 * @module
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BuildError } from "./build-error.ts";
import { bundle, type Bundle, findNeeds } from "./bundle.ts";
import { componentize } from "./componentize.ts";
import { OWN_IMPORTS } from "./contract.ts";
import { chooseEngine, type Engine, usesFetch, warningsOf } from "./engine.ts";
import { type Examination, examine } from "./examine.ts";
import { writeWorld } from "./world.ts";

/** What to build. */
export interface BuildOptions {
  /** Absolute path of the author's module. */
  readonly entry: string;
  /** Where the author works: places are named relative to it. */
  readonly folder: string;
  readonly engine?: Engine | undefined;
}

/** A component, and what to tell its author. */
export interface BuiltPlugin extends Examination {
  readonly component: Uint8Array;
  readonly engine: Engine;
  readonly warnings: readonly string[];
}

/** @throws BuildError */
export async function buildPlugin({ entry, folder, engine: wanted }: BuildOptions): Promise<BuiltPlugin> {
  const { globals, imports } = await findNeeds(entry, folder);
  const engine = chooseEngine(wanted, globals, imports);
  const work = await mkdtemp(join(tmpdir(), "network-plugin-"));
  try {
    const made = await bundle(entry, folder, engine);
    const wit = await writeWorld(work, [...made.imports, ...OWN_IMPORTS[engine]]);
    const make = async ({ code }: Bundle): Promise<Uint8Array> =>
      componentize(engine, { code, wit, work, usesFetch: usesFetch(globals) });
    const component = await make(made).catch(async (error: unknown) => {
      const tooEarly = calledTooEarly(messageOf(error));
      if (tooEarly === undefined) throw new BuildError(explained(messageOf(error), made));
      throw new BuildError(
        `${await placeOfCall(entry, folder, engine, made, make)}: ${tooEarly} is called while the module is loaded. What stands outside of functions runs once, when the plugin is built, without a host: call it within handleRequest`,
      );
    });
    const { levels, imports: all, said } = await examine(component, work);
    return { component, engine, imports: all, levels, said, warnings: warningsOf(engine, globals) };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const CALLED_TOO_EARLY = /unknown import: `([^`]+)`|unknown imported function: '([^']+)' '([^']+)'/;

/** The host's function that was called when there was no host. */
function calledTooEarly(message: string): string | undefined {
  const [, joined, module, name] = CALLED_TOO_EARLY.exec(message) ?? [];
  return joined ?? (module === undefined ? undefined : `${module}#${name}`);
}

/** The engine's words, after the author's place where they have one. */
function explained(message: string, { places }: Bundle): string {
  const place = places.first(message);
  const [, thrown] = /((?:[A-Z]\w*)?Error: .*)/.exec(message.replace(/^.*Failed to [^:]*: /, "")) ?? [];
  if (place !== undefined) return `${place}: ${thrown ?? message}`;
  // What this package says of the author's module has no place in it.
  return thrown?.replace(/^Error: /, "") ?? message;
}

const HOST_IMPORT = /^import (?:\* as \w+|\{([^}]*)\}) from "([^"]+)";$/gm;

/**
 * An engine that cannot call the host says where in itself that was, and not where in the author's file. So the bundle is
 * made once more, with functions that throw in the host's place.
 */
async function placeOfCall(
  entry: string,
  folder: string,
  engine: Engine,
  { code }: Bundle,
  make: (bundle: Bundle) => Promise<Uint8Array>,
): Promise<string> {
  const standIns = new Map(
    [...code.matchAll(HOST_IMPORT)].map(([, names = "", specifier = ""]) => [
      specifier,
      names.split(",").flatMap((name) => /^\s*(\w+)/.exec(name)?.[1] ?? []),
    ]),
  );
  const traced = await bundle(entry, folder, engine, standIns);
  const message = await make(traced).then(() => "", messageOf);
  return traced.places.first(message) ?? entry.slice(folder.length + 1);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
