/**
 * What a core module's code may do to state that cannot be put back from outside: tables that it changes,
 * segments that it drops; and whether it asks for or changes the size of a memory.
 *
 * @module
 */

import { ByteReader } from "../../component/byte-reader.ts";
import type { CoreModule } from "../../component/core/model.ts";
import { OPCODE, walkBody } from "./instructions.ts";

export interface CodeFacts {
  /** May an element of a table change while the code runs? */
  readonly changesTables: boolean;
  /** May it drop a passive segment? */
  readonly dropsSegments: boolean;
  /** Does it ask for the size of a memory, or change it? */
  readonly sizesMemory: boolean;
}

/** A section of a module: its number, its content's range, and the content. */
export interface Section {
  readonly id: number;
  readonly content: Uint8Array;
}

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  global: 6,
  export: 7,
  start: 8,
  code: 10,
} as const;

const PREAMBLE_BYTES = 8;

const TABLE_CHANGES: ReadonlySet<number> = new Set([
  OPCODE.tableSet,
  OPCODE.tableInit,
  OPCODE.tableCopy,
  OPCODE.tableGrow,
  OPCODE.tableFill,
]);

const DROPS: ReadonlySet<number> = new Set([OPCODE.dataDrop, OPCODE.elemDrop]);

/** The sections of a module, in order. */
export function sectionsOf(module: CoreModule): Section[] {
  const reader = ByteReader.of(module.bytes, module.place.path);
  reader.skip(PREAMBLE_BYTES);
  const sections: Section[] = [];
  while (!reader.atEnd) {
    const id = reader.u8();
    sections.push({ id, content: reader.bytes(reader.u32()) });
  }
  return sections;
}

/** Calls `visitBody` with a reader of each function body of a module. */
export function walkCode(module: CoreModule, visitBody: (body: ByteReader) => void): void {
  const code = sectionsOf(module).find(({ id }) => id === SECTION.code);
  if (code === undefined) return;
  const reader = ByteReader.of(code.content, module.place.path);
  const count = reader.u32();
  for (let index = 0; index < count; index += 1) visitBody(reader.sub(reader.u32()));
}

/** Reads all of a module's code. */
export function readCodeFacts(module: CoreModule): CodeFacts {
  const facts = { changesTables: false, dropsSegments: false, sizesMemory: false };
  walkCode(module, (body) => {
    walkBody(body, (opcode) => {
      if (TABLE_CHANGES.has(opcode)) facts.changesTables = true;
      if (DROPS.has(opcode)) facts.dropsSegments = true;
      if (opcode === OPCODE.memoryGrow || opcode === OPCODE.memorySize) facts.sizesMemory = true;
    });
  });
  return facts;
}
