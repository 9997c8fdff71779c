/**
 * A core module as its sections and function bodies, for whoever writes it anew.
 *
 * @module
 */

import { ByteReader } from "../../component/byte-reader.ts";
import type { CoreModule } from "../../component/core/model.ts";
import { PREAMBLE_BYTES, SECTION } from "../../core-wasm/format.ts";

/** A section of a module: its number, its content's range, and the content. */
export interface Section {
  readonly id: number;
  readonly content: Uint8Array;
}

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
