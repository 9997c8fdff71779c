/**
 * The declarations of what plugins in TypeScript import, for each engine: made of the WIT by jco, and true for the engine.
 *
 * @module
 */

import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { _setPreopens } from "@bytecodealliance/preview2-shim/filesystem";
import { CONTRACT_FILES } from "../toolchains/contract.ts";
import { ROOT } from "../lib/project.ts";

const INTO = "sdk/typescript/types";
const HEADER = "// Generated from wit/ by scripts/generate-sdk/typescript.ts; do not edit.\n";

const CONTRACT = ["key-value-store", "logging"].map((name) => `local:network-host/${name}@1.0.0`);
const SYSTEM = ["clocks/monotonic-clock", "clocks/wall-clock", "io/poll"]
  .concat(["random/insecure", "random/insecure-seed", "random/random"])
  .map((name) => `wasi:${name}@0.2.0`);

interface Engine {
  readonly name: string;
  readonly imports: readonly string[];
  readonly adapt: (declarations: string) => string;
}

const ENGINES: readonly Engine[] = [
  { name: "quickjs", imports: [...CONTRACT, ...SYSTEM], adapt: forQuickJs },
  {
    name: "starlingmonkey",
    imports: [...CONTRACT, ...SYSTEM, "wasi:http/outgoing-handler@0.2.0"],
    adapt: (declarations) => declarations,
  },
];

/** File of the project → its text. */
export async function typescriptDeclarations(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const { name, imports, adapt } of ENGINES) {
    const interfaces = await generate(imports);
    const folder = join(INTO, name, "interfaces");
    for (const [file, text] of interfaces) files.set(join(folder, file), HEADER + adapt(text));
    const references = [...interfaces.keys()].map((file) => `/// <reference path="./${file}" />\n`);
    files.set(join(folder, "index.d.ts"), HEADER + references.join(""));
  }
  return files;
}

/** File name → declarations of one interface. */
async function generate(imports: readonly string[]): Promise<Map<string, string>> {
  // jco reads WIT files through WASI, and the shim gives it no folders unless told to. It looks once, when jco is
  // loaded. (The shim's types describe its browser build.)
  (_setPreopens as unknown as (preopens: Readonly<Record<string, string>>) => void)({ "/": "/" });
  const { generateGuestTypes } = await import("@bytecodealliance/jco-transpile");
  const work = await mkdtemp(join(tmpdir(), "declarations-"));
  try {
    const contract = join(work, "deps", "network-host");
    await mkdir(contract, { recursive: true });
    await cp(join(ROOT, "wit", "deps"), join(work, "deps"), { recursive: true });
    for (const file of CONTRACT_FILES) await cp(join(ROOT, file), join(contract, basename(file)));
    const lines = imports.map((name) => `import ${name}; `);
    const exported = "export local:network-host/handler@1.0.0;";
    await writeFile(join(work, "world.wit"), `package a:b;\nworld plugin { ${lines.join("")}${exported} }\n`);
    const files = await generateGuestTypes(work, { name: "plugin", worldName: "plugin", outDir: "" });
    const found = Object.entries(files).flatMap(([name, contents]): [string, string][] => {
      if (!name.startsWith("interfaces/")) return [];
      return [[basename(name), typeof contents === "string" ? contents : Buffer.from(contents).toString("utf8")]];
    });
    return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  } finally {
    await rm(work, { recursive: true });
  }
}

/** QuickJS has `null` for an empty `option`, and numbers for 64-bit integers, exact up to 2^53. */
function forQuickJs(declarations: string): string {
  const declared = declarations.replaceAll(" | undefined", " | null").replaceAll(/(?<=[:=[,] ?)bigint\b/g, "number");
  if (/\bundefined\b|\bbigint\b/.test(declared))
    throw new Error("the declarations have an `undefined` or a `bigint` left");
  return declared;
}
