/**
 * Finds and reads test files, with what they name: the component's path, the policy, files of values. What is wrong with
 * them is one `config-invalid` error with a line for every problem.
 *
 * @module
 */

import { readFileSync, statSync } from "node:fs";
import { glob } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { configError, FILE_START, type Diagnostic } from "../config/diagnostic.ts";
import { shortPath } from "../config/short-path.ts";
import { parsePolicy, type PolicyDocument } from "../config/policy-document.ts";
import type { TestDocument } from "../config/test-case.ts";
import { parseTests } from "../config/test-document.ts";
import { describeSystemError, readTextFile } from "../config/text-file.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { type PluginName, pluginNameOf } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import type { Policy } from "../policy/policy.ts";

/** A test file, ready to run. */
export interface TestFile {
  readonly document: TestDocument;
  /** Absolute path of the component. */
  readonly componentPath: string;
  readonly name: PluginName;
  readonly policy: Policy | undefined;
  /** Absolute paths of all that its outcome depends on, itself and the component included. */
  readonly dependsOn: readonly string[];
}

const SUFFIX = "*.test.yaml";
/** Folders that hold other people's files or what tools make. */
const LEFT_OUT = new Set(["node_modules", "target", "dist", "build"]);

/**
 * The test files of a folder and of those below it, by absolute paths, in order.
 *
 * @throws HostError `usage-invalid` if there are too many
 */
export async function findTestFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  const exclude = (name: string): boolean => LEFT_OUT.has(basename(name)) || /^\.[^.]/.test(basename(name));
  for await (const path of glob(`**/${SUFFIX}`, { cwd: folder, exclude })) {
    found.push(join(folder, path));
    if (found.length > FIXED_LIMITS.testFiles)
      throw new HostError("usage-invalid", `more than ${FIXED_LIMITS.testFiles} test files below ${folder}: name some`);
  }
  return found.sort();
}

/**
 * Reads a test file. `component` goes before the one that the file names.
 *
 * @throws HostError `config-invalid`
 */
export async function loadTestFile(path: string, component: string | undefined): Promise<TestFile> {
  const shown = shortPath(path);
  const folder = dirname(path);
  const dependsOn = [path];
  const source = await readTextFile(path, FIXED_LIMITS.testFileBytes);
  if (source.kind === "invalid") throw configError(source.errors.map((error) => ({ ...error, file: shown })));
  const parsed = parseTests(source.value.text, shown, (named) => {
    const absolute = resolve(folder, named);
    dependsOn.push(absolute);
    return readValue(absolute);
  });
  if (parsed.kind === "invalid") throw configError(parsed.errors);
  const file = await resolveTests(parsed.value, folder, component);
  return { ...file, dependsOn: [...dependsOn, ...file.dependsOn] };
}

/**
 * Reads what a document names, by paths that begin at `folder`. `component` goes before the one that it names.
 *
 * @throws HostError `config-invalid`
 */
export async function resolveTests(
  document: TestDocument,
  folder: string,
  component: string | undefined,
): Promise<TestFile> {
  const named = document.component;
  if (component === undefined && named === undefined)
    throw configError([
      problemAt(document.file, "component is missing; write the component's path, or name it with --component"),
    ]);
  const componentPath = component ?? resolve(folder, named ?? "");
  const policyPath = document.policy === undefined ? undefined : resolve(folder, document.policy);
  const policy = policyPath === undefined ? undefined : await loadPolicy(policyPath, document);
  return {
    document,
    componentPath,
    name: policy?.policy.plugin ?? document.plugin ?? pluginNameOf(basename(componentPath, ".wasm")),
    policy: policy?.policy,
    dependsOn: [componentPath, ...(policyPath === undefined ? [] : [policyPath])],
  };
}

async function loadPolicy(path: string, { file, plugin }: TestDocument): Promise<PolicyDocument> {
  const shown = shortPath(path);
  const source = await readTextFile(path);
  if (source.kind === "invalid") throw configError(source.errors.map((error) => ({ ...error, file: shown })));
  const parsed = parsePolicy(source.value.text, shown);
  if (parsed.kind === "invalid") throw configError(parsed.errors);
  const of = parsed.value.policy.plugin;
  if (plugin !== undefined && plugin !== of)
    throw configError([problemAt(file, `plugin: ${plugin} is not the plugin of the policy, ${of}; keep one of both`)]);
  return parsed.value;
}

function problemAt(file: string, message: string): Diagnostic {
  return { severity: "error", file, ...FILE_START, message };
}

/** The bytes of a file that a value names, or why there are none. */
function readValue(path: string): Uint8Array | string {
  try {
    const { size } = statSync(path);
    if (size > FIXED_LIMITS.testValueBytes) return `it has ${size} bytes; write at most ${FIXED_LIMITS.testValueBytes}`;
    return readFileSync(path);
  } catch (error) {
    return `name a file that can be read (${describeSystemError(error)})`;
  }
}
