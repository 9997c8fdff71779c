/**
 * The TypeScript files of a folder with what they import, for the tests that hold the folder to a map of its modules.
 *
 * @module
 */

import { glob, readFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { parseAst } from "rolldown/parseAst";

/** A node of the syntax tree (ESTree, with TypeScript's nodes). */
export interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** One file. */
export interface SourceFile {
  /** Path from the folder, with slashes. */
  readonly path: string;
  readonly body: readonly Node[];
  /** Everything the file imports or re-exports from, as written. */
  readonly imports: readonly string[];
  /** Those of `imports` that are there when the file runs. */
  readonly runtimeImports: readonly string[];
}

/** Path → file. Patterns that are left out are paths from the folder. */
export async function readSourceTree(
  folder: string,
  exclude: readonly string[] = [],
): Promise<ReadonlyMap<string, SourceFile>> {
  const files = new Map<string, SourceFile>();
  for await (const found of glob("**/*.ts", { cwd: folder, exclude: [...exclude] })) {
    const path = found.split("\\").join("/");
    files.set(path, await readSource(folder, path));
  }
  return files;
}

/** The files of the same folder that one imports, whether they are there or not. */
export function targetsOf(file: SourceFile): string[] {
  return file.imports.flatMap((specifier) => resolveImport(file, specifier) ?? []);
}

/** Imports of files of the folder that are not there. */
export function brokenImportsOf(files: ReadonlyMap<string, SourceFile>): string[] {
  return [...files.values()].flatMap((file) =>
    targetsOf(file).flatMap((target) => (files.has(target) ? [] : [`${file.path} → ${target}`])),
  );
}

/** Files that import each other in a circle, type-only imports included. */
export function circlesOf(files: ReadonlyMap<string, SourceFile>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) circles.push([...trail.slice(start), path].join(" → "));
    if (start !== -1 || done.has(path)) return;
    const file = files.get(path);
    for (const target of file === undefined ? [] : targetsOf(file)) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of files.keys()) visit(path, []);
  return circles;
}

/** The file of the folder that `specifier` means in `from`; `undefined` for a package or a file outside of the folder. */
export function resolveImport(from: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const path = posix.normalize(posix.join(dirname(from.path), specifier));
  // The generated declarations name each other as they would be named after a build.
  return path.startsWith("..") ? undefined : path.replace(/\.js$/, ".d.ts");
}

async function readSource(folder: string, path: string): Promise<SourceFile> {
  const { body } = parseAst(await readFile(join(folder, path), "utf8"), { lang: "ts" }) as unknown as { body: Node[] };
  const imports: string[] = [];
  const runtimeImports: string[] = [];
  walk(body, (node) => {
    const source = IMPORTING.has(node.type) ? (node["source"] as { value?: unknown } | null) : null;
    if (typeof source?.value !== "string") return true;
    imports.push(source.value);
    if (!isTypeOnly(node)) runtimeImports.push(source.value);
    return true;
  });
  return { path, body, imports, runtimeImports };
}

/** `import type …`, `export type …`, `import("…").Type`: erased before the file runs. */
function isTypeOnly(node: Node): boolean {
  return node["importKind"] === "type" || node["exportKind"] === "type" || node.type === "TSImportType";
}

const IMPORTING = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
  "TSImportType",
]);

/** Visits all nodes below `value` for which `enter` answers true at their parents. */
function walk(value: unknown, enter: (node: Node) => boolean): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, enter);
  } else if (typeof value === "object" && value !== null) {
    if ("type" in value && typeof value.type === "string" && !enter(value as Node)) return;
    for (const child of Object.values(value)) walk(child, enter);
  }
}

/** Packages and built-ins whose functions act on the world. */
export const ACTING =
  /^(?:node:(?:fs|net|http|https|dns|child_process|worker_threads|cluster|timers|sqlite|tls|dgram)|undici|nats|mongodb|pino)/;
const ACTING_GLOBALS = new Set(["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "fetch"]);

/** Statements that run at import and are more than a declaration, or whose initial values act on the world. */
export function actsAtImport(file: SourceFile): string[] {
  const acting = new Set(ACTING_GLOBALS);
  const acts: string[] = [];
  for (const node of file.body) {
    if (node.type !== "ImportDeclaration" || !ACTING.test((node["source"] as { value: string }).value)) continue;
    for (const specifier of node["specifiers"] as { local: { name: string } }[]) acting.add(specifier.local.name);
  }
  for (const statement of file.body) {
    if (!DECLARATIONS.has(statement.type) && !isSeal(statement)) {
      acts.push(`${file.path}: a top-level ${statement.type}`);
    }
    walk(statement, (node) => {
      if (FUNCTIONS.has(node.type)) return false;
      if (node.type === "AwaitExpression" || node.type === "ImportExpression")
        acts.push(`${file.path}: a top-level await`);
      if (node.type === "CallExpression" || node.type === "NewExpression") {
        const name = rootName(node["callee"] as Node);
        if (name !== undefined && acting.has(name)) acts.push(`${file.path}: a call of ${name}`);
      }
      return true;
    });
  }
  return acts;
}

/** `seal(Class)` closes a class to later changes and touches nothing else. */
function isSeal(statement: Node): boolean {
  const expression = statement["expression"] as Node | undefined;
  return expression?.type === "CallExpression" && rootName(expression["callee"] as Node) === "seal";
}

/** `fs` in `fs.promises.open`. */
function rootName(callee: Node): string | undefined {
  let node = callee;
  while (node.type === "MemberExpression") node = node["object"] as Node;
  return node.type === "Identifier" ? (node["name"] as string) : undefined;
}

const DECLARATIONS = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "VariableDeclaration",
  "FunctionDeclaration",
  "ClassDeclaration",
  "TSTypeAliasDeclaration",
  "TSInterfaceDeclaration",
  "TSDeclareFunction",
  "TSModuleDeclaration",
  "TSGlobalDeclaration",
  "EmptyStatement",
]);

/** What is in them runs only when they are called. Field initialisers of a class run when it is instantiated. */
const FUNCTIONS = new Set([
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
  "MethodDefinition",
  "PropertyDefinition",
]);
