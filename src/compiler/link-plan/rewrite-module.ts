/**
 * Rewrites a core module so that its state can be read and put back from outside: its memories and those mutable
 * globals that are bits are exported under names that no component can use, and where asked for, the size that the code sees
 * of its memory becomes a global, too. A real memory cannot shrink; the size in a global can.
 *
 * Nothing is renumbered: what is added stands behind what was there.
 *
 * @module
 */

import { ByteReader } from "../../component/byte-reader.ts";
import { walkBody } from "../../component/core/instructions.ts";
import type { CoreModule } from "../../component/core/model.ts";
import type { BitType, PlanGlobal } from "../../contract/link-plan.ts";
import { ByteWriter } from "../../core-wasm/byte-writer.ts";
import { BIT_TYPE, EMPTY_BLOCK, MUTABLE, OPCODE, SECTION, SECTION_ORDER } from "../../core-wasm/format.ts";
import { encodeModule, exportOf, functionType, type WrittenSection } from "../../core-wasm/module-writer.ts";
import { type Section, sectionsOf, walkCode } from "./sections.ts";
import { refusal } from "./refusal.ts";

/** A module's new bytes, and the names under which its state is exported. */
export interface RewrittenModule {
  readonly bytes: Uint8Array;
  readonly memories: readonly string[];
  readonly globals: readonly PlanGlobal[];
}

/** Binary codes of the types that are bits. */
export const BIT_TYPE_CODES: ReadonlyMap<number, BitType> = new Map(
  Object.entries(BIT_TYPE).map(([type, code]) => [code, type as BitType]),
);

/** Where the offsets of branches in the code are: it would be wrong afterwards. */
const BRANCH_HINTS = "metadata.code.branch_hint";

/** Rewrites a module. `virtualSize`: hide the size of its only memory behind a global. */
export function rewriteModule(module: CoreModule, virtualSize: boolean): RewrittenModule {
  const sections = new Sections(module);
  const virtualGlobal = virtualSize ? addVirtualSize(module, sections) : undefined;
  const importedMemories = countImports(module, "memory");
  const importedGlobals = countImports(module, "global");
  const memories = module.memories.map((_, index) => ({
    name: `state memory ${index}`,
    index: importedMemories + index,
  }));
  const globals = module.globals.flatMap(({ mutable, type }, index) => {
    const bits = BIT_TYPE_CODES.get(type);
    return mutable && bits !== undefined
      ? [{ name: `state global ${index}`, type: bits, index: importedGlobals + index }]
      : [];
  });
  if (virtualGlobal !== undefined) globals.push({ name: "state memory size", type: "i32", index: virtualGlobal });
  const taken = new Set(module.exports.map(({ name }) => name));
  const exports = [
    ...memories.map((item) => ({ ...item, kind: "memory" as const })),
    ...globals.map((item) => ({ ...item, kind: "global" as const })),
  ];
  for (const { name, kind, index } of exports) {
    if (taken.has(name)) throw refusal(`a core module exports ${JSON.stringify(name)}`);
    sections.appendItem(SECTION.export, exportOf(name, kind, index));
  }
  return {
    bytes: sections.finish(),
    memories: memories.map(({ name }) => name),
    globals: globals.map(({ name, type }) => [name, type]),
  };
}

function countImports(module: CoreModule, kind: string): number {
  return module.imports.filter((item) => item.kind === kind).length;
}

/** A module's sections while it is rewritten. */
class Sections {
  readonly #sections: { id: number; content: Uint8Array }[];
  /** Items to put behind those of a section. */
  readonly #added = new Map<number, ByteWriter[]>();

  constructor(module: CoreModule) {
    this.#sections = sectionsOf(module);
  }

  /** Adds an item to the vector that a section is; returns its place in the vector. */
  appendItem(id: number, item: ByteWriter): number {
    const items = this.#added.get(id) ?? [];
    this.#added.set(id, items);
    items.push(item);
    return this.#count(id) + items.length - 1;
  }

  replace(id: number, content: Uint8Array): void {
    const section = this.#sections.find((section) => section.id === id);
    if (section !== undefined) section.content = content;
  }

  removeCustom(name: string): void {
    const found = this.#sections.findIndex(({ id, content }) => id === SECTION.custom && hasName(content, name));
    if (found !== -1) this.#sections.splice(found, 1);
  }

  finish(): Uint8Array {
    for (const id of this.#added.keys()) if (this.#find(id) === undefined) this.#insert(id);
    return encodeModule(this.#sections.map(({ id, content }) => this.#extended(id, content)));
  }

  #find(id: number): Section | undefined {
    return this.#sections.find((section) => section.id === id);
  }

  #count(id: number): number {
    const section = this.#find(id);
    return section === undefined ? 0 : ByteReader.of(section.content, "section").u32();
  }

