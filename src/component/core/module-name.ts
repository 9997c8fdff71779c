/**
 * What a core module calls itself: the name in its custom section `name`, if it has one (WebAssembly core specification,
 * appendix "Custom Sections"). Toolchains write `main` and `wit-component:adapter:…` there, or a crate's name.
 *
 * @module
 */

import { PREAMBLE_BYTES, SECTION } from "../../core-wasm/format.ts";
import { ByteReader } from "../byte-reader.ts";

const MODULE_NAME = 0;

/** The name, or `undefined` where there is none that can be read. */
export function moduleNameOf(module: Uint8Array): string | undefined {
  try {
    return findName(ByteReader.of(module, "core module"));
  } catch {
    return undefined;
  }
}

function findName(reader: ByteReader): string | undefined {
  reader.bytes(PREAMBLE_BYTES);
  while (!reader.atEnd) {
    const id = reader.u8();
    const section = reader.sub(reader.u32());
    if (id !== SECTION.custom || section.name() !== "name" || section.atEnd) continue;
    // It is the first of the section's parts, where it is there.
    return section.u8() === MODULE_NAME ? section.sub(section.u32()).name() : undefined;
  }
  return undefined;
}
