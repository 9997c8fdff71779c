/**
 * `node scripts/complete-lock.ts [--check]`: adds to package-lock.json the optional packages of other platforms.
 *
 * A registry mirror may hold only the packages of the platforms it serves. `npm install` then leaves the others out of
 * the lock, and `npm ci` refuses such a lock, here and everywhere. What is added has no integrity: it is
 * installed on those other platforms only, and there npm takes it from the registry by its exact version.
 *
 * @module
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./lib/project.ts";

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Record<string, LockedPackage>;
}

const OPERATING_SYSTEMS = new Set(["aix", "android", "darwin", "freebsd", "linux", "openharmony", "sunos", "win32"]);
const FOLDER = "node_modules/";

const path = join(ROOT, "package-lock.json");
const lock = JSON.parse(await readFile(path, "utf8")) as Lock;
const added = complete(lock.packages);
if (added.length === 0) {
  console.log("package-lock.json names the packages of every platform");
} else if (process.argv.includes("--check")) {
  console.error(
    `package-lock.json lacks packages of other platforms; run node scripts/complete-lock.ts:\n${added.join("\n")}`,
  );
  process.exitCode = 1;
} else {
  const sorted = Object.entries(lock.packages).toSorted(([one], [other]) => one.localeCompare(other, "en"));
  await writeFile(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
  console.log(`added ${added.length} packages of other platforms to package-lock.json`);
}

/** @returns names and versions of what it added */
function complete(packages: Lock["packages"]): readonly string[] {
  const names: string[] = [];
  // From the top down: a package's own folder is used only where an outer one holds another version.
  const owners = Object.entries(packages).toSorted(([one], [other]) => depthOf(one) - depthOf(other));
  for (const [owner, meta] of owners) {
    for (const [name, range] of Object.entries(meta.optionalDependencies ?? {})) {
      const entry = entryOf(name, range, meta);
      if (entry === undefined || resolveFrom(packages, owner, name)?.version === entry.version) continue;
      const outer = `${FOLDER}${name}`;
      packages[packages[outer] === undefined ? outer : `${owner}/${outer}`] = entry;
      names.push(`${name}@${entry.version}`);
    }
  }
  return names;
}

function depthOf(path: string): number {
  return path.split(FOLDER).length;
}

/** As Node looks a package up: in the folder of its user, then outwards. */
function resolveFrom(packages: Lock["packages"], owner: string, name: string): LockedPackage | undefined {
  for (let base = owner; ; base = base.slice(0, Math.max(0, base.lastIndexOf(`/${FOLDER}`)))) {
    const found = packages[`${base === "" ? "" : `${base}/`}${FOLDER}${name}`];
    if (found !== undefined || base === "") return found;
  }
}

/** The lock's entry of a platform's package, by its name; undefined for packages that are not of a platform. */
function entryOf(name: string, range: string, { dev, license }: LockedPackage): LockedPackage | undefined {
  const parts = name.slice(name.lastIndexOf("/") + 1).split("-");
  const at = parts.findIndex((part) => OPERATING_SYSTEMS.has(part) || part === "wasm32");
  const [system, cpu, abi] = parts.slice(at);
  if (at < 0 || system === undefined || cpu === undefined || !/^\d/.test(range)) return undefined;
  return {
    version: range,
    cpu: [system === "wasm32" ? system : cpu],
    ...(dev !== undefined && { dev }),
    ...(system === "linux" && abi !== undefined && { libc: [abi.startsWith("musl") ? "musl" : "glibc"] }),
    ...(license !== undefined && { license }),
    optional: true,
    ...(system !== "wasm32" && { os: [system] }),
  };
}
