/**
 * Skips element and data segments (WebAssembly core specification, 5.5.12 and 5.5.14). Of an active one, which is written
 * when the module is instantiated, the index of the table or memory is read.
 *
 * @module
 */

import type { ByteReader } from "../byte-reader.ts";
import { skipConstantExpression } from "./constant-expression.ts";
import { readReferenceType } from "./value-type.ts";

/** Bits of the number before an element segment. */
const ELEMENTS = { passiveOrDeclared: 1, explicit: 2, expressions: 4, most: 7 } as const;

const DATA = { active: 0, passive: 1, activeInMemory: 2 } as const;

/** The only kind of elements that are named by their indices: functions. */
const FUNCTIONS = 0x00;

/** Returns the table of an active segment. */
export function skipElementSegment(reader: ByteReader): number | undefined {
  const flags = reader.u32();
  if (flags > ELEMENTS.most) throw reader.malformed("an element segment has unknown flags");
  const isActive = (flags & ELEMENTS.passiveOrDeclared) === 0;
  const isExplicit = (flags & ELEMENTS.explicit) !== 0;
  const hasExpressions = (flags & ELEMENTS.expressions) !== 0;
  let table: number | undefined;
  if (isActive) {
    table = isExplicit ? reader.u32() : 0;
    skipConstantExpression(reader);
  }
  if (!isActive || isExplicit) {
    if (hasExpressions) readReferenceType(reader);
    else if (reader.u8() !== FUNCTIONS) throw reader.malformed("an element segment is of an unknown kind");
  }
  reader.skipVector(hasExpressions ? skipConstantExpression : (element) => element.skipLeb(32));
  return table;
}

/** Returns the memory of an active segment. */
export function skipDataSegment(reader: ByteReader): number | undefined {
  const mode = reader.u32();
  if (mode > DATA.activeInMemory) throw reader.malformed("a data segment has an unknown mode");
  let memory = mode === DATA.active ? 0 : undefined;
  if (mode === DATA.activeInMemory) memory = reader.u32();
  if (mode !== DATA.passive) skipConstantExpression(reader);
  reader.skip(reader.u32());
  return memory;
}
