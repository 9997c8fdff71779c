/**
 * The map of the benchmark's modules, checked as that of src/ is.
 */

import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { forbiddenImports, idleEdges, mapDifferences, upwardEdges } from "../../harness/module-map.ts";
import {
  actsAtImport,
  brokenImportsOf,
  circlesOf,
  readSourceTree,
  type SourceFile,
} from "../../harness/source-tree.ts";

/** A comparison of contenders, which several subcommands are made of. */
const COMPARISON = ["comparison", "setup", "options", "figures", "jobs", "bench-error"];

/**
 * Folder, or file of bench/ itself → the ones that it may import. From the top down: subcommands, what they are made of, and
 * processes that run by themselves.
 */
const ALLOWED = {
  main: [
    "program",
    "guard",
    "against",
    "scaling",
    "comparison",
    "fairness",
    "growth",
    "soak",
    "swap",
    "fleet",
    "registry",
    "wrpc",
    "engine-cost",
    "setup",
    "bench-error",
  ],
  program: [
    "guard",
    "against",
    "scaling",
    "comparison",
    "fairness",
    "growth",
    "soak",
    "swap",
    "fleet",
    "registry",
    "wrpc",
    "engine-cost",
    "setup",
  ],
  pages: ["comparison", "fairness", "soak", "swap", "published", "contenders", "figures", "jobs"],
  guard: [...COMPARISON, "contenders"],
  against: [...COMPARISON, "contenders", "replicas", "servers"],
  scaling: [...COMPARISON, "published", "servers"],
  comparison: [
    "setup",
    "published",
    "contenders",
    "servers",
    "generator",
    "processes",
    "charts",
    "options",
    "figures",
    "jobs",
    "bench-error",
  ],
  fairness: [
    "setup",
    "published",
    "replicas",
    "servers",
    "generator",
    "processes",
    "options",
    "figures",
    "jobs",
    "bench-error",
  ],
  growth: [
    "setup",
    "published",
    "replicas",
    "servers",
    "generator",
    "processes",
    "charts",
    "options",
    "figures",
    "jobs",
    "bench-error",
  ],
  soak: [
    "setup",
    "published",
    "replicas",
    "servers",
    "generator",
    "processes",
    "charts",
    "options",
    "figures",
    "jobs",
    "bench-error",
  ],
  swap: ["setup", "published", "replicas", "servers", "generator", "options", "figures", "jobs", "bench-error"],
  registry: ["setup", "replicas", "servers", "processes", "options", "figures"],
  wrpc: ["setup", "replicas", "servers", "processes", "options", "figures", "jobs", "bench-error"],
  fleet: ["setup", "published", "replicas", "servers", "processes", "options", "figures", "bench-error"],
  "engine-cost": ["setup", "figures", "bench-error"],
  setup: ["servers", "generator", "jobs"],
  published: ["figures", "jobs", "bench-error"],
  contenders: ["replicas", "servers", "processes", "jobs"],
  replicas: ["servers", "generator", "processes", "jobs"],
  servers: ["processes", "jobs"],
  generator: ["processes", "jobs", "bench-error"],
  processes: ["figures", "bench-error"],
  charts: [],
  options: [],
  "load-node": ["figures", "jobs"],
  figures: ["jobs"],
  jobs: [],
  peers: ["responders"],
  responders: [],
  "bench-error": [],
} as const satisfies Record<string, readonly string[]>;

/** Entry files of processes: running is what they are for. */
const ENTRIES: ReadonlySet<string> = new Set([
  "main.ts",
  "engine-cost/engine-process.ts",
  "load-node/main.ts",
  "peers/extism/responder.ts",
  "responders/hand-written.ts",
  "responders/jco-plain.ts",
]);

const BENCH = fileURLToPath(new URL("../../../bench", import.meta.url));

let files: ReadonlyMap<string, SourceFile>;

beforeAll(async () => {
  files = await readSourceTree(BENCH, ["**/node_modules/**"]);
});

/** Its folder, or for files directly in bench/ their name. */
function moduleOf(path: string): string {
  return path.split("/", 1)[0]?.replace(/\.ts$/, "") ?? "";
}

test("the modules of bench/ are all on the map, and the map has no others", () => {
  expect(mapDifferences(ALLOWED, { files, moduleOf })).toEqual([]);
});

test("the modules of bench/ import only downwards on the map, and need every edge of it", () => {
  expect(upwardEdges(ALLOWED), "the map itself").toEqual([]);
  expect(forbiddenImports(ALLOWED, { files, moduleOf })).toEqual([]);
  expect(idleEdges(ALLOWED, { files, moduleOf })).toEqual([]);
});

test("the files of bench/ import files that exist, and never each other in a circle", () => {
  expect(brokenImportsOf(files)).toEqual([]);
  expect(circlesOf(files)).toEqual([]);
});

test("the files of bench/ share helpers with the tests by scripts/, and import nothing of the tests", () => {
  const imports = [...files.values()].flatMap((file) => file.imports.map((name) => `${file.path} → ${name}`));
  expect(imports.some((line) => line.includes("/scripts/lib/"))).toBe(true);
  expect(imports.filter((line) => line.includes("../test/"))).toEqual([]);
});

test("the files of bench/ do nothing when they are imported, but for the entries of processes", () => {
  const paths = [...files.values()].filter((file) => actsAtImport(file).length > 0).map(({ path }) => path);
  expect(paths.sort()).toEqual([...ENTRIES].sort());
});
