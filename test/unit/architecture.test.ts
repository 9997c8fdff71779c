/**
 * The map of the modules, checked: which may import which (type-only imports included), that no files import
 * each other in a circle, and that nothing happens when a file is merely imported.
 */

import { glob, readFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAst } from "rolldown/parseAst";
import { beforeAll, describe, expect, test } from "vitest";
import { COMPILER_FOLDERS } from "../../src/supervisor/compilation/engine-key.ts";

/**
 * Module → the modules it may import; itself always. Imports only go down this list, and `runner` may import
 * nothing that knows a secret.
 */
const ALLOWED = {
  main: ["cli"],
  cli: [
    "app",
    "nats",
    "registry",
    "supervisor/sandbox",
    "fairness",
    "telemetry",
    "config",
    "policy",
    "contract",
    "errors",
    "version",
  ],
  app: [
    "consumer",
    "registry",
    "supervisor/sandbox",
    "fairness",
    "egress/undici",
    "kv",
    "kv/drivers",
    "nats",
    "telemetry",
    "config",
    "policy",
    "contract",
    "errors",
    "version",
  ],
  consumer: [
    "registry",
    "supervisor/process-pool",
    "supervisor/process",
    "fairness",
    "broker",
    "egress",
    "channel",
    "kv",
    "nats",
    "telemetry",
    "policy",
    "contract",
    "scheduling",
    "errors",
  ],
  registry: [
    "supervisor/process-pool",
    "supervisor/process",
    "supervisor/compilation",
    "supervisor/sandbox",
    "fairness",
    "telemetry",
    "policy",
    "contract",
    "scheduling",
    "errors",
  ],
  "supervisor/process-pool": ["supervisor/process", "contract", "errors"],
  "supervisor/process": ["supervisor/sandbox", "fairness", "channel", "contract", "scheduling", "errors"],
  "supervisor/compilation": ["supervisor/sandbox", "compiler", "contract", "errors"],
  "supervisor/sandbox": [],
  fairness: ["scheduling", "contract"],
  compiler: ["component", "core-wasm", "contract", "errors"],
  component: ["core-wasm", "contract", "errors"],
  runner: ["core-wasm", "channel", "contract", "scheduling", "errors"],
  broker: ["egress", "kv", "channel", "telemetry", "policy", "contract", "errors"],
  "egress/undici": ["egress", "policy", "contract"],
  egress: ["policy", "contract"],
  "kv/drivers": ["kv", "telemetry", "contract", "errors"],
  kv: ["contract", "scheduling", "errors"],
  nats: ["telemetry", "contract", "errors"],
  telemetry: ["contract", "errors"],
  config: ["policy", "contract", "scheduling", "errors"],
  policy: ["contract", "errors"],
  channel: ["contract", "scheduling"],
  "core-wasm": ["contract"],
  contract: ["scheduling", "errors"],
  scheduling: [],
  errors: [],
  version: [],
} as const satisfies Record<string, readonly string[]>;

/** Of the supervisor's rooms, the files that others may import: whatever else a room holds may change without them. */
const DOORS = {
  "process-pool": ["plugin-runner", "plugin-runner-events", "plugin-runner-state", "runner-size"],
  process: ["cpu-share", "runner", "runner-call", "runner-process"],
  compilation: ["compile", "engine-key"],
  sandbox: ["capabilities", "child-program", "confinement", "priority", "processor-deadline", "start-child", "wall"],
} as const;

/** Code generators and the shims of other runtimes. */
const GENERATORS = /^@bytecodealliance\//;

/** Entry files of processes and threads: running is what they are for. */
const ENTRIES: ReadonlySet<string> = new Set([
  "main.ts",
  "cli/executable.ts",
  "compiler/main.ts",
  "runner/main.ts",
  "config/consumer-thread.ts",
  "kv/drivers/sqlite-worker.ts",
]);

/** Packages and built-ins whose functions act on the world; no file calls them while it is being imported. */
const ACTING =
  /^(?:node:(?:fs|net|http|https|dns|child_process|worker_threads|cluster|timers|sqlite|tls|dgram)|undici|nats|mongodb|pino)/;
