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
import { OPCODE, walkBody } from "../../component/core/instructions.ts";
import type { CoreModule } from "../../component/core/model.ts";
import type { BitType, PlanGlobal } from "../../contract/link-plan.ts";
import { ByteWriter } from "./byte-writer.ts";
import { SECTION, type Section, sectionsOf, walkCode } from "./sections.ts";
import { refusal } from "./refusal.ts";

/** A module's new bytes, and the names under which its state is exported. */
export interface RewrittenModule {
  readonly bytes: Uint8Array;
  readonly memories: readonly string[];
  readonly globals: readonly PlanGlobal[];
}

const PREAMBLE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

const KIND = { memory: 0x02, global: 0x03 } as const;

const I32 = 0x7f;

/** Binary codes of the types that are bits. */
export const BIT_TYPE_CODES: ReadonlyMap<number, BitType> = new Map([
  [I32, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
]);

/** Sections in the order in which they stand (5.5.2 "Sections"); the tag section stands before the globals. */
const ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

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
    ...memories.map((item) => ({ ...item, kind: KIND.memory })),
    ...globals.map((item) => ({ ...item, kind: KIND.global })),
  ];
  for (const { name, kind, index } of exports) {
    if (taken.has(name)) throw refusal(`a core module exports ${JSON.stringify(name)}`);
    sections.appendItem(SECTION.export, new ByteWriter().name(name).u8(kind).u32(index));
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
    const module = new ByteWriter().bytes(PREAMBLE);
    for (const { id, content } of this.#sections)
      module.u8(id).sized(new ByteWriter().append(this.#extended(id, content)));
    return module.finish();
  }

  #find(id: number): Section | undefined {
    return this.#sections.find((section) => section.id === id);
  }

  #count(id: number): number {
    const section = this.#find(id);
    return section === undefined ? 0 : ByteReader.of(section.content, "section").u32();
  }

  #insert(id: number): void {
    const place = this.#sections.findIndex((section) => ORDER.indexOf(section.id) > ORDER.indexOf(id));
    this.#sections.splice(place === -1 ? this.#sections.length : place, 0, { id, content: Uint8Array.of(0) });
  }

  #extended(id: number, content: Uint8Array): ByteWriter {
    const added = id === SECTION.custom ? undefined : this.#added.get(id);
    if (added === undefined) return new ByteWriter().bytes(content);
    const reader = ByteReader.of(content, "section");
    const section = new ByteWriter().u32(reader.u32() + added.length).bytes(reader.rest());
    for (const item of added) section.append(item);
    return section;
  }
}

function hasName(content: Uint8Array, name: string): boolean {
  return ByteReader.of(content, "custom section").name() === name;
}

/** Puts the memory's size into a new global, and a function in the place of growing; returns the global's index. */
function addVirtualSize(module: CoreModule, sections: Sections): number {
  const minPages = Number(module.memories[0]?.min ?? 0n);
  // A mutable i32, initialised by a constant.
  const initial = new ByteWriter().u8(I32, 1, 0x41).s32(minPages).u8(0x0b);
  const globalIndex = countImports(module, "global") + sections.appendItem(SECTION.global, initial);
  // One parameter, one result.
  const type = sections.appendItem(SECTION.type, new ByteWriter().u8(0x60, 1, I32, 1, I32));
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
    if (opcode === OPCODE.memorySize) written.u8(0x23).u32(globalIndex);
    else written.u8(0x10).u32(functionIndex);
    copied = end - first;
  });
  return written.bytes(bytes.subarray(copied));
}

/** Pages of 64 KiB that addresses of 32 bits reach. */
const PAGES_MAX = 65_536;

/**
 * Grows the size in the global by the parameter, and the memory where it is smaller than that; the result is
 * the size before, or -1. What the memory gained before and lost in the global reads as zero, since whoever
 * puts the state back clears it.
 */
function growFunction(globalIndex: number): ByteWriter {
  const refuse = [0x04, 0x40, 0x41, 0x7f, 0x0f, 0x0b];
  return (
    new ByteWriter()
      // Two locals of i32 beside the parameter: the size before (1) and what the memory lacks (2).
      .u8(1, 2, I32)
      .u8(0x23)
      .u32(globalIndex)
      .u8(0x21, 1)
      // if parameter > 65536 - before: return -1
      .u8(0x20, 0, 0x41)
      .s32(PAGES_MAX)
      .u8(0x20, 1, 0x6b, 0x4b, ...refuse)
      // lack = before + parameter - memory.size; if lack > 0
      .u8(0x20, 1, 0x20, 0, 0x6a, 0x3f, 0, 0x6b, 0x22, 2, 0x41, 0, 0x4a, 0x04, 0x40)
      // if memory.grow(lack) = -1: return -1
      .u8(0x20, 2, 0x40, 0, 0x41, 0x7f, 0x46, ...refuse, 0x0b)
      // size = before + parameter; return before
      .u8(0x20, 1, 0x20, 0, 0x6a, 0x24)
      .u32(globalIndex)
      .u8(0x20, 1, 0x0b)
  );
}
