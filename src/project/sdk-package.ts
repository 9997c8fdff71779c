/**
 * Where a new project takes its language's package from: a registry, by the version that is published, or a folder of
 * packed packages, from which it gets a copy of its own below `sdk/`.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { copyFile, cp, glob, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { withoutHostSecrets } from "../contract/host-secrets.ts";
import { HostError } from "../errors/host-error.ts";
import { GO_PROXY_FOLDER } from "./go.ts";
import type { Language } from "./language.ts";

/** The packages' version, which is the contract's. */
export const PACKAGE_VERSION = "1.0.0";

/** The package for C has no registry, so this program brings it along, all but a binary of jco's. */
const C_PACKAGE = fileURLToPath(new URL("../../sdk/c", import.meta.url));
const ADAPTER = "wasi_snapshot_preview1.reactor.wasm";
const C_FOLDER = `network-plugin-api-c-${PACKAGE_VERSION}`;

/** What is looked for in a folder of packed packages. */
const PACKED: Readonly<Record<Language, string>> = {
  rust: `network-plugin-api-${PACKAGE_VERSION}.crate`,
  typescript: `network-plugin-api-${PACKAGE_VERSION}.tgz`,
  python: `network_plugin_api-${PACKAGE_VERSION}-*.whl`,
  go: "goproxy",
  c: `${C_FOLDER}.tar.gz`,
};

/** How a manifest names the published package. */
const PUBLISHED: Readonly<Record<Language, string>> = {
  rust: `"${PACKAGE_VERSION}"`,
  typescript: PACKAGE_VERSION,
  python: `network-plugin-api==${PACKAGE_VERSION}`,
  go: PACKAGE_VERSION,
  c: C_FOLDER,
};

const UNPACK_TIMEOUT_MS = 60_000;

/**
 * Gives the project its package, and returns what its manifest says of it. `packages` is a folder of packed ones; absent,
 * the manifest names the published one.
 *
 * @throws HostError `usage-invalid` where the folder has none of this language
 */
export async function providePackage(
  language: Language,
  project: string,
  packages: string | undefined,
): Promise<string> {
  const into = join(project, "sdk");
  if (packages === undefined) {
    if (language === "c") await copyPackageForC(join(into, C_FOLDER));
    return PUBLISHED[language];
  }
  const [found] = await Array.fromAsync(glob(PACKED[language], { cwd: packages }));
  if (found === undefined)
    throw new HostError("usage-invalid", `--sdk ${packages}: there is no ${PACKED[language]} in the folder`);
  const packed = join(packages, found);
  await mkdir(into, { recursive: true });
  return await COPY[language](packed, into);
}

/** Copies or unpacks a packed package into `sdk/`. */
const COPY: Readonly<Record<Language, (packed: string, into: string) => Promise<string>>> = {
  rust: async (packed, into) => {
    await unpack(packed, into);
    return `{ path = "sdk/${basename(packed, ".crate")}" }`;
  },
  typescript: async (packed, into) => {
    await copyFile(packed, join(into, basename(packed)));
    return `file:sdk/${basename(packed)}`;
  },
  python: async (packed, into) => {
    await copyFile(packed, join(into, basename(packed)));
    return `./sdk/${basename(packed)}`;
  },
  go: async (packed, into) => {
    await cp(packed, join(into, basename(GO_PROXY_FOLDER)), { recursive: true });
    return PACKAGE_VERSION;
  },
  c: async (packed, into) => {
    await unpack(packed, into);
    return C_FOLDER;
  },
};

async function unpack(archive: string, into: string): Promise<void> {
  try {
    const env = withoutHostSecrets(process.env);
    await promisify(execFile)("tar", ["-xzf", archive, "-C", into], { timeout: UNPACK_TIMEOUT_MS, env });
  } catch (error) {
    throw new HostError("tool-missing", `${archive} cannot be unpacked: is tar installed?`, { cause: error });
  }
}

/** Not what a build has left in a checkout. */
function isOfPackage(path: string): boolean {
  return !/[/\\](?:build|test|\.gitignore)$/.test(path);
}

async function copyPackageForC(into: string): Promise<void> {
  await cp(C_PACKAGE, into, { recursive: true, filter: isOfPackage });
  const jco = fileURLToPath(new URL("../lib/", import.meta.resolve("@bytecodealliance/jco")));
  await mkdir(join(into, "adapter"), { recursive: true });
  await copyFile(join(jco, ADAPTER), join(into, "adapter", ADAPTER));
}
