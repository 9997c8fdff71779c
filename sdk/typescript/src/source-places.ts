/**
 * Places in a bundle → places in the author's files, while building.
 *
 * @module
 */

import { SourceMap } from "node:module";
import { join, relative, resolve } from "node:path";
import { PACKAGE_FOLDER } from "./contract.ts";

interface Map {
  readonly sources: readonly string[];
  readonly mappings: string;
}

/** How the engines name the bundle: QuickJS always the same, StarlingMonkey by its file. */
export const BUNDLE_FILE = "network-plugin.js";
const PLACE = /(?:componentize-qjs:user\.js|network-plugin\.js):(\d+):(\d+)/g;

/** A bundle's source map, with the names of files as the author knows them. */
export class SourcePlaces {
  readonly #map: SourceMap;
  readonly #sources: readonly string[];
  readonly #mappings: string;

  /** @param folder where the author works; rolldown's sources are relative to its `dist` */
  constructor(map: Map | null, folder: string) {
    if (map === null) throw new Error("the bundle has no source map");
    this.#sources = map.sources.map((source) => (source.includes("\0") ? "" : nameOf(source, folder)));
    this.#mappings = map.mappings;
    this.#map = new SourceMap({
      version: 3,
      file: BUNDLE_FILE,
      names: [],
      sourceRoot: "",
      sourcesContent: [],
      sources: [...this.#sources],
      mappings: map.mappings,
    });
  }

  /** What a plugin carries to name places itself. */
  authorsPart(): Map {
    return { sources: this.#sources, mappings: this.#mappings };
  }

  /** The first place of a message that is the author's: `file:line:column`. */
  first(message: string): string | undefined {
    for (const [, line, column] of message.matchAll(PLACE)) {
      const found = this.#find(Number(line), Number(column));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #find(line: number, column: number): string | undefined {
    const entry = this.#map.findEntry(line - 1, column - 1);
    if (!("originalSource" in entry) || !entry.originalSource) return undefined;
    return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  }
}

/** Files of this package have no name: they are nothing that the author could change. */
function nameOf(source: string, folder: string): string {
  const path = resolve(folder, "dist", source);
  if (path.startsWith(join(PACKAGE_FOLDER, "/"))) return "";
  return relative(folder, path);
}
