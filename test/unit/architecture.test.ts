/**
 * The map of the modules, checked: which may import which (type-only imports included), that no files import
 * each other in a circle, and that nothing happens when a file is merely imported.
 */

import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { forbiddenImports, idleEdges, mapDifferences, upwardEdges } from "../harness/module-map.ts";
import {
  ACTING,
  actsAtImport,
  brokenImportsOf,
  circlesOf,
  readSourceTree,
  resolveImport,
  type SourceFile,
  targetsOf,
} from "../harness/source-tree.ts";

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
  compiler: ["component", "contract", "errors"],
  component: ["contract", "errors"],
  runner: ["channel", "contract", "scheduling", "errors"],
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
  contract: ["scheduling", "errors"],
  scheduling: [],
  errors: [],
  version: [],
} as const satisfies Record<string, readonly string[]>;

/** Of the supervisor's rooms, the files that others may import: whatever else a room holds may change without them. */
const DOORS = {
  "process-pool": ["plugin-runner", "plugin-runner-events", "plugin-runner-state", "runner-size"],
  process: ["runner", "runner-call", "runner-process"],
  compilation: ["compile", "engine-key"],
  sandbox: ["child-program", "confinement", "cpu-time", "priority", "processor-deadline", "start-child", "wall"],
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

const SRC = fileURLToPath(new URL("../../src", import.meta.url));

/** Folders that are modules of their own within another. */
const INNER = Object.keys(ALLOWED).filter((name) => name.includes("/"));

/** The module a file belongs to: its folder, or for files directly in src/ the first word of their name. */
function moduleOf(path: string): string {
  for (const inner of INNER) if (path.startsWith(`${inner}/`)) return inner;
  const [first = "", ...rest] = path.split("/");
  return rest.length > 0 ? first : (/^[a-z]+/.exec(first)?.[0] ?? "");
}

let files: ReadonlyMap<string, SourceFile>;

beforeAll(async () => {
  files = await readSourceTree(SRC);
});

/** Every package and built-in that a process gets which starts from `entry`; types alone do not count. */
function packagesReachedFrom(entry: string): string[] {
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
  return [...packages];
}

describe("the modules of src/", () => {
  test("are all on the map, and the map has no others", () => {
    expect(mapDifferences(ALLOWED, { files, moduleOf })).toEqual([]);
  });

  test("import only downwards on the map", () => {
    expect(upwardEdges(ALLOWED), "the map itself").toEqual([]);
    expect(forbiddenImports(ALLOWED, { files, moduleOf })).toEqual([]);
  });

  test("need every edge that the map allows", () => {
    expect(idleEdges(ALLOWED, { files, moduleOf })).toEqual([]);
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
    expect(brokenImportsOf(files)).toEqual([]);
  });

  test("do not import each other in a circle", () => {
    expect(circlesOf(files)).toEqual([]);
  });

  test("never bring a code generator into the host's process", () => {
    const packages = packagesReachedFrom("main.ts");
    expect(packages).toContain("nats");
    expect(packages.filter((name) => GENERATORS.test(name))).toEqual([]);
  });

  test("bring nothing but parts of Node into a runner's process", () => {
    const packages = packagesReachedFrom("runner/main.ts");
    expect(packages).not.toEqual([]);
    expect(packages.filter((name) => !name.startsWith("node:"))).toEqual([]);
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
