/**
 * The map of the modules, checked: which may import which (type-only imports included), that no files import
 * each other in a circle, and that nothing happens when a file is merely imported.
 */

import { matchesGlob } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { DECIDING_FILES } from "../../src/supervisor/compilation/engine-key.ts";
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
    "testing",
    "app",
    "local-nats",
    "project",
    "control",
    "capabilities",
    "nats",
    "registry",
    "supervisor/sandbox",
    "fairness",
    "telemetry",
    "component",
    "oci",
    "config",
    "policy",
    "signatures",
    "contract",
    "errors",
    "version",
  ],
  testing: [
    "app",
    "registry",
    "supervisor/sandbox",
    "telemetry",
    "config",
    "egress",
    "kv",
    "policy",
    "contract",
    "errors",
  ],
  app: [
    "control",
    "wrpc-server",
    "consumer",
    "registry",
    "supervisor/sandbox",
    "fairness",
    "egress/undici",
    "egress",
    "kv",
    "kv/drivers",
    "nats",
    "telemetry",
    "oci",
    "config",
    "policy",
    "contract",
    "errors",
    "version",
  ],
  "local-nats": ["contract", "errors"],
  project: ["contract", "errors"],
  control: ["telemetry", "errors"],
  "wrpc-server": ["consumer", "fairness", "nats", "wrpc", "telemetry", "contract", "scheduling", "errors"],
  consumer: [
    "registry",
    "supervisor/process-pool",
    "supervisor/process",
    "fairness",
    "capabilities/host",
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
    "oci",
    "policy",
    "signatures",
    "contract",
    "scheduling",
    "errors",
  ],
  "supervisor/process-pool": ["supervisor/process", "contract", "errors"],
  "supervisor/process": [
    "supervisor/sandbox",
    "capabilities",
    "fairness",
    "channel/messages",
    "capabilities/host",
    "channel",
    "contract",
    "scheduling",
    "errors",
  ],
  "supervisor/compilation": ["supervisor/sandbox", "compiler", "contract", "errors"],
  "supervisor/sandbox": [],
  compiler: ["component", "core-wasm", "capabilities", "contract", "errors"],
  component: ["core-wasm", "contract", "errors"],
  runner: [
    "core-wasm",
    "channel/messages",
    "capabilities/guest",
    "runner/wasi",
    "runner/guest",
    "capabilities",
    "channel",
    "contract",
    "scheduling",
    "errors",
  ],
  "channel/messages": ["capabilities", "channel", "contract"],
  "capabilities/guest": ["runner/wasi", "runner/guest", "capabilities", "channel", "contract", "scheduling", "errors"],
  "runner/wasi": ["runner/guest", "contract"],
  "runner/guest": ["core-wasm", "contract", "errors"],
  "capabilities/host": [
    "fairness",
    "egress",
    "kv",
    "telemetry",
    "policy",
    "capabilities",
    "channel",
    "contract",
    "scheduling",
    "errors",
  ],
  fairness: ["scheduling", "contract"],
  "egress/undici": ["egress", "policy", "contract"],
  egress: ["policy", "contract"],
  "kv/drivers": ["kv", "telemetry", "contract", "errors"],
  kv: ["contract", "scheduling", "errors"],
  nats: ["telemetry", "contract", "errors"],
  telemetry: ["capabilities", "contract", "errors"],
  config: ["oci", "policy", "signatures", "contract", "scheduling", "errors"],
  oci: ["policy", "signatures", "contract", "errors"],
  policy: ["signatures", "contract", "errors"],
  signatures: ["contract", "errors"],
  capabilities: ["channel", "contract"],
  channel: ["scheduling"],
  wrpc: ["contract", "errors"],
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
  compilation: ["compile", "engine-key", "link-entry-schema"],
  sandbox: ["capabilities", "child-program", "confinement", "priority", "processor-deadline", "start-child", "wall"],
} as const;

/** What knows one capability and is none: the log of a request is opened by whoever answers it. */
const KNOWN_UNITS: readonly string[] = [
  "consumer/call.ts → capabilities/logging/host.ts",
  "consumer/served-plugin.ts → capabilities/logging/host.ts",
];