const ACTING_GLOBALS = new Set(["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "fetch"]);

interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface SourceFile {
  /** Path from src/, with slashes. */
  readonly path: string;
  readonly body: readonly Node[];
  /** Everything the file imports or re-exports from, as written. */
  readonly imports: readonly string[];
  /** Those of `imports` that are there when the file runs. */
  readonly runtimeImports: readonly string[];
}

const SRC = fileURLToPath(new URL("../../src", import.meta.url));

async function readSource(path: string): Promise<SourceFile> {
  const { body } = parseAst(await readFile(join(SRC, path), "utf8"), { lang: "ts" }) as unknown as { body: Node[] };
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

/** Folders that are modules of their own within another. */
const INNER = Object.keys(ALLOWED).filter((name) => name.includes("/"));

/** The module a file belongs to: its folder, or for files directly in src/ the first word of their name. */
function moduleOf(path: string): string {
  for (const inner of INNER) if (path.startsWith(`${inner}/`)) return inner;
  const [first = "", ...rest] = path.split("/");
  return rest.length > 0 ? first : (/^[a-z]+/.exec(first)?.[0] ?? "");
}

/** The file of src/ that `specifier` means in `from`; `undefined` for a package or a file outside src/. */
function resolveImport(from: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const path = posix.normalize(posix.join(dirname(from.path), specifier));
  // The generated declarations name each other as they would be named after a build.
  return path.startsWith("..") ? undefined : path.replace(/\.js$/, ".d.ts");
}

const files = new Map<string, SourceFile>();

beforeAll(async () => {
  for await (const found of glob("**/*.ts", { cwd: SRC })) {
    const path = found.split("\\").join("/");
    files.set(path, await readSource(path));
  }
});

function targetsOf(file: SourceFile): string[] {
  return file.imports.flatMap((specifier) => resolveImport(file, specifier) ?? []);
}

/** What a process gets that starts from `entry`: files of src/, packages and built-ins; types alone do not count. */
function reachedFrom(entry: string): { files: ReadonlySet<string>; packages: readonly string[] } {
  const reached = new Set([entry]);
  const packages = new Set<string>();
  for (const path of reached) {
    const file = files.get(path);
    for (const specifier of file?.runtimeImports ?? []) {
      const target = file === undefined ? undefined : resolveImport(file, specifier);
      if (target !== undefined) reached.add(target);
      else if (!specifier.startsWith(".")) packages.add(specifier);
    }
  }
  return { files: reached, packages: [...packages] };
}

describe("the modules of src/", () => {
  test("are all on the map, and the map has no others", () => {
    const modules = new Set([...files.keys()].map(moduleOf));
    expect([...modules].filter((name) => !Object.hasOwn(ALLOWED, name))).toEqual([]);
    expect(Object.keys(ALLOWED).filter((name) => !modules.has(name))).toEqual([]);
  });

  test("import only downwards on the map", () => {
    const order = Object.keys(ALLOWED);
    const upward = Object.entries(ALLOWED).flatMap(([name, targets]) =>
      targets.filter((target) => order.indexOf(target) <= order.indexOf(name)).map((target) => `${name} → ${target}`),
    );
    expect(upward, "the map itself").toEqual([]);

    const violations: string[] = [];
    for (const file of files.values()) {
      const from = moduleOf(file.path);
      const allowed: readonly string[] = Object.entries(ALLOWED).find(([name]) => name === from)?.[1] ?? [];
      for (const target of targetsOf(file)) {
        const to = moduleOf(target);
        if (to !== from && !allowed.includes(to)) violations.push(`${file.path} → ${target}`);
      }
    }
    expect(violations).toEqual([]);
  });

  test("need every edge that the map allows", () => {
    const used = new Set<string>();
    for (const file of files.values()) {
      for (const target of targetsOf(file)) used.add(`${moduleOf(file.path)} → ${moduleOf(target)}`);
    }
    const idle = Object.entries(ALLOWED).flatMap(([name, targets]) =>
      targets.map((target) => `${name} → ${target}`).filter((edge) => !used.has(edge)),
    );
    expect(idle).toEqual([]);
  });
});

test("the rooms of src/supervisor/ are entered by few files each, all of them in use", () => {
  const entered = new Set<string>();
  for (const file of files.values()) {
    for (const target of targetsOf(file)) {
      if (target.startsWith("supervisor/") && moduleOf(target) !== moduleOf(file.path)) entered.add(target);
    }
  }
  const doors = Object.entries(DOORS).flatMap(([room, names]) => names.map((name) => `supervisor/${room}/${name}.ts`));
  expect([...entered].sort()).toEqual(doors.sort());
});

describe("the files of src/", () => {
  test("import files that exist, by their names with extension", () => {
    const broken: string[] = [];
    for (const file of files.values()) {
      for (const target of targetsOf(file)) if (!files.has(target)) broken.push(`${file.path} → ${target}`);
    }
    expect(broken).toEqual([]);
  });

  test("do not import each other in a circle", () => {
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
    expect(circles).toEqual([]);
  });

  test("never bring a code generator into the host's process", () => {
    const { packages } = reachedFrom("main.ts");
    expect(packages).toContain("nats");
    expect(packages.filter((name) => GENERATORS.test(name))).toEqual([]);
  });

  test("bring nothing but parts of Node into a runner's process", () => {
    const { packages } = reachedFrom("runner/main.ts");
    expect(packages).not.toEqual([]);
    expect(packages.filter((name) => !name.startsWith("node:"))).toEqual([]);
  });

  test("that decide what an artifact is are all in the key of the engine: a change of one compiles anew", () => {
    const modules = new Set(Array.from(reachedFrom("compiler/main.ts").files, moduleOf));
    // An error's text is in no artifact.
    modules.delete("errors");
    expect([...modules].sort()).toEqual([...COMPILER_FOLDERS].sort());
  });

  test("do nothing when they are imported", () => {
    const acts = [...files.values()].filter((file) => !ENTRIES.has(file.path)).flatMap(actsAtImport);
    expect(acts).toEqual([]);
  });

  test.each(["policy", "contract", "scheduling", "errors"])(
    "of %s are pure: they import no package that acts on the world",
    (module) => {
      const acting = [...files.values()]
        .filter((file) => moduleOf(file.path) === module)
        .flatMap((file) =>
          file.imports
            .filter((name) => ACTING.test(name) && name !== "node:net")
            .map((name) => `${file.path} → ${name}`),
        );
      expect(acting).toEqual([]);
    },
  );
});

/** Statements that run at import and are more than a declaration, or whose initial values act on the world. */
function actsAtImport(file: SourceFile): string[] {
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
