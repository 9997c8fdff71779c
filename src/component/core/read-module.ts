/**
 * Reads a core module's sections (WebAssembly core specification, 5.5 "Modules"), all of them, so that nothing
 * forbidden is hidden in one.
 *
 * @module
 */

import {
  beginsWith,
  CORE_PREAMBLE,
  type CoreExternKind,
  EXTERN_KIND,
  LIMITS_FLAG,
  MUTABLE,
  PREAMBLE_BYTES,
  SECTION,
  SECTION_ORDER,
} from "../../core-wasm/format.ts";
import type { ByteReader } from "../byte-reader.ts";
import { NO_CODE, readCode } from "./code.ts";
import { skipConstantExpression } from "./constant-expression.ts";
import type { Allocation, CoreExport, CoreGlobal, CoreImport, CoreModule, Limits } from "./model.ts";
import { skipDataSegment, skipElementSegment } from "./segments.ts";
import { countTypes } from "./types.ts";
import { readReferenceType, readValueType } from "./value-type.ts";

const EXTERN_KINDS = Object.keys(EXTERN_KIND) as CoreExternKind[];

/** A table whose elements start as something else than null. */
const TABLE_WITH_INITIALISER = 0x40;

const USUAL_PAGE_SIZE_LOG2 = 16;

/** The module while it is being read. */
type Draft = { -readonly [Key in keyof CoreModule]: CoreModule[Key] };

/** Reads the module that fills `reader`, its preamble included. */
export function readCoreModule(reader: ByteReader): CoreModule {
  const module: Draft = {
    place: reader.place(),
    bytes: reader.rest(),
    imports: [],
    exports: [],
    memories: [],
    tables: [],
    globals: [],
    functions: 0,
    tags: 0,
    types: { types: 0, objects: 0 },
    code: NO_CODE,
    filled: { memories: [], tables: [] },
    start: undefined,
  };
  if (!beginsWith(reader.bytes(PREAMBLE_BYTES), CORE_PREAMBLE))
    throw reader.malformed("a core module does not begin with its preamble");
  let last = -1;
  while (!reader.atEnd) {
    const id = reader.u8();
    if (id !== SECTION.custom) {
      const rank = SECTION_ORDER.indexOf(id);
      if (rank === -1) throw reader.malformed(`core section ${id} does not exist`);
      // A second one would hide the first from the checks that follow.
      if (rank <= last) throw reader.malformed(`core section ${id} is out of order`);
      last = rank;
    }
    readSection(id, reader.sub(reader.u32()), module);
  }
  return module;
}

function readSection(id: number, section: ByteReader, module: Draft): void {
  switch (id) {
    case SECTION.type:
      module.types = countTypes(section);
      break;
    case SECTION.import:
      module.imports = section.vector(readImport);
      break;
    case SECTION.function:
      module.functions = section.vector((reader) => reader.skipLeb(32)).length;
      break;
    case SECTION.table:
      module.tables = section.vector(readTable);
      break;
    case SECTION.memory:
      module.memories = section.vector((reader) => ({ place: reader.place(), ...readLimits(reader) }));
      break;
    case SECTION.global:
      module.globals = section.vector(readGlobal);
      break;
    case SECTION.export:
      module.exports = section.vector(readExport);
      break;
    case SECTION.start:
      module.start = section.u32();
      break;
    case SECTION.element:
      module.filled = { ...module.filled, tables: readTargets(section, skipElementSegment) };
      break;
    case SECTION.code:
      module.code = readCode(section);
      break;
    case SECTION.data:
      module.filled = { ...module.filled, memories: readTargets(section, skipDataSegment) };
      break;
    case SECTION.dataCount:
      section.skipLeb(32);
      break;
    case SECTION.tag:
      module.tags = section.vector(skipTag).length;
      break;
    default:
      return;
  }
  if (!section.atEnd) throw section.malformed(`core section ${id} is longer than its content`);
}

/** What the active segments of a section are written to: each index once. */
function readTargets(section: ByteReader, skip: (reader: ByteReader) => number | undefined): number[] {
  const targets = new Set<number>();
  section.skipVector((reader) => {
    const target = skip(reader);
    if (target !== undefined) targets.add(target);
  });
  return [...targets];
}

function readImport(reader: ByteReader): CoreImport {
  const place = reader.place();
  const module = reader.name();
  const name = reader.name();
  const kind = readExternKind(reader);
  if (kind === "func") reader.u32();
  else if (kind === "table") readTableType(reader);
  else if (kind === "memory") readLimits(reader);
  else if (kind === "global") readGlobalType(reader);
  else skipTag(reader);
  return { module, name, kind, place };
}

function readExport(reader: ByteReader): CoreExport {
  const place = reader.place();
  return { name: reader.name(), kind: readExternKind(reader), index: reader.u32(), place };
}

function readExternKind(reader: ByteReader): CoreExternKind {
  const code = reader.u8();
  const kind = EXTERN_KINDS[code];
  if (kind === undefined) throw reader.malformed(`${code} is not a kind of a core import or export`);
  return kind;
}

function readTable(reader: ByteReader): Allocation {
  const place = reader.place();
  if (reader.peek() !== TABLE_WITH_INITIALISER) return { place, ...readTableType(reader) };
  reader.skip(1);
  if (reader.u8() !== 0) throw reader.malformed("a table's initialiser is not well-formed");
  const limits = readTableType(reader);
  skipConstantExpression(reader);
  return { place, ...limits };
}

function readTableType(reader: ByteReader): Limits {
  readReferenceType(reader);
  return readLimits(reader);
}

function readLimits(reader: ByteReader): Limits {
  const flags = reader.u8();
  if (flags > 0x0f) throw reader.malformed("a memory's or table's size has unknown flags");
  const wide = (flags & LIMITS_FLAG.wide) !== 0;
  const readSize = (): bigint => (wide ? reader.u64() : BigInt(reader.u32()));
  const min = readSize();
  const max = flags & LIMITS_FLAG.hasMax ? readSize() : undefined;
  const pageSizeLog2 = flags & LIMITS_FLAG.customPageSize ? reader.u32() : USUAL_PAGE_SIZE_LOG2;
  return { min, max, shared: (flags & LIMITS_FLAG.shared) !== 0, wide, pageSizeLog2 };
}

function readGlobal(reader: ByteReader): CoreGlobal {
  const global = readGlobalType(reader);
  skipConstantExpression(reader);
  return global;
}

function readGlobalType(reader: ByteReader): CoreGlobal {
  const type = readValueType(reader);
  const mutability = reader.u8();
  if (mutability > MUTABLE) throw reader.malformed("a global is neither constant nor mutable");
  return { type, mutable: mutability === MUTABLE };
}

function skipTag(reader: ByteReader): void {
  reader.skip(1);
  reader.skipLeb(32);
}
