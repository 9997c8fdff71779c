/**
 * A plugin's project: which language a folder is of, and what it is called.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { HostError } from "../errors/host-error.ts";
import { C } from "./c.ts";
import { GO } from "./go.ts";
import { type Language, LANGUAGES, type LanguageKit } from "./language.ts";
import { PYTHON } from "./python.ts";
import { RUST } from "./rust.ts";
import { TYPESCRIPT } from "./typescript.ts";

/** Every language. */
export const KITS: Readonly<Record<Language, LanguageKit>> = {
  rust: RUST,
  typescript: TYPESCRIPT,
  python: PYTHON,
  go: GO,
  c: C,
};

/** A project that the kit can build. */
export interface Project {
  readonly language: Language;
  readonly kit: LanguageKit;
  /** Absolute path. */
  readonly folder: string;
  /** As its manifest has it, where it says. */
  readonly name: string | undefined;
}

/** The project in a folder. Throws `usage-invalid` where there is none, or more than one, or its manifest is malformed. */
export async function findProject(folder: string): Promise<Project> {
  const found: Project[] = [];
  for (const language of LANGUAGES) {
    const kit = KITS[language];
    const manifest = await readFile(join(folder, kit.manifest), "utf8").catch(() => undefined);
    if (manifest === undefined || !kit.isPlugin(manifest)) continue;
    found.push({ language, kit, folder, name: kit.nameOf(manifest) });
  }
  const [project, other] = found;
  if (project === undefined) throw new HostError("usage-invalid", `${folder} is not a plugin's project: ${expected()}`);
  if (other === undefined) return project;
  const both = `${project.kit.manifest} and ${other.kit.manifest}`;
  throw new HostError("usage-invalid", `${folder} holds projects of two languages (${both}): move one elsewhere`);
}

function expected(): string {
  const manifests = LANGUAGES.map((language) => KITS[language].manifest).join(", ");
  return `none of ${manifests} there names the package for plugins; network-host new makes a project`;
}
