/**
 * The one reader of component binaries: bytes → {@link Component}. It serves the gate, `network-host inspect`
 * and the link plan. It only reads: the gate decides whether a component may run, and the scope and the transpiler's
 * validator decide whether it is valid (indices, types).
 *
 * Time and memory are linear in the file's size; nesting is capped; nothing but `component-rejected` is thrown.
 *
 * Source: component-model `Binary.md`, "Component Definitions".
 *
 * @module
 */

import { beginsWith, COMPONENT_PREAMBLE, CORE_PREAMBLE, PREAMBLE_BYTES } from "../core-wasm/format.ts";
import { BUILD_FAULTS } from "./build-faults.ts";
import { COMPONENT_LIMITS } from "../contract/component-limits.ts";
import { ByteReader } from "./byte-reader.ts";
import { readCoreModule } from "./core/read-module.ts";
import type {
  Component,
  CoreInlineExport,
  CoreInstance,
  CoreInstantiateArgument,
  Definition,
  ExportDefinition,
  Instance,
  NamedItem,
} from "./model.ts";
import { readCanon } from "./read-canons.ts";
import {
  RARE_ADVICE,
  readAlias,
  readCoreSort,
  readExternDescription,
  readExternName,
  readImport,
  readSort,
  readSortIndex,
} from "./read-externs.ts";
import { readTypeDefinition } from "./read-types.ts";

/** How deep components may be nested; toolchains need two. */
export const COMPONENT_NESTING_MAX: number = COMPONENT_LIMITS.componentNesting;

const CORE_INSTANCE_SORT = 0x12;

/** Numbers nested components and core modules of one component, for paths. */
interface Counters {
  modules: number;
  components: number;
}

/** Reads a component's file. The result holds views of `bytes`. */
export function readComponent(bytes: Uint8Array): Component {
  return readNested(ByteReader.of(bytes, "component"), 0);
}

function readNested(reader: ByteReader, depth: number): Component {
  const place = reader.place();
  const byteLength = reader.rest().length;
  checkPreamble(reader);
  const definitions: Definition[] = [];
  const counters: Counters = { modules: 0, components: 0 };
  while (!reader.atEnd) {
    const id = reader.u8();
    const length = reader.u32();
    const section = reader.sub(length, pathOf(id, reader.path, counters));
    for (const definition of readSection(id, section, depth)) definitions.push(definition);
    if (!section.atEnd && id !== 0) throw section.malformed(`section ${id} is longer than its content`);
  }
  return { place, byteLength, definitions };
}

function checkPreamble(reader: ByteReader): void {
  const preamble = reader.bytes(PREAMBLE_BYTES);
  if (beginsWith(preamble, CORE_PREAMBLE)) {
    throw reader.unsupported("a core module in place of a component", BUILD_FAULTS.coreModule.remedy);
  }
  if (!beginsWith(preamble, COMPONENT_PREAMBLE)) {
    throw reader.malformed("it does not begin with the preamble of a component");
  }
}

function pathOf(id: number, path: string, counters: Counters): string {
  if (id === 1) return `${path} > core module ${counters.modules++}`;
  if (id === 4) return `${path} > component ${counters.components++}`;
  return path;
}

function readSection(id: number, section: ByteReader, depth: number): Definition[] {
  const place = section.place();
  switch (id) {
    case 0:
      return [];
    case 1:
      return [{ kind: "core-module", place, module: readCoreModule(section) }];
    case 2:
      return section.vector((item) => ({
        kind: "core-instance",
        place: item.place(),
        instance: readCoreInstance(item),
      }));
    case 3:
      throw section.unsupported("a core type definition", RARE_ADVICE);
    case 4:
      return [{ kind: "component", place, component: readNested(section, nest(section, depth)) }];
    case 5:
      return section.vector((item) => ({ kind: "instance", place: item.place(), instance: readInstance(item) }));
    case 6:
      return section.vector(readAlias);
    case 7:
      return section.vector((item) => ({ kind: "type", place: item.place(), type: readTypeDefinition(item, 0) }));
    case 8:
      return section.vector((item) => ({ kind: "canon", place: item.place(), canon: readCanon(item) }));
    case 9:
      throw section.unsupported("a start function of a component", "do the work in the first request");
    case 10:
      return section.vector(readImport);
    case 11:
      return section.vector(readExport);
    case 12:
      throw section.unsupported("a value definition", RARE_ADVICE);
    default:
      throw section.malformed(`section ${id} does not exist`);
  }
}

function nest(reader: ByteReader, depth: number): number {
  if (depth < COMPONENT_NESTING_MAX) return depth + 1;
  throw reader.unsupported(`nesting components more than ${COMPONENT_NESTING_MAX} deep`, "compose fewer components");
}

function readCoreInstance(reader: ByteReader): CoreInstance {
  const code = reader.u8();
  if (code === 0) return { kind: "instantiate", module: reader.u32(), args: reader.vector(readCoreArgument) };
  if (code === 1) return { kind: "inline", exports: reader.vector(readCoreInlineExport) };
  throw reader.malformed(`0x${code.toString(16)} is not a core instance`);
}

function readCoreArgument(reader: ByteReader): CoreInstantiateArgument {
  const name = reader.name();
  if (reader.u8() !== CORE_INSTANCE_SORT)
    throw reader.malformed("a core module is given something else than an instance");
  return { name, instance: reader.u32() };
}

function readCoreInlineExport(reader: ByteReader): CoreInlineExport {
  return { name: reader.name(), sort: readCoreSort(reader), index: reader.u32() };
}

function readInstance(reader: ByteReader): Instance {
  const code = reader.u8();
  if (code === 0) return { kind: "instantiate", component: reader.u32(), args: reader.vector(readArgument) };
  if (code === 1) return { kind: "inline", exports: reader.vector(readInlineExport) };
  throw reader.malformed(`0x${code.toString(16)} is not an instance`);
}

function readArgument(reader: ByteReader): NamedItem {
  return { name: reader.name(), ...readSortIndex(reader) };
}

function readInlineExport(reader: ByteReader): NamedItem {
  return { name: readExternName(reader), sort: readSort(reader), index: reader.u32() };
}

function readExport(reader: ByteReader): ExportDefinition {
  const place = reader.place();
  const name = readExternName(reader);
  const item = readSortIndex(reader);
  const presence = reader.u8();
  if (presence > 1) throw reader.malformed("an export's type is neither there nor absent");
  const ascribed = presence === 1 ? readExternDescription(reader) : undefined;
  return { kind: "export", place, name, ...item, ascribed };
}
