/**
 * Makes artifacts for the runner's tests out of core modules in text form: the contract's WIT and WASI's are
 * embedded, the compiler's engine transpiles the component, and the files land in a temporary folder. The gate
 * is left out on purpose: the runner has to hold where it does not.
 */

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { componentEmbed, componentNew, parse, print } from "@bytecodealliance/jco";
import { afterAll } from "vitest";
import { compileWithJco } from "../../../src/compiler/engine.ts";
import { ENTRY_FILE } from "../../../src/compiler/entry-file.ts";
import { readComponent } from "../../../src/component/read-component.ts";
import { Scope } from "../../../src/component/scope.ts";
import { planComponent } from "../../../src/compiler/link-plan/plan-component.ts";
import { ARTIFACT_FORMAT, type ArtifactManifest, MANIFEST_FILE } from "../../../src/contract/artifact.ts";
import { LINK_PLAN_FILE } from "../../../src/contract/link-plan.ts";
import type { Digest } from "../../../src/contract/names.ts";

const WIT = new URL("../../../wit/", import.meta.url);
const FIXTURES = new URL("../../fixtures/runner-wat/", import.meta.url);

/** Interfaces that a fixture may import beside the contract's. Unused ones do not end up in the component. */
const WASI = [
  ..."io/error io/poll io/streams clocks/monotonic-clock clocks/wall-clock".split(" "),
  ..."random/random random/insecure random/insecure-seed".split(" "),
  ..."cli/environment cli/exit cli/stdin cli/stdout cli/stderr".split(" "),
  ..."cli/terminal-input cli/terminal-output cli/terminal-stdin cli/terminal-stdout cli/terminal-stderr".split(" "),
  ..."filesystem/types filesystem/preopens sockets/network sockets/instance-network sockets/ip-name-lookup".split(" "),
  ..."sockets/tcp sockets/tcp-create-socket sockets/udp sockets/udp-create-socket".split(" "),
  ..."http/types http/outgoing-handler".split(" "),
];

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

/** All packages of wit/ as one document, with a world that imports everything. */
async function witSource(): Promise<string> {
  const own = await readPackage(WIT, (file) => file !== "world.wit");
  const imports = WASI.map((name) => `import wasi:${name}@0.2.0;`).join("\n");
  const world = `world everything { import logging; import key-value-store;\n${imports}\nexport handler; }`;
  const packages = await Promise.all(
    (await readdir(new URL("deps/", WIT))).filter(isFolder).map(async (name) => {
      const content = await readPackage(new URL(`deps/${name}/`, WIT), () => true);
      return `package wasi:${name}@0.2.0 {\n${content}\n}`;
    }),
  );
  return `package local:network-host@1.0.0;\n${own}\n${world}\n${packages.join("\n")}`;
}

function isFolder(name: string): boolean {
  return !name.includes(".");
}

async function readPackage(folder: URL, wanted: (file: string) => boolean): Promise<string> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".wit") && wanted(file));
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, folder), "utf8")));
  return texts.join("\n").replace(/^package [^;]*;/gm, "");
}

/** Changes to the fixture that a test asks for. */
export interface ArtifactOptions {
  /** Edits the WIT, for a component that declares other types than the contract's. */
  readonly editWit?: (wit: string) => string;
  /** Edits the module's text. */
  readonly editModule?: (text: string) => string;
  /** Edits the generated entry, for code that no plugin should be able to bring in. */
  readonly editEntry?: (code: string) => string;
}

/** Builds the artifact of a fixture (`actor` for actor.wat); returns its folder. */
export async function buildArtifact(fixture: string, options: ArtifactOptions = {}): Promise<string> {
  return await compileArtifact(await buildComponentOf(fixture, options), options);
}

/** Builds the component of a fixture. */
export async function buildComponentOf(fixture: string, options: ArtifactOptions = {}): Promise<Uint8Array> {
  const { editWit = same, editModule = same } = options;
  const text = await readFile(new URL(`${fixture}.wat`, FIXTURES), "utf8");
  return await buildComponent(editModule(text), editWit);
}

/** Makes a component of a core module's text, which may import all that a plugin may. */
export async function buildComponent(module: string, editWit: (wit: string) => string = same): Promise<Uint8Array> {
  const binary = await componentEmbed({
    binary: await parse(module),
    witSource: editWit(await witSource()),
    world: "everything",
  });
  return await componentNew(binary, []);
}

/** Every function that a plugin may import, as its core module sees it: the text of the imports and their types. */
export async function printImports(): Promise<string> {
  const dummy = await componentEmbed({ dummy: true, witSource: await witSource(), world: "everything" });
  return await print(dummy);
}

/** Compiles a component into an artifact; returns its folder. */
export async function compileArtifact(component: Uint8Array, options: ArtifactOptions = {}): Promise<string> {
  const { editEntry = same } = options;
  const files = await compileWithJco(
    component,
    Scope.of(readComponent(component)).imports.map(({ name }) => name),
  );
  const folder = await mkdtemp(join(tmpdir(), "network-host-artifact-"));
  folders.push(folder);
  const entry = editEntry(Buffer.from(files.get(ENTRY_FILE) ?? "").toString("utf8"));
  const planning = planComponent(component);
  const planned = planning.kind === "planned" ? planning.files : new Map<string, Uint8Array>();
  for (const [name, content] of planned) await writeFile(join(folder, name), content);
  for (const [name, content] of files) await writeFile(join(folder, name), name === ENTRY_FILE ? entry : content);
  const manifest: ArtifactManifest = {
    format: ARTIFACT_FORMAT,
    digest: "0".repeat(64) as Digest,
    componentBytes: component.length,
    engine: "jco",
    files: {},
    entry: ENTRY_FILE,
    link:
      planning.kind === "planned"
        ? { kind: "planned", plan: LINK_PLAN_FILE, freshState: planning.freshState }
        : planning,
    coreModules: [...files.keys()].filter((name) => name.endsWith(".wasm")),
    imports: [...entry.matchAll(/imports\['([^']+)'\]/g)].map(([, name]) => name as string),
    exports: [],
    memories: 1,
    makesObjects: false,
  };
  await writeFile(join(folder, MANIFEST_FILE), JSON.stringify(manifest));
  return folder;
}

function same(text: string): string {
  return text;
}
