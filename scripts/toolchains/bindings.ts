/**
 * Writes the bindings that are committed beside their users, from the contract and each one's world.
 *
 * What they were made of is noted with them, so that bindings of an older contract, and bindings that were changed by
 * hand, are found without the generator, which takes a minute to compile.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { copyFile, glob, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";

import { findOnPath, run } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { findGo } from "./go.ts";
import { completeLibrary, RUNTIME_COPIES } from "./go-library.ts";
import { CACHE, MissingToolchainError } from "./recipe.ts";

interface Bindings {
  readonly language: "c" | "go";
  readonly world: string;
  readonly wit: string;
  readonly into: string;
  /** The path by which Go imports that folder, where the bindings are a library's and not a program's. */
  readonly importPath?: string;
  /** The generated files that are committed. */
  readonly files: readonly string[];
}

/** The world of the contract itself, which is in the same package as its interfaces. */
const CONTRACT_WORLD = "wit/world.wit";

const BINDINGS: readonly Bindings[] = [
  {
    language: "c",
    world: "echo",
    wit: "examples/echo-c/echo.wit",
    into: "examples/echo-c/generated",
    files: ["echo.h", "echo.c", "echo_component_type.o"],
  },
  {
    language: "c",
    world: "gauntlet",
    wit: "test/components/gauntlet.wit",
    into: "test/components/generated",
    files: ["gauntlet.h", "gauntlet.c", "gauntlet_component_type.o"],
  },
  {
    language: "c",
    world: "outbound-http",
    wit: "test/components/outbound-http.wit",
    into: "test/components/generated",
    files: ["outbound_http_component_type.o"],
  },
  {
    language: "c",
    world: "network-plugin",
    wit: CONTRACT_WORLD,
    into: "sdk/c/generated",
    files: ["network_plugin.h", "network_plugin.c", "network_plugin_component_type.o"],
  },
  {
    language: "go",
    world: "network-plugin",
    wit: CONTRACT_WORLD,
    into: "sdk/go/bindings",
    importPath: "network-host.example/networkplugin/bindings",
    files: [
      "exports/wit_exports/wit_exports.go",
      ...packageFiles(
        "local_network_host_handler local_network_host_key_value_store local_network_host_logging " +
          "local_network_host_types wasi_clocks_monotonic_clock wasi_http_outgoing_handler wasi_http_types " +
          "wasi_io_error wasi_io_poll wasi_io_streams",
      ).map((file) => `imports/${file}`),
      ...RUNTIME_COPIES,
    ],
  },
  {
    language: "go",
    world: "conformance",
    wit: "test/plugins/conformance-js/conformance.wit",
    into: "test/plugins/conformance-go",
    files: goFiles(
      "local_network_host_handler local_network_host_key_value_store local_network_host_types wasi_random_random",
    ),
  },
  {
    language: "go",
    world: "fetch",
    wit: "test/plugins/fetch-go/fetch.wit",
    into: "test/plugins/fetch-go",
    files: goFiles(
      "local_network_host_handler local_network_host_types wasi_clocks_monotonic_clock wasi_http_outgoing_handler " +
        "wasi_http_types wasi_io_error wasi_io_poll wasi_io_streams",
    ),
  },
  {
    language: "go",
    world: "key-value",
    wit: "bench/plugins/key-value.wit",
    into: "bench/plugins/go",
    files: goFiles("local_network_host_handler local_network_host_key_value_store local_network_host_types"),
  },
];

const GENERATOR = "scripts/toolchains/bindings-generator";

/** Language and world → digest of its bindings and of all that they were made of. */
const NOTES = "scripts/toolchains/bindings.json";

// A clean build of the generator takes a minute of a processor.
const TIMEOUT_MS = 15 * 60_000;

/** A module's file, the exports, and a package for each interface. */
function goFiles(packages: string): string[] {
  return ["go.mod", "wit_exports.go", ...packageFiles(packages)];
}

