#!/usr/bin/env node
/**
 * `network-plugin-api build`.
 *
 * @module
 */

import { access, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { BuildError } from "./build-error.ts";
import type { Engine } from "./engine.ts";

const USAGE = `Usage: network-plugin-api build [file] [options]

Makes a component of a plugin for network-host. The file is plugin.ts, plugin.js, src/plugin.ts or src/plugin.js unless named.

Options:
  -o, --output <file>    where the component goes (default: plugin.wasm)
      --engine <engine>  quickjs or starlingmonkey (default: quickjs, or starlingmonkey where fetch or wasi:http is used)
      --no-check         do not check types, which is done where there is a tsconfig.json
  -h, --help             print this
`;

const CANDIDATES = ["plugin.ts", "plugin.js", "src/plugin.ts", "src/plugin.js"];
const ENGINES = ["quickjs", "starlingmonkey"];
const MIN_NODE = [22, 12] as const;

interface Arguments {
  readonly file: string | undefined;
  readonly output: string;
  readonly engine: Engine | undefined;
  readonly check: boolean;
}

/** @returns undefined when help was asked for. @throws BuildError */
function parse(args: readonly string[]): Arguments | undefined {
  const { values, positionals } = parseOptions(args);
  if (values.help === true || args.length === 0) return undefined;
  const [command, file, ...more] = positionals;
  if (command !== "build") throw new BuildError(`there is no command ${command ?? "there"}\n\n${USAGE}`);
  if (more.length > 0) throw new BuildError(`one file makes a plugin, and ${more.length + 1} are named`);
  const { engine } = values;
  if (engine !== undefined && !isEngine(engine))
    throw new BuildError(`--engine is ${ENGINES.join(" or ")}, not ${engine}`);
  return { file, output: values.output ?? "plugin.wasm", engine, check: values["no-check"] !== true };
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        output: { type: "string", short: "o" },
        engine: { type: "string" },
        "no-check": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new BuildError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

function isEngine(name: string): name is Engine {
  return ENGINES.includes(name);
}

async function findEntry(folder: string, named: string | undefined): Promise<string> {
  for (const candidate of named === undefined ? CANDIDATES : [named]) {
    const path = resolve(folder, candidate);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new BuildError(named === undefined ? `there is none of ${CANDIDATES.join(", ")}` : `there is no ${named}`);
}

async function main(): Promise<void> {
  const wanted = parse(process.argv.slice(2));
  if (wanted === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1]))
    throw new BuildError(`Node ${MIN_NODE.join(".")} or later is needed, and this is ${process.versions.node}`);
  const folder = process.cwd();
  const entry = await findEntry(folder, wanted.file);
  const [{ buildPlugin }, { checkTypes }, { doubtsOf, reportOf }] = await Promise.all([
    import("./build.ts"),
    import("./type-check.ts"),
    import("./report.ts"),
  ]);
  if (wanted.check) await checkTypes(folder);
  const built = await buildPlugin({ entry, folder, engine: wanted.engine });
  await writeFile(resolve(folder, wanted.output), built.component);
  for (const line of built.said) process.stdout.write(`said while it was loaded: ${line}\n`);
  process.stdout.write(`${reportOf(built, wanted.output)}\n`);
  for (const warning of [...built.warnings, ...doubtsOf(built)]) process.stderr.write(`warning: ${warning}\n`);
}

main().catch((error: unknown) => {
  if (!(error instanceof BuildError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
