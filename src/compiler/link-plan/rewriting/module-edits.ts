/**
 * What is added to a core module: globals, functions, exports and imported memories. Whatever the module has keeps its index.
 *
 * @module
 */

import type { Allocation, CoreModule } from "../../../component/core/model.ts";
import { type BitType, HOST_MODULE } from "../../../contract/link-plan.ts";
import { ByteWriter } from "../../../core-wasm/byte-writer.ts";
import {
  type CoreExternKind,
  BIT_TYPE,
  EXTERN_KIND,
  LIMITS_FLAG,
  MUTABLE,
  OPCODE,
  SECTION,
} from "../../../core-wasm/format.ts";
import { exportOf, functionType } from "../../../core-wasm/module-writer.ts";
import { refusal } from "../refusal.ts";
import { Sections } from "./sections.ts";

/** The size of a memory, in pages. */
export interface MemoryLimits {
  readonly minPages: number;
  readonly maxPages: number | undefined;
  readonly shared: boolean;
}

export class ModuleEdits {
  readonly module: CoreModule;
  readonly sections: Sections;
  readonly #taken: Set<string>;
  /** Asked for very often, and there may be very many imports. */
  readonly #imported = new Map<CoreExternKind, number>();
  readonly #importedMemories: ByteWriter[] = [];
  #addedTypes = 0;

  constructor(module: CoreModule) {
    if (module.imports.some((item) => item.module === HOST_MODULE))
      throw refusal(`a core module imports from ${JSON.stringify(HOST_MODULE)}`);
    for (const { kind } of module.imports) this.#imported.set(kind, this.imported(kind) + 1);
    this.module = module;
    this.sections = new Sections(module);
    this.#taken = new Set(module.exports.map(({ name }) => name));
  }

  /** The number of imports of a kind that the component gives to the module. */
  imported(kind: CoreExternKind): number {
    return this.#imported.get(kind) ?? 0;
  }

  /** Adds a mutable `i32`; returns the global's index. */
  addGlobal(initial: number): number {
    const global = new ByteWriter().u8(BIT_TYPE.i32, MUTABLE, OPCODE.i32Const).s32(initial).u8(OPCODE.end);
    return this.imported("global") + this.sections.appendItem(SECTION.global, global);
  }

  /** Adds a function; `body` is its locals and its code, with the `end`. Returns the function's index. */
  addFunction(params: readonly BitType[], results: readonly BitType[], body: ByteWriter): number {
    this.sections.appendItem(SECTION.type, functionType(params, results));
    // Not the place in the section, since a group of types there is one item.
    const type = this.module.types.types + this.#addedTypes;
    this.#addedTypes += 1;
    this.sections.appendItem(SECTION.code, new ByteWriter().sized(body));
    return this.imported("func") + this.sections.appendItem(SECTION.function, new ByteWriter().u32(type));
  }

  /** Refuses a module that exports something of that name. */
  addExport(name: string, kind: CoreExternKind, index: number): void {
    if (this.#taken.has(name)) throw refusal(`a core module exports ${JSON.stringify(name)}`);
    this.sections.appendItem(SECTION.export, exportOf(name, kind, index));
  }

  /**
   * Imports a memory from {@link HOST_MODULE}; returns its index, behind the memories that the module has. Imported memories
   * stand before a module's own. So that these keep their indices, the module imports them from then on, too, as
   * {@link ownMemoryName} has it: whoever instantiates the module makes them.
   */
  importMemory(name: string, limits: MemoryLimits): number {
    const place = this.#importedMemories.push(memoryImport(name, limits)) - 1;
    return this.imported("memory") + this.module.memories.length + place;
  }

  /** Does the module import its own memories? See {@link importMemory}. */
  get importsItsMemories(): boolean {
    return this.#importedMemories.length > 0 && this.module.memories.length > 0;
  }

  /** The new module. */
  finish(): Uint8Array {
    if (this.#importedMemories.length > 0) {
      const own = this.module.memories.map((memory, index) => memoryImport(ownMemoryName(index), limitsOf(memory)));
      for (const item of [...own, ...this.#importedMemories]) this.sections.appendItem(SECTION.import, item);
      this.sections.remove(SECTION.memory);
    }
    return this.sections.finish();
  }
}

/** The name under which a module exports, and perhaps imports, its own memory of an index that does not count imports. */
export function ownMemoryName(index: number): string {
  return `state memory ${index}`;
}

/** The limits of a memory that the gate has admitted. */
export function limitsOf({ min, max, shared, wide, pageSizeLog2 }: Allocation): MemoryLimits {
  if (wide || pageSizeLog2 !== 16) throw refusal("it has a memory of 64-bit addresses or of another page size");
  return { minPages: Number(min), maxPages: max === undefined ? undefined : Number(max), shared };
}

function memoryImport(name: string, { minPages, maxPages, shared }: MemoryLimits): ByteWriter {
  const flags = (maxPages === undefined ? 0 : LIMITS_FLAG.hasMax) + (shared ? LIMITS_FLAG.shared : 0);
  const item = new ByteWriter().name(HOST_MODULE).name(name).u8(EXTERN_KIND.memory, flags).u32(minPages);
  return maxPages === undefined ? item : item.u32(maxPages);
}