function packageFiles(packages: string): string[] {
  return packages.split(" ").flatMap((name) => [`${name}/wit_bindings.go`, `${name}/empty.s`]);
}

/** @throws {@link MissingToolchainError} */
export async function writeBindings(tell: (line: string) => void): Promise<void> {
  const notes: Record<string, string> = {};
  for (const bindings of BINDINGS) {
    const { into, files } = bindings;
    const generated = await generate(bindings);
    for (const file of files) {
      await mkdir(dirname(join(ROOT, into, file)), { recursive: true });
      await copyFile(join(generated, file), join(ROOT, into, file));
    }
    notes[keyOf(bindings)] = await digestOf(bindings);
    tell(`${into}: ${files.join(", ")}`);
  }
  await writeFile(join(ROOT, NOTES), `${JSON.stringify(notes, null, 2)}\n`);
}

/** Generates bindings anew and compares. @returns what differs. @throws {@link MissingToolchainError} */
export async function compareBindings(): Promise<string[]> {
  const problems: string[] = [];
  for (const bindings of BINDINGS) {
    const generated = await generate(bindings);
    for (const file of bindings.files) {
      const path = join(bindings.into, file);
      if (!(await readFile(join(generated, file))).equals(await readFile(join(ROOT, path))))
        problems.push(`${path}: differs from what is generated`);
    }
  }
  return problems;
}

/** Looks for bindings that are not what was generated from what is there now. Needs no toolchain. */
export async function findStaleBindings(): Promise<string[]> {
  const notes = JSON.parse(await readFile(join(ROOT, NOTES), "utf8")) as Readonly<Record<string, string>>;
  const problems: string[] = [];
  for (const bindings of BINDINGS) {
    if (notes[keyOf(bindings)] !== (await digestOf(bindings)))
      problems.push(`${bindings.into}: the bindings or what they are made of have changed; write them again`);
  }
  return problems;
}

/** @returns the folder of the generated files. */
async function generate(bindings: Bindings): Promise<string> {
  const { language, world, wit, importPath } = bindings;
  const cargo = await findOnPath("cargo");
  if (cargo === undefined) throw new MissingToolchainError("No cargo was found. Install Rust: apt-get install cargo");
  const generated = join(CACHE, "bindings", keyOf(bindings));
  await rm(generated, { recursive: true, force: true });
  const build = ["run", "--quiet", "--locked", "--manifest-path", join(GENERATOR, "Cargo.toml"), "--"];
  const paths = wit === CONTRACT_WORLD ? ["wit"] : ["wit", wit];
  const kind = importPath === undefined ? language : `${language}=${importPath}`;
  await run(cargo, [...build, kind, world, generated, ...paths], {
    timeoutMs: TIMEOUT_MS,
    cwd: ROOT,
    env: { CARGO_TARGET_DIR: join(CACHE, "bindings-generator"), PATH: await searchPath(language) },
  });
  if (importPath !== undefined) await completeLibrary(generated, importPath);
  return generated;
}

function keyOf({ language, world }: Bindings): string {
  return `${language}-${world}`;
}

/** The generator formats Go by gofmt, if it finds it. */
async function searchPath(language: Bindings["language"]): Promise<string | undefined> {
  const path = process.env["PATH"];
  return language === "go" ? [dirname(await findGo()), path].join(delimiter) : path;
}

async function digestOf({ wit, into, files }: Bindings): Promise<string> {
  const contract = await Array.fromAsync(glob("wit/**/*.wit", { cwd: ROOT }));
  const generator = [`${GENERATOR}/src/main.rs`, `${GENERATOR}/Cargo.lock`];
  const hash = createHash("sha256");
  for (const path of [...contract.sort(), wit, ...generator, ...files.map((file) => join(into, file))])
    hash.update(`${path}\n`).update(await readFile(join(ROOT, path)));
  return hash.digest("hex");
}
