/**
 * What the kit knows of a language: how its projects are recognised and built.
 *
 * @module
 */

import type { ToolWatch } from "./tool.ts";

/** The languages with a package for plugins. */
export const LANGUAGES = ["rust", "typescript", "python", "go", "c"] as const;

export type Language = (typeof LANGUAGES)[number];

/** How people write a language's name. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  rust: "Rust",
  typescript: "TypeScript",
  python: "Python",
  go: "Go",
  c: "C",
};

/** A project's folder, and who watches its tools. */
export interface BuildOptions {
  /** Absolute path. */
  readonly folder: string;
  /** By its manifest. */
  readonly name: string | undefined;
  readonly watch: ToolWatch;
}

/** What came of a build. */
export type BuildOutcome =
  /** `remarks`: what the tools warn of, in their own words. */
  | { readonly kind: "built"; readonly component: string; readonly remarks: string }
  /** `output`: what the tool wrote, which names the file and the line where it knows them. */
  | { readonly kind: "failed"; readonly tool: string; readonly output: string; readonly advice?: string };

/** One language. */
export interface LanguageKit {
  /** The file that makes a folder a project of the language. */
  readonly manifest: string;
  /** Does the manifest's text name the package for plugins? Throws `usage-invalid` where it does, and is malformed. */
  readonly isPlugin: (manifest: string) => boolean;
  /** The project's name by its manifest. */
  readonly nameOf: (manifest: string) => string | undefined;
  /** Files whose change may change the component, by their names' ends. */
  readonly sources: readonly string[];
  /** Throws `tool-missing`, and `build-failed` where a tool was ended. */
  readonly build: (options: BuildOptions) => Promise<BuildOutcome>;
}

/** The lines of a tool's output from the first that warns, without those that only count steps. */
export function remarksIn(output: string, isStep: RegExp): string {
  const lines = output.split("\n").filter((line) => !isStep.test(line));
  const first = lines.findIndex((line) => /\bwarning\b/i.test(line));
  return first < 0 ? "" : lines.slice(first).join("\n").trim();
}
