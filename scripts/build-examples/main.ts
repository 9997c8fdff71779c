/**
 * Builds the example plugins and the tests' plugins: `node scripts/build-examples.mjs [what] [--check]`.
 *
 * @module
 */

import { parseArgs } from "node:util";

import { CommandError } from "../lib/command.ts";
import { compareBindings, findStaleBindings, writeBindings } from "../toolchains/bindings.ts";
import {
  C_EXAMPLES,
  CARGO_COMPONENT_EXAMPLES,
  EXAMPLES,
  GO_TEST_PLUGINS,
  RUST_EXAMPLES,
  RUST_TEST_PLUGINS,
  TEST_COMPONENTS,
  TEST_PLUGINS,
} from "../toolchains/catalogue.ts";
import {
  type CommittedFolder,
  ComponentTooLargeError,
  commit,
  digestOf,
  findProblems,
  readDigests,
} from "../toolchains/committed.ts";
import { buildGoPlugin } from "../toolchains/go.ts";
import { buildTypeScriptExample } from "../toolchains/quickjs.ts";
import { type Built, MissingToolchainError, type Recipe } from "../toolchains/recipe.ts";

const USAGE = `usage: node scripts/build-examples.mjs [what] [--check]

  all       what follows, down to test-rust, where this machine has the toolchain
  ts        the TypeScript example; needs nothing but node_modules
  rust      the Rust example
  cargo-component  the same, by cargo-component
  c         the C example
  test      the tests' plugins, written in C
  test-rust the tests' plugin in Rust
  test-go   the tests' plugins in Go; they are kept in .cache/
  bindings  the C and Go bindings, from the contract; needs cargo and Go

  --check   change no committed component: build what is named, and compare it with what is committed;
            with nothing named, compare what is committed with its digests
            (bindings: generate them, and compare)
`;

/** Components of one language that are committed to one folder. */
interface Group {
  readonly into: CommittedFolder;
  readonly recipes: readonly Recipe[];
}

const GROUPS: ReadonlyMap<string, Group> = new Map([
  ["rust", { into: EXAMPLES, recipes: RUST_EXAMPLES }],
  ["cargo-component", { into: EXAMPLES, recipes: CARGO_COMPONENT_EXAMPLES }],
  ["c", { into: EXAMPLES, recipes: C_EXAMPLES }],
  ["test", { into: TEST_COMPONENTS, recipes: TEST_PLUGINS }],
  ["test-rust", { into: TEST_COMPONENTS, recipes: RUST_TEST_PLUGINS }],
]);

async function buildGroup({ into, recipes }: Group, check: boolean): Promise<void> {
  const built = new Map<string, Built>();
  for (const recipe of recipes) {
    const result = await recipe.build();
    built.set(recipe.output, result);
    console.log(`${recipe.output}: ${result.component.length} bytes, by ${result.builtWith}`);
  }
  if (check) await compare(into, built);
  else await commit(into.folder, built);
}

/** The same toolchain must make the same bytes. Another one may make others: that is told, and is not a failure. */
async function compare(into: CommittedFolder, built: ReadonlyMap<string, Built>): Promise<void> {
  const digests = await readDigests(into.folder);
  for (const [path, { component, builtWith }] of built) {
    const committed = digests.get(path);
    if (committed?.digest === digestOf(component)) {
      console.log(`${path}: as committed`);
    } else if (committed !== undefined && committed.builtWith !== builtWith) {
      console.log(`${path}: differs from the committed one, which ${committed.builtWith} built`);
    } else {
      fail(`${path}: differs from the committed one; build it again and commit it`);
    }
  }
}

async function checkDigests(): Promise<void> {
  for (const folder of [EXAMPLES, TEST_COMPONENTS]) {
    const problems = await findProblems(folder);
    report(`${folder.folder}: all components are as their digests say`, problems);
  }
  report("bindings: all are made of what is there", await findStaleBindings());
}

function report(allIsWell: string, problems: readonly string[]): void {
  for (const problem of problems) fail(problem);
  if (problems.length === 0) console.log(allIsWell);
}

async function build(what: string, check: boolean): Promise<void> {
  const group = GROUPS.get(what);
  if (group !== undefined) return buildGroup(group, check);
  if (what === "ts") return buildTypeScriptExample(console.log);
  if (what === "bindings" && check) return report("bindings: as generated", await compareBindings());
  if (what === "bindings") return writeBindings(console.log);
  if (what === "test-go") return buildGoPlugins();
  throw new UsageError(`there is nothing called ${what} to build`);
}

async function buildGoPlugins(): Promise<void> {
  for (const plugin of Object.values(GO_TEST_PLUGINS)) console.log(await buildGoPlugin(plugin));
}

/** Builds what can be built; a toolchain that is missing costs its own components only. */
async function buildAll(check: boolean): Promise<void> {
  for (const what of ["ts", ...GROUPS.keys()]) {
    try {
      await build(what, check);
    } catch (error) {
      if (!(error instanceof MissingToolchainError)) throw error;
      console.log(`${what}: left as committed. ${error.message}`);
    }
  }
}

class UsageError extends Error {
  override readonly name = "UsageError";
}

function fail(message: string, exitCode = 1): void {
  console.error(message);
  process.exitCode = exitCode;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { check: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
  });
  const [what, ...others] = positionals;
  if (values.help) return console.log(USAGE);
  if (others.length > 0) throw new UsageError("name one thing to build");
  if (what === undefined) {
    if (!values.check) throw new UsageError("name what to build");
    return checkDigests();
  }
  await (what === "all" ? buildAll(values.check) : build(what, values.check));
  if (values.check) await checkDigests();
}

/** What the person at the terminal can act on: the message says how, and a stack would only hide it. */
function isExpected(error: unknown): error is Error {
  return [MissingToolchainError, ComponentTooLargeError, CommandError].some((kind) => error instanceof kind);
}

function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
}

try {
  await main();
} catch (error) {
  if (isExpected(error)) fail(error.message);
  else if (isUsageError(error)) fail(`${error.message}\n\n${USAGE}`, 2);
  else throw error;
}
