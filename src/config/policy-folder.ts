/**
 * The policy folder: one `<plugin>.yaml` for each plugin that is allowed anything. Hidden files and files that are not
 * YAML are left alone, so that a README or an editor's backup may lie beside the policies; folders below it are not
 * entered.
 *
 * @module
 */

import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { type Digest, isPluginName, type PluginName } from "../contract/names.ts";
import { configError, type Diagnostic, FILE_START, type Parsed } from "./diagnostic.ts";
import { ParsedFiles } from "./parsed-files.ts";
import { parsePolicy, type PolicyDocument } from "./policy-document.ts";
import { PolicySet } from "./policy-set.ts";
import { describeSystemError, readTextFile } from "./text-file.ts";
import { Turns } from "./turns.ts";

/** Files that are read at a time. */
const CONCURRENT_READS = 16;

/** A file that holds no policy that can be used. */
export interface UnusablePolicy {
  readonly path: string;
  /** The plugin whose policy it would be, by its name; `undefined` if no policy has such a name. */
  readonly plugin: PluginName | undefined;
  /** `broken`: what it holds is not a policy. `unreadable`: what it holds is not known. `gone`: it was removed while the folder was being read, or is a link that leads nowhere. */
  readonly state: "broken" | "unreadable" | "gone";
  readonly errors: readonly Diagnostic[];
}

/** What was found in a policy folder. */
export type PolicyFolderReading =
  | {
      readonly kind: "listed";
      readonly documents: readonly PolicyDocument[];
      readonly unusable: readonly UnusablePolicy[];
      readonly warnings: readonly Diagnostic[];
      /** All files that are policies by their names, whatever they hold. */
      readonly paths: readonly string[];
    }
  /** The folder could not be read. */
  | { readonly kind: "unlisted"; readonly errors: readonly Diagnostic[] };

/** Where policies are. */
export interface PolicyFolderOptions {
  readonly folder: string;
  /** `optional`: one that does not exist is as an empty one. */
  readonly presence: "required" | "optional";
}

/** A policy folder that is read repeatedly: only changed files are parsed again. */
export class PolicyFolder {
  readonly #options: PolicyFolderOptions;
  readonly #turns = new Turns();
  readonly #files: ParsedFiles<PolicyDocument>;

  /** `onRead` is called with each content that was read. */
  constructor(options: PolicyFolderOptions, onRead?: (path: string, digest: Digest) => void) {
    this.#options = options;
    this.#files = new ParsedFiles({
      read: (path) => readTextFile(path),
      parse: (text, path) => this.#turns.run(() => parsePolicy(text, path)),
      ...(onRead !== undefined && { onRead }),
    });
  }

  /** Reads every policy. One reading at a time. Never rejects. */
  async load(): Promise<PolicyFolderReading> {
    const { folder } = this.#options;
    const listing = await listPolicyFiles(this.#options);
    if (listing.kind === "invalid") return { kind: "unlisted", errors: listing.errors };
    const paths = listing.value.map((name) => join(folder, name));
    const documents: PolicyDocument[] = [];
    const unusable: UnusablePolicy[] = [];
    const warnings: Diagnostic[] = [];
    for (const [index, parsed] of (await this.#loadFiles(paths)).entries()) {
      if (parsed.kind === "valid") {
        documents.push(parsed.value);
        warnings.push(...parsed.warnings);
        continue;
      }
      const path = paths[index] ?? "";
      unusable.push({ path, plugin: pluginOf(path), state: parsed.file ?? "broken", errors: parsed.errors });
    }
    return { kind: "listed", documents, unusable, warnings, paths };
  }

  /** Marks a file to be read again, even if nothing about it seems to have changed. */
  refresh(path: string): void {
    this.#files.refresh(path);
  }

  /** All of the files, in their order, some at a time. */
  async #loadFiles(paths: readonly string[]): Promise<readonly Parsed<PolicyDocument>[]> {
    this.#files.keepOnly(new Set(paths));
    const loaded: Parsed<PolicyDocument>[] = [];
    const waiting = paths.entries();
    const work = async (): Promise<void> => {
      for (const [index, path] of waiting) loaded[index] = await this.#files.load(path);
    };
    await Promise.all(Array.from({ length: CONCURRENT_READS }, work));
    return loaded;
  }
}

/** The policies of a folder that is read once. Throws `config-invalid` with a line for every problem of every file. */
export async function loadPolicyDir(folder: string): Promise<PolicySet> {
  const reading = await new PolicyFolder({ folder, presence: "required" }).load();
  const errors = problemsOf(reading);
  if (reading.kind === "unlisted" || errors.length > 0) throw configError(errors);
  return new PolicySet(reading.documents, reading.warnings);
}

/** Every error of a reading. */
export function problemsOf(reading: PolicyFolderReading): readonly Diagnostic[] {
  return reading.kind === "unlisted" ? reading.errors : reading.unusable.flatMap(({ errors }) => errors);
}

function pluginOf(path: string): PluginName | undefined {
  const name = basename(path, ".yaml");
  return isPluginName(name) ? name : undefined;
}

/** Names of the folder's policy files, sorted. */
async function listPolicyFiles({ folder, presence }: PolicyFolderOptions): Promise<Parsed<readonly string[]>> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isGone && presence === "optional") return { kind: "valid", value: [], warnings: [] };
    const why = describeSystemError(error);
    return invalid(folder, `the policy folder cannot be read (${why}); an empty folder denies everything`);
  }
  const files = names.filter((name) => /^[^.].*\.ya?ml$/i.test(name)).sort();
  if (files.length > FIXED_LIMITS.policyFiles)
    return invalid(folder, `${files.length} policy files; at most ${FIXED_LIMITS.policyFiles} are read`);
  return { kind: "valid", value: files, warnings: [] };
}

function invalid(file: string, message: string): Parsed<never> {
  return { kind: "invalid", errors: [{ severity: "error", file, ...FILE_START, message }] };
}