/** Code generators and the shims of other runtimes. */
const GENERATORS = /^@bytecodealliance\//;

/** Entry files of processes and threads: running is what they are for. */
const ENTRIES: ReadonlySet<string> = new Set([
  "main.ts",
  "cli/executable.ts",
  "compiler/main.ts",
  "runner/main.ts",
  "runner/stopping/stopper.ts",
  "config/consumer-thread.ts",
  "kv/drivers/sqlite-worker.ts",
]);

const SRC = fileURLToPath(new URL("../../src", import.meta.url));

/** Folders that are modules of their own within another. */
const INNER = Object.keys(ALLOWED).filter((name) => name.includes("/"));

/**
 * The sides of capabilities, which are modules: the two folders or files of each capability, and beside them what all
 * guest sides and all host sides share.
 */
const SIDE = /^capabilities\/(?:[^/]+\/)?(guest|host)(?:[-/.])/;

/** The module a file belongs to: its folder, or for files directly in src/ the first word of their name. */
function moduleOf(path: string): string {
  const side = SIDE.exec(path)?.[1];
  if (side !== undefined) return `capabilities/${side}`;
  for (const inner of INNER) if (path.startsWith(`${inner}/`)) return inner;
  const [first = "", ...rest] = path.split("/");
  return rest.length > 0 ? first : (/^[a-z]+/.exec(first)?.[0] ?? "");
}

let files: ReadonlyMap<string, SourceFile>;

beforeAll(async () => {
  files = await readSourceTree(SRC);
});

/** Every file of src/ that one imports, directly or not; types count. */
function filesReachedFrom(start: string): string[] {
  const reached = new Set([start]);
  for (const path of reached) {
    const file = files.get(path);
    for (const target of file === undefined ? [] : targetsOf(file)) reached.add(target);
  }
  return [...reached];
}

/** What a process gets which starts from `entry`: files of src/, packages and built-ins; types alone do not count. */
function runtimeReach(entry: string): { readonly paths: readonly string[]; readonly packages: readonly string[] } {
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
  return { paths: [...reached], packages: [...packages] };
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

describe("capabilities", () => {
  const unitOf = (path: string): string | undefined => /^capabilities\/([^/]+)\//.exec(path)?.[1];

  test("are known to nobody but the tables of all of them, and not to each other", () => {
    const known = [...files.values()].flatMap((file) =>
      targetsOf(file)
        .filter((target) => unitOf(target) !== undefined && unitOf(target) !== unitOf(file.path))
        .map((target) => `${file.path} → ${target}`),
    );
    const tables = /^capabilities\/(?:capabilities|guest|host)\.ts /;
    expect(known.filter((edge) => !tables.test(edge))).toEqual(KNOWN_UNITS);
  });

  test("have a guest side and a host side of which neither reaches the other, in however many steps", () => {
    const sides = [...files.keys()].filter((path) => SIDE.test(path));
    expect(sides).not.toEqual([]);
    const crossing = sides.flatMap((path) => {
      const other = moduleOf(path) === "capabilities/guest" ? "capabilities/host" : "capabilities/guest";
      return filesReachedFrom(path)
        .filter((reached) => moduleOf(reached) === other)
        .map((reached) => `${path} → ${reached}`);
    });
    expect(crossing).toEqual([]);
  });
});

test("other modules import few files of each folder in src/supervisor/, all of them in use", () => {
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
    const { packages } = runtimeReach("main.ts");
    expect(packages).toContain("nats");
    expect(packages.filter((name) => GENERATORS.test(name))).toEqual([]);
  });

  test("that the compiler executes are in the key of its artifacts, but for how errors and messages are made", () => {
    const deciding = runtimeReach("compiler/main.ts").paths.filter(
      (path) => !["errors", "channel", "scheduling"].includes(moduleOf(path)),
    );
    expect(deciding).toContain("capabilities/key-value/definition.ts");
    expect(deciding.filter((path) => !DECIDING_FILES.some((pattern) => matchesGlob(path, pattern)))).toEqual([]);
  });

  test("bring nothing but parts of Node into a runner's process", () => {
    const { packages } = runtimeReach("runner/main.ts");
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
