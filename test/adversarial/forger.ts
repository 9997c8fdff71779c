/**
 * A plugin that calls any method of any resource with any integer for its handle: what the bindings of no language
 * would do. Made of the imports that a component of the contract and WASI may have, all of them.
 *
 * @module
 */

import { buildComponent, printImports } from "../unit/runner/artifacts.ts";

/** The plugin, and what its requests mean. */
export interface Forger {
  readonly component: Uint8Array;
  /** Methods and drops, by the number that a request picks one by: `interface method`. */
  readonly targets: readonly string[];
}

/** Payload of the request that calls target `index` on a handle. */
export function forgery(index: number, handle: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(index, handle).buffer);
}

interface Import {
  readonly line: string;
  readonly module: string;
  readonly name: string;
  readonly index: number;
  readonly type: FunctionType;
}

interface FunctionType {
  readonly params: readonly string[];
  readonly hasResult: boolean;
}

export async function buildForger(): Promise<Forger> {
  const text = await printImports();
  const types = [...text.matchAll(/^ {2}\(type \(;\d+;\) \(func(.*)\)\)$/gm)];
  const imports = importsOf(
    text,
    types.map(([, signature = ""]) => functionType(signature)),
  );
  const targets = imports.filter(({ name }) => name.startsWith("[method]") || name.endsWith("_drop"));
  const module = `(module
    ${types.map(([line]) => line).join("\n")}
    ${imports.map(({ line }) => line).join("\n")}
    ${PLUGIN.replace(";; @calls", () => targets.map(callOf).join("\n"))})`;
  return {
    component: await buildComponent(module),
    targets: targets.map(({ module: from, name }) => `${from.replace("cm32p2|", "")} ${name}`),
  };
}

function importsOf(text: string, types: readonly FunctionType[]): readonly Import[] {
  const lines = text.matchAll(/^ {2}\(import "([^"]+)" "([^"]+)" \(func \(;(\d+);\) \(type (\d+)\)\)\)$/gm);
  return [...lines].map(([line, module = "", name = "", index, type]) => {
    const signature = types[Number(type)];
    if (signature === undefined) throw new Error(`${name} has no type`);
    return { line, module, name, index: Number(index), type: signature };
  });
}

function functionType(signature: string): FunctionType {
  const params = /\(param ([^)]*)\)/.exec(signature)?.[1] ?? "";
  return { params: params.split(" ").filter(Boolean), hasResult: signature.includes("(result") };
}

/** The handle first, then zeroes; the last number may be where a result is to be written. */
function callOf({ index, type: { params, hasResult } }: Import, target: number): string {
  const others = params
    .slice(1)
    .map((type, place) => `(${type}.const ${place === params.length - 2 ? RESULT_AREA : 0})`);
  const call = `(call ${index} (local.get $handle) ${others.join(" ")})`;
  return `(if (i32.eq (local.get $target) (i32.const ${target})) (then ${hasResult ? `(drop ${call})` : call}))`;
}

const RESULT_AREA = 4096;

const PLUGIN = `
  (memory (export "cm32p2_memory") 2)
  (func (export "cm32p2_initialize"))
  (func (export "cm32p2_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
  (func (export "cm32p2|local:network-host/handler@1|get-access-levels") (result i32) (i32.const 7))
  (func (export "cm32p2|local:network-host/handler@1|handle-request")
    (param i32 i32 i32 i32) (param $payload i32) (param i32) (result i32)
    (local $target i32) (local $handle i32)
    (local.set $target (i32.load (local.get $payload)))
    (local.set $handle (i32.load offset=4 (local.get $payload)))
    ;; @calls
    (i32.store8 (i32.const 64) (i32.const 0))
    (i32.store16 (i32.const 68) (i32.const 200))
    (i32.store (i32.const 72) (i32.const 0))
    (i32.store (i32.const 76) (i32.const 0))
    (i32.const 64))`;
