/**
 * Scans a core module's code once for changes to state that cannot be restored from outside (tables that it changes, segments
 * that it drops), and for reads or changes of a memory's size.
 *
 * @module
 */

import { OPCODE } from "../../core-wasm/format.ts";
import type { ByteReader } from "../byte-reader.ts";
import { walkBody } from "./instructions.ts";
import type { CodeFacts } from "./model.ts";

/** Of a module without functions. */
export const NO_CODE: CodeFacts = { changesTables: false, dropsSegments: false, sizesMemory: false };

const TABLE_CHANGES: ReadonlySet<number> = new Set([
  OPCODE.tableSet,
  OPCODE.tableInit,
  OPCODE.tableCopy,
  OPCODE.tableGrow,
  OPCODE.tableFill,
]);

const DROPS: ReadonlySet<number> = new Set([OPCODE.dataDrop, OPCODE.elemDrop]);

/** Reads a code section. */
export function readCode(section: ByteReader): CodeFacts {
  const facts = { ...NO_CODE };
  const note = (opcode: number): void => {
    if (TABLE_CHANGES.has(opcode)) facts.changesTables = true;
    if (DROPS.has(opcode)) facts.dropsSegments = true;
    if (opcode === OPCODE.memoryGrow || opcode === OPCODE.memorySize) facts.sizesMemory = true;
  };
  section.skipVector((reader) => walkBody(reader.sub(reader.u32()), note));
  return facts;
}
