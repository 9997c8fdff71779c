/**
 * Reads what components and their types share: sorts, names of imports and exports, their descriptions, and
 * aliases (component-model `Binary.md`, "Alias Definitions", "Import and Export Definitions").
 *
 * @module
 */

import type { ByteReader } from "./byte-reader.ts";
import type { CoreSort } from "./core/model.ts";
import type { AliasDefinition, ExternDescription, ImportDefinition, Sort, SortIndex } from "./model.ts";

const CORE_SORTS = new Map<number, CoreSort>([
  [0x00, "func"],
  [0x01, "table"],
  [0x02, "memory"],
  [0x03, "global"],
  [0x04, "tag"],
  [0x10, "type"],
  [0x11, "module"],
  [0x12, "instance"],
]);

const SORTS = new Map<number, Sort>([
  [0x01, "func"],
  [0x03, "type"],
  [0x04, "component"],
  [0x05, "instance"],
]);

const CORE = 0x00;
const VALUE = 0x02;

/** What to do about parts of the component model that no toolchain for plugins emits. */
export const RARE_ADVICE = "build the plugin as one plain component, as docs and examples show";

/** Reads a sort without an index. */
export function readSort(reader: ByteReader): SortIndex["sort"] {
  const code = reader.u8();
  if (code === CORE) return `core ${readCoreSort(reader)}`;
  const sort = SORTS.get(code);
  if (sort !== undefined) return sort;
  if (code === VALUE) throw reader.unsupported("a value definition", RARE_ADVICE);
  throw reader.malformed(`0x${code.toString(16)} is not a sort`);
}

export function readCoreSort(reader: ByteReader): CoreSort {
  const code = reader.u8();
  const sort = CORE_SORTS.get(code);
  if (sort === undefined) throw reader.malformed(`0x${code.toString(16)} is not a core sort`);
  return sort;
}

export function readSortIndex(reader: ByteReader): SortIndex {
  return { sort: readSort(reader), index: reader.u32() };
}

/** The name of an import or export: a leading byte that older tools used to tell kinds of names apart, then the name. */
export function readExternName(reader: ByteReader): string {
  const kind = reader.u8();
  if (kind > 1) throw reader.unsupported("a name with attributes", RARE_ADVICE);
  return reader.name();
}

export function readExternDescription(reader: ByteReader): ExternDescription {
  const code = reader.u8();
  switch (code) {
    case 0x00:
      throw reader.unsupported("importing or exporting a core module", RARE_ADVICE);
    case 0x01:
      return { sort: "func", type: reader.u32() };
    case 0x02:
      throw reader.unsupported("importing or exporting a value", RARE_ADVICE);
    case 0x03:
      return readTypeBound(reader);
    case 0x04:
      return { sort: "component", type: reader.u32() };
    case 0x05:
      return { sort: "instance", type: reader.u32() };
    default:
      throw reader.malformed(`0x${code.toString(16)} describes no import or export`);
  }
}

function readTypeBound(reader: ByteReader): ExternDescription {
  const bound = reader.u8();
  if (bound === 0) return { sort: "type", bound: "equal", type: reader.u32() };
  if (bound === 1) return { sort: "type", bound: "resource" };
  throw reader.malformed(`0x${bound.toString(16)} is not a bound of a type`);
}

export function readImport(reader: ByteReader): ImportDefinition {
  const place = reader.place();
  return { kind: "import", place, name: readExternName(reader), description: readExternDescription(reader) };
}

export function readAlias(reader: ByteReader): AliasDefinition {
  const place = reader.place();
  const sort = readSort(reader);
  const target = reader.u8();
  if (target === 0x02) return readOuterAlias(reader, sort, place);
  const instance = reader.u32();
  const name = reader.name();
  if (target === 0x00 && sort === "core module")
    throw reader.unsupported("an alias of an exported core module", RARE_ADVICE);
  if (target === 0x00 && !sort.startsWith("core ")) {
    return { kind: "alias", place, target: "export", sort: sort as Sort, instance, name };
  }
  if (target === 0x01 && sort.startsWith("core ")) {
    return {
      kind: "alias",
      place,
      target: "core-export",
      sort: sort.slice("core ".length) as CoreSort,
      instance,
      name,
    };
  }
  throw reader.malformed(`an alias of the sort ${sort} has the wrong target`);
}

function readOuterAlias(reader: ByteReader, sort: SortIndex["sort"], place: AliasDefinition["place"]): AliasDefinition {
  const count = reader.u32();
  const index = reader.u32();
  if (sort === "type" || sort === "component" || sort === "core module" || sort === "core type") {
    return { kind: "alias", place, target: "outer", sort, count, index };
  }
  throw reader.malformed(`an outer alias cannot be of the sort ${sort}`);
}
