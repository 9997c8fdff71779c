/**
 * Makes a new project of the templates that the package brings: files as they are, with a few words in their names and
 * texts replaced.
 *
 * @module
 */

import { glob, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { HostError } from "../errors/host-error.ts";
import type { PluginName } from "../contract/names.ts";
import { type Language, LANGUAGE_NAMES } from "./language.ts";
import { exists } from "./paths.ts";
import { PACKAGE_VERSION, providePackage } from "./sdk-package.ts";

const TEMPLATES = fileURLToPath(new URL("../../templates", import.meta.url));

/** A project to make. */
export interface NewProject {
  readonly language: Language;
  readonly name: PluginName;
  /** Absolute path of a folder that does not exist, or is empty. */
  readonly folder: string;
  /** A folder of packed packages; absent, the project names the published ones. */
  readonly packages: string | undefined;
}

/** What a template says of its language. */
interface Facts {
  readonly component: (name: string) => string;
  readonly source: string;
  readonly needs: string;
}

const FACTS: Readonly<Record<Language, Facts>> = {
  rust: {
    component: (name) => `target/wasm32-wasip2/release/${name.replaceAll("-", "_")}.wasm`,
    source: "src/lib.rs",
    needs: "Rust by [rustup](https://rustup.rs) with `rustup target add wasm32-wasip2`",
  },
  typescript: { component: () => "plugin.wasm", source: "plugin.ts", needs: "npm" },
  python: { component: () => "plugin.wasm", source: "plugin.py", needs: "Python 3.10 or later with `venv`" },
  go: { component: () => "plugin.wasm", source: "main.go", needs: "[Go](https://go.dev/doc/install) 1.25 or later" },
  c: {
    component: (name) => `build/${name}.wasm`,
    source: "plugin.c",
    needs: "CMake 3.20 or later with make or Ninja, and Python 3 with `venv`",
  },
};

/** Names of files that npm leaves out of packages under their own. */
const HIDDEN: Readonly<Record<string, string>> = { gitignore: ".gitignore" };

/**
 * Makes the project, whole or not at all. Returns the paths of its files, below its folder, in order.
 *
 * @throws HostError `usage-invalid` where the folder holds something, or the packages are not there; `output-failed` where it cannot be
 *   written
 */
export async function createProject(project: NewProject): Promise<readonly string[]> {
  const { folder, language } = project;
  if (!(await exists(join(TEMPLATES, language))))
    throw new HostError("usage-invalid", "this installation has no templates: use the npm package network-host");
  await expectEmptyOrMissing(folder);
  // The first folder that this makes; nothing where the project's folder was there.
  let made: string | undefined;
  try {
    made = await mkdir(folder, { recursive: true });
    return await fillFolder(project);
  } catch (error) {
    if (made !== undefined) await rm(made, { recursive: true, force: true });
    if (error instanceof HostError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new HostError("output-failed", `the project cannot be written: ${why}`, { cause: error });
  }
}

/** Makes the project in a folder inside its own, and moves it up when it is whole. A failure leaves nothing of it. */
async function fillFolder(project: NewProject): Promise<readonly string[]> {
  const { folder, language, packages } = project;
  const scratch = await mkdtemp(join(folder, ".new-"));
  const moved: string[] = [];
  try {
    const dependency = await providePackage(language, scratch, packages);
    const files = await writeFiles({ ...project, folder: scratch }, dependency);
    for (const name of await readdir(scratch)) {
      await rename(join(scratch, name), join(folder, name));
      moved.push(join(folder, name));
    }
    return files;
  } catch (error) {
    for (const path of moved) await rm(path, { recursive: true, force: true });
    throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function expectEmptyOrMissing(folder: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new HostError("usage-invalid", `${folder} is not a folder that can be read`, { cause: error });
  }
  if (names.length > 0)
    throw new HostError("usage-invalid", `${folder} is not empty: name another folder with --folder`);
}

async function writeFiles({ folder, language, name }: NewProject, dependency: string): Promise<readonly string[]> {
  const { component, source, needs } = FACTS[language];
  const words: Readonly<Record<string, string>> = {
    name,
    dependency,
    version: PACKAGE_VERSION,
    component: component(name),
    source,
    language: LANGUAGE_NAMES[language],
    needs,
  };
  const fill = (text: string): string =>
    text.replaceAll(/\{\{([a-z]+)\}\}/g, (word, key: string) => words[key] ?? word);
  const written: string[] = [];
  for (const from of [join(TEMPLATES, "common"), join(TEMPLATES, language)]) {
    for await (const entry of glob("**/*", { cwd: from, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const template = join(entry.parentPath, entry.name);
      const below = join(entry.parentPath.slice(from.length), HIDDEN[entry.name] ?? fill(entry.name)).replace(
        /^\//,
        "",
      );
      await mkdir(dirname(join(folder, below)), { recursive: true });
      await writeFile(join(folder, below), fill(await readFile(template, "utf8")));
      written.push(below);
    }
  }
  return written.sort();
}
