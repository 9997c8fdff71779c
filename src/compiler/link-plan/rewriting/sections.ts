/**
 * A core module as its sections, while it is written anew. Nothing is renumbered: what is added stands behind what was there.
 *
 * @module
 */

import { ByteReader } from "../../../component/byte-reader.ts";
import type { CoreModule } from "../../../component/core/model.ts";
import { ByteWriter } from "../../../core-wasm/byte-writer.ts";
import { PREAMBLE_BYTES, SECTION, SECTION_ORDER } from "../../../core-wasm/format.ts";
import { encodeModule, type WrittenSection } from "../../../core-wasm/module-writer.ts";

/** A section of a module: its number and its content. */
interface Section {
  readonly id: number;
  content: Uint8Array;
}

function sectionsOf(module: CoreModule): Section[] {
  const reader = ByteReader.of(module.bytes, module.place.path);
  reader.skip(PREAMBLE_BYTES);
  const sections: Section[] = [];
  while (!reader.atEnd) {
    const id = reader.u8();
    sections.push({ id, content: reader.bytes(reader.u32()) });
  }
  return sections;
}

export class Sections {
  readonly #path: string;
  readonly #sections: Section[];
  /** All but custom ones, of which there may be very many: of the others, a module has at most one each. */
  readonly #known: Map<number, Section>;
  /** Items to put behind those of a section. */
  readonly #added = new Map<number, ByteWriter[]>();

  constructor(module: CoreModule) {
    this.#path = module.place.path;
    this.#sections = sectionsOf(module);
    this.#known = new Map(this.#sections.filter(({ id }) => id !== SECTION.custom).map((known) => [known.id, known]));
  }

  /** A reader of a section's content, without what was added; `undefined` where the module has no such section. */
  read(id: number): ByteReader | undefined {
    const section = this.#find(id);
    return section === undefined ? undefined : ByteReader.of(section.content, this.#path);
  }

  /** Adds an item to the vector that a section is; returns its place in the vector. */
  appendItem(id: number, item: ByteWriter): number {
    const items = this.#added.get(id) ?? [];
    this.#added.set(id, items);
    items.push(item);
    return (this.read(id)?.u32() ?? 0) + items.length - 1;
  }

  /** Replaces the content of a section that the module has. What was added still stands behind it. */
  replace(id: number, content: Uint8Array): void {
    const section = this.#find(id);
    if (section !== undefined) section.content = content;
  }

  remove(id: number): void {
    const found = this.#sections.findIndex((section) => section.id === id);
    if (found !== -1) this.#sections.splice(found, 1);
    this.#known.delete(id);
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
    return this.#known.get(id);
  }

  #insert(id: number): void {
    const place = this.#sections.findIndex((section) => SECTION_ORDER.indexOf(section.id) > SECTION_ORDER.indexOf(id));
    const inserted: Section = { id, content: Uint8Array.of(0) };
    this.#known.set(id, inserted);
    this.#sections.splice(place === -1 ? this.#sections.length : place, 0, inserted);
  }

  #extended(id: number, content: Uint8Array): WrittenSection {
    const added = id === SECTION.custom ? undefined : this.#added.get(id);
    if (added === undefined) return { id, content: new ByteWriter().bytes(content) };
    const reader = ByteReader.of(content, this.#path);
    const section = new ByteWriter().u32(reader.u32() + added.length).bytes(reader.rest());
    for (const item of added) section.append(item);
    return { id, content: section };
  }
}

function hasName(content: Uint8Array, name: string): boolean {
  return ByteReader.of(content, "custom section").name() === name;
}
