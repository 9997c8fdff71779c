/**
 * Writes the C bindings that are committed beside their users, from the contract and each one's world.
 *
 * @module
 */

import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";

import { findOnPath, run } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { CACHE, MissingToolchainError } from "./recipe.ts";

interface Bindings {
  readonly world: string;
  readonly wit: string;
  readonly into: string;
  /** The generated files that are committed. */
  readonly files: readonly string[];
}

const BINDINGS: readonly Bindings[] = [
  {
    world: "echo",
    wit: "examples/echo-c/echo.wit",
    into: "examples/echo-c/generated",
    files: ["echo.h", "echo.c", "echo_component_type.o"],
  },
  {
    world: "gauntlet",
    wit: "test/components/gauntlet.wit",
    into: "test/components/generated",
    files: ["gauntlet.h", "gauntlet.c", "gauntlet_component_type.o"],
  },
  {
    world: "outbound-http",
    wit: "test/components/outbound-http.wit",
    into: "test/components/generated",
    files: ["outbound_http_component_type.o"],
  },
];

const GENERATOR = "scripts/toolchains/c-bindings";

// A clean build of the generator takes a minute of a processor.
const TIMEOUT_MS = 15 * 60_000;

/** @throws {@link MissingToolchainError} */
export async function writeBindings(tell: (line: string) => void): Promise<void> {
  const cargo = await findOnPath("cargo");
  if (cargo === undefined) throw new MissingToolchainError("No cargo was found. Install Rust: apt-get install cargo");
  const build = ["run", "--quiet", "--locked", "--manifest-path", join(GENERATOR, "Cargo.toml"), "--"];
  for (const { world, wit, into, files } of BINDINGS) {
    const generated = join(CACHE, "bindings", world);
    await run(cargo, [...build, world, generated, "wit", wit], {
      timeoutMs: TIMEOUT_MS,
      cwd: ROOT,
      env: { CARGO_TARGET_DIR: join(CACHE, "c-bindings") },
    });
    await mkdir(join(ROOT, into), { recursive: true });
    for (const file of files) await copyFile(join(generated, file), join(ROOT, into, file));
    tell(`${into}: ${files.join(", ")}`);
  }
}