  #insert(id: number): void {
    const place = this.#sections.findIndex((section) => SECTION_ORDER.indexOf(section.id) > SECTION_ORDER.indexOf(id));
    this.#sections.splice(place === -1 ? this.#sections.length : place, 0, { id, content: Uint8Array.of(0) });
  }

  #extended(id: number, content: Uint8Array): WrittenSection {
    const added = id === SECTION.custom ? undefined : this.#added.get(id);
    if (added === undefined) return { id, content: new ByteWriter().bytes(content) };
    const reader = ByteReader.of(content, "section");
    const section = new ByteWriter().u32(reader.u32() + added.length).bytes(reader.rest());
    for (const item of added) section.append(item);
    return { id, content: section };
  }
}

function hasName(content: Uint8Array, name: string): boolean {
  return ByteReader.of(content, "custom section").name() === name;
}

/** Puts the memory's size into a new global, and a function in the place of growing; returns the global's index. */
function addVirtualSize(module: CoreModule, sections: Sections): number {
  const minPages = Number(module.memories[0]?.min ?? 0n);
  const initial = new ByteWriter().u8(BIT_TYPE.i32, MUTABLE, OPCODE.i32Const).s32(minPages).u8(OPCODE.end);
  const globalIndex = countImports(module, "global") + sections.appendItem(SECTION.global, initial);
  sections.appendItem(SECTION.type, functionType(["i32"], ["i32"]));
  // Not the place in the section, since a group of types there is one item.
  const type = module.types.types;
  const functionIndex =
    countImports(module, "func") + sections.appendItem(SECTION.function, new ByteWriter().u32(type));
  sections.replace(SECTION.code, redirectedCode(module, globalIndex, functionIndex));
  sections.appendItem(SECTION.code, new ByteWriter().sized(growFunction(globalIndex)));
  sections.removeCustom(BRANCH_HINTS);
  return globalIndex;
}

/** The code section with every question for the memory's size redirected. */
function redirectedCode(module: CoreModule, globalIndex: number, functionIndex: number): Uint8Array {
  const bodies: ByteWriter[] = [];
  walkCode(module, (body) => bodies.push(redirectedBody(body, globalIndex, functionIndex)));
  const section = new ByteWriter().u32(bodies.length);
  for (const body of bodies) section.sized(body);
  return section.finish();
}

function redirectedBody(body: ByteReader, globalIndex: number, functionIndex: number): ByteWriter {
  const bytes = body.rest();
  const first = body.offset;
  const written = new ByteWriter();
  let copied = 0;
  walkBody(body, (opcode, start, end) => {
    if (opcode !== OPCODE.memorySize && opcode !== OPCODE.memoryGrow) return;
    written.bytes(bytes.subarray(copied, start - first));
    if (opcode === OPCODE.memorySize) written.u8(OPCODE.globalGet).u32(globalIndex);
    else written.u8(OPCODE.call).u32(functionIndex);
    copied = end - first;
  });
  return written.bytes(bytes.subarray(copied));
}

/** Pages of 64 KiB that addresses of 32 bits reach. */
const PAGES_MAX = 65_536;

/** As a signed LEB128 number of one byte. */
const MINUS_ONE = 0x7f;

/**
 * Grows the size in the global by the parameter, and the memory where it is smaller than that; the result is
 * the size before, or -1. What the memory gained before and lost in the global reads as zero, since whoever
 * puts the state back clears it.
 */
function growFunction(globalIndex: number): ByteWriter {
  const O = OPCODE;
  const [wanted, before, lack] = [0, 1, 2];
  const refuse = [O.if, EMPTY_BLOCK, O.i32Const, MINUS_ONE, O.return, O.end];
  return (
    new ByteWriter()
      // Two locals of i32 beside the parameter.
      .u8(1, 2, BIT_TYPE.i32)
      .u8(O.globalGet)
      .u32(globalIndex)
      .u8(O.localSet, before)
      // if wanted > 65536 - before: return -1
      .u8(O.localGet, wanted, O.i32Const)
      .s32(PAGES_MAX)
      .u8(O.localGet, before, O.i32Sub, O.i32GtU, ...refuse)
      // lack = before + wanted - memory.size; if lack > 0
      .u8(O.localGet, before, O.localGet, wanted, O.i32Add, O.memorySize, 0, O.i32Sub, O.localTee, lack)
      .u8(O.i32Const, 0, O.i32GtS, O.if, EMPTY_BLOCK)
      // if memory.grow(lack) = -1: return -1
      .u8(O.localGet, lack, O.memoryGrow, 0, O.i32Const, MINUS_ONE, O.i32Eq, ...refuse, O.end)
      // size = before + wanted; return before
      .u8(O.localGet, before, O.localGet, wanted, O.i32Add, O.globalSet)
      .u32(globalIndex)
      .u8(O.localGet, before, O.end)
  );
}
