/**
 * The toolchains that tests of authors need beyond Node and npm, what to do where one is missing, and who is told.
 *
 * `npm run test:authors` (AUTHORS=1) skips tests whose toolchain is missing and names both at its end, since hardly a
 * machine has all of them. Where CI is set, and at `npm test`, a missing toolchain is a failure, except Rust where
 * `NETWORK_HOST_WITHOUT_RUST=1` says that this machine cannot have it.
 *
 * @module
 */

import { describe, test } from "vitest";
import { findOnPath, run } from "../../scripts/lib/command.ts";
import {
  CARGO_COMPONENT,
  INSTALL_CARGO_COMPONENT,
  installCargoComponent,
} from "../../scripts/toolchains/cargo-component.ts";
import { findGo } from "../../scripts/toolchains/go.ts";
import { MissingToolchainError } from "../../scripts/toolchains/recipe.ts";
import { obtainWasmRust } from "../../scripts/toolchains/rust-for-wasm.ts";
import type { MissingToolchain } from "../../scripts/test/journal.ts";
import { obtainCMake } from "./cmake.ts";
import { TOOLCHAINS as CACHE } from "./workplace.ts";

declare module "vitest" {
  interface TaskMeta {
    /** Name and version of each toolchain that a test has. */
    toolchains?: readonly string[];
    /** Those that it would need. */
    missingToolchains?: readonly MissingToolchain[];
  }
}

interface Toolchain {
  /** What to do where it is missing. */
  readonly install: string;
  /** Installs what can be installed without root. @returns name and version. Rejects where it cannot be had. */
  readonly obtain: () => Promise<string>;
}

export type ToolchainName = keyof typeof KNOWN;

const PROBE_TIMEOUT_MS = 60_000;

const KNOWN = {
  rust: {
    install: "install rustup (https://rustup.rs), then: rustup target add wasm32-wasip2",
    obtain: () => obtainWasmRust(),
  },
  "cargo-component": {
    install: `install rustup (https://rustup.rs), then: ${INSTALL_CARGO_COMPONENT}`,
    obtain: obtainCargoComponent,
  },
  python: { install: "install Python 3.10 or later with its module venv", obtain: obtainPython },
  cmake: {
    install:
      "install CMake 3.20 or later with make, or Python 3 with its module venv, which CMake is then installed with",
    obtain: obtainCMakeVersion,
  },
  cargo: {
    install: "install rustup (https://rustup.rs): the crate async-nats needs Rust 1.89 or later",
    obtain: () => versionOf("cargo", ["--version"]),
  },
  go: { install: "install Go 1.25 or later (https://go.dev/doc/install)", obtain: obtainGo },
  java: {
    install: "install a JDK, 17 or later, and Maven",
    obtain: obtainJava,
  },
  ldc: {
    install: "install LDC 1.30 or later (`apt-get install ldc`, or https://github.com/ldc-developers/ldc/releases)",
    obtain: obtainLdc,
  },
  git: { install: "install Git", obtain: () => versionOf("git", ["--version"]) },
} as const satisfies Record<string, Toolchain>;

/** The same for a suite that takes minutes: it runs with AUTHORS=1 alone, and is skipped else. */
export async function describeOnRequest(
  names: readonly ToolchainName[],
  title: string,
  body: () => void,
): Promise<void> {
  if (process.env["AUTHORS"] === "1") await describeWith(names, title, body);
  else describe.skip(`${title}, with AUTHORS=1`, body);
}

/**
 * A suite that needs toolchains, as `describe`. Await it: whether they are there decides what is collected.
 *
 * @param names those that it needs; they are looked for, and installed where that is possible, once for each file
 */
export async function describeWith(names: readonly ToolchainName[], title: string, body: () => void): Promise<void> {
  const { found, missing } = await obtainAll(names);
  if (missing.length === 0) {
    describe(title, { meta: { toolchains: found } }, body);
  } else if (missing.every(isLeftOut)) {
    describe.skip(title, { meta: { toolchains: found, missingToolchains: missing } }, body);
  } else {
    describe(title, () => {
      test("has its toolchains", () => {
        throw new MissingToolchainError(missing.map(({ name, install }) => `no ${name}: ${install}`).join("\n"));
      });
    });
  }
}

async function obtainAll(names: readonly ToolchainName[]): Promise<{ found: string[]; missing: MissingToolchain[] }> {
  const found: string[] = [];
  const missing: MissingToolchain[] = [];
  for (const name of names) {
    const { install, obtain } = KNOWN[name];
    const absent = (reason: string): void => void missing.push({ name, install, reason });
    if (name === "rust" && isRustGivenUp()) absent("NETWORK_HOST_WITHOUT_RUST is set");
    else {
      await obtain().then(
        (version) => found.push(version),
        (error: unknown) => absent(firstSentence(error)),
      );
    }
  }
  return { found, missing };
}

function firstSentence(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  return said.split(/\.\s|\n/, 1)[0] ?? said;
}

function isLeftOut({ name }: MissingToolchain): boolean {
  if (name === "rust" && isRustGivenUp()) return true;
  return process.env["AUTHORS"] === "1" && (process.env["CI"] ?? "") === "";
}

function isRustGivenUp(): boolean {
  return process.env["NETWORK_HOST_WITHOUT_RUST"] === "1" && process.env["AUTHORS"] !== "1";
}

async function obtainCargoComponent(): Promise<string> {
  await obtainWasmRust("wasm32-unknown-unknown");
  await installCargoComponent();
  return CARGO_COMPONENT;
}

/** With venv: a Debian without the package python3-venv has the module, and not what it installs. */
async function obtainPython(): Promise<string> {
  await run("python3", ["-c", "import venv, ensurepip"], { timeoutMs: PROBE_TIMEOUT_MS });
  return versionOf("python3", ["--version"]);
}

async function obtainGo(): Promise<string> {
  const version = await run(await findGo(), ["env", "GOVERSION"], { timeoutMs: PROBE_TIMEOUT_MS });
  return version.trim().replace(/^go/, "Go ");
}

async function obtainJava(): Promise<string> {
  await versionOf("mvn", ["--version"]);
  return versionOf("javac", ["--version"]);
}

async function obtainLdc(): Promise<string> {
  const said = await versionOf("ldc2", ["--version"]);
  return `LDC ${/\((\S+)\)/.exec(said)?.[1] ?? said}`;
}

async function obtainCMakeVersion(): Promise<string> {
  const { path } = await obtainCMake(CACHE);
  return versionOf(`${path}/cmake`, ["--version"]);
}

/** The first line of what a program says of itself. */
async function versionOf(program: string, args: readonly string[]): Promise<string> {
  if (!program.includes("/") && (await findOnPath(program)) === undefined)
    throw new MissingToolchainError(`no ${program} on PATH`);
  const said = await run(program, args, { timeoutMs: PROBE_TIMEOUT_MS });
  return (said.split("\n", 1)[0] ?? "").replace(/^(\w+) version /, "$1 ");
}
