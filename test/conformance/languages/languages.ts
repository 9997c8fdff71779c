/**
 * The conformance plugins: one for each language that a plugin can be written in and that this project builds. All
 * do the same; what a language's runtime makes of it is what the tests look at.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { GO_TEST_PLUGINS } from "../../../scripts/toolchains/catalogue.ts";
import { buildGoPlugin } from "../../../scripts/toolchains/go.ts";
import { buildPythonPlugin } from "../../../scripts/toolchains/python.ts";
import { buildQuickJsPlugin } from "../../../scripts/toolchains/quickjs.ts";
import { buildStarlingPlugin } from "../../../scripts/toolchains/starling.ts";
import { projectFile } from "../../harness/plugins.ts";

export interface Language {
  readonly name: string;
  /** Path of the component. Built where it is missing, which fails where the toolchain does. */
  component(): Promise<string>;
  /** Paths of the components that have the methods of the contract's cases, where that is not the one component alone. */
  contract?(): Promise<readonly string[]>;
  /** What replies with how many calls there were and what the last one brought, and what it replies at first. */
  readonly state: { readonly method: string; readonly first: string };
  /** Keeps memory: for each, a payload that makes it grow. */
  readonly hold: { readonly method: string; readonly payload: string };
  /** Levels of calls of its own (`descend`, the last of which waits for the store) that it stands at the least. */
  readonly calls?: number;
  /** Levels of lists in lists (`nest`) that its runtime's native code stands at the least. */
  readonly lists?: number;
  /** Goroutines (`tasks`) that wait side by side. */
  readonly tasks?: number;
  /** Values of the store that it reads in one request (`gather`), which makes its runtime collect garbage. */
  readonly values?: number;
  /** Replies with fields that were drawn before the request (`drawn`), where its runtime draws anything then. */
  readonly drawsAtStart?: true;
  /** Methods that end as a trap; one of them calls itself until the stack is used up. */
  readonly traps: readonly string[];
  readonly errors: LanguageErrors;
  /** What `absent` replies with: the value that the language has for an absent option. */
  readonly none?: string;
}

/** What happens to a language's errors. The methods are given a text. */
export interface LanguageErrors {
  /** Raises what nobody catches. Where that is a trap, the log has `logged`, if it has anything. */
  readonly uncaught: { readonly method: string; readonly becomes: "a trap" | "the error"; readonly logged?: string };
  /** Returns the contract's error, by what the language has for it; its text is the method's payload unless it is `says`. */
  readonly returned: { readonly method: string; readonly says?: string };
}

const SHARED = {
  state: { method: "state", first: "0 " },
  hold: { method: "hold", payload: "3000" },
} as const;

/** Methods of the plugins in languages that raise errors. */
const RETURNED = { method: "throw-text" } as const;

const JAVASCRIPT = "test/plugins/conformance-js/plugin.js";

export const LANGUAGES: readonly Language[] = [
  {
    name: "C",
    component: async () => projectFile("test/components/gauntlet-all.wasm"),
    contract: async () => [projectFile("test/components/conformance-c.wasm")],
    state: { method: "remember", first: "" },
    hold: { method: "grow", payload: "20" },
    traps: ["trap", "recurse", "over-permit"],
    errors: { uncaught: { method: "trap", becomes: "a trap" }, returned: { method: "err-payload" } },
  },
  {
    ...SHARED,
    name: "Rust",
    component: async () => projectFile("test/components/conformance-rust.wasm"),
    // Both in one would be too large to commit.
    contract: async () => ["conformance-rust", "fetch-rust"].map((name) => projectFile(`test/components/${name}.wasm`)),
    calls: 2_000,
    traps: ["trap", "endless"],
    errors: {
      uncaught: { method: "trap", becomes: "a trap" },
      returned: { method: "no-such-method", says: "no such method" },
    },
  },
  {
    ...SHARED,
    name: "JavaScript on QuickJS",
    component: () =>
      buildQuickJsPlugin({
        name: "conformance-qjs",
        source: "test/plugins/conformance-js/quickjs.js",
        modules: [JAVASCRIPT],
        wit: "test/plugins/conformance-js/conformance.wit",
        world: "conformance",
        wasi: ["random"],
      }),
    calls: 400,
    lists: 500,
    traps: ["endless"],
    errors: { uncaught: { method: "throw-error", becomes: "the error" }, returned: RETURNED },
    none: "null",
  },
  {
    ...SHARED,
    name: "JavaScript on StarlingMonkey",
    component: () => buildStarlingPlugin("conformance-starling", JAVASCRIPT),
    calls: 900,
    lists: 300,
    traps: ["endless", "no-such-method"],
    errors: {
      uncaught: { method: "throw-error", becomes: "a trap", logged: "expected a string, received [object]" },
      returned: RETURNED,
    },
    none: "undefined",
  },
  {
    ...SHARED,
    name: "Python",
    component: () => buildPythonPlugin("conformance-python", "test/plugins/conformance-python"),
    calls: 900,
    lists: 900,
    traps: ["endless", "no-such-method"],
    errors: {
      uncaught: { method: "throw-error", becomes: "a trap", logged: "RuntimeError: some text" },
      returned: RETURNED,
    },
    none: "None",
  },
  {
    ...SHARED,
    name: "Go",
    component: () => buildGoPlugin(GO_TEST_PLUGINS.conformance),
    // The bindings of the first are those of a world without HTTP.
    contract: async () => [
      await buildGoPlugin(GO_TEST_PLUGINS.conformance),
      await buildGoPlugin(GO_TEST_PLUGINS.fetch),
    ],
    calls: 2_000,
    lists: 900,
    tasks: 1_000,
    values: 24,
    drawsAtStart: true,
    traps: ["trap", "endless"],
    errors: {
      uncaught: { method: "throw-error", becomes: "a trap", logged: "panic: some text" },
      returned: RETURNED,
    },
  },
];

export async function readLanguage(language: Language): Promise<Uint8Array> {
  return await readFile(await language.component());
}
