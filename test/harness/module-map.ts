/**
 * What is wrong between a folder's files and the map of its modules: which may import which.
 *
 * @module
 */

import { type SourceFile, targetsOf } from "./source-tree.ts";

/** Module → the modules that it may import; itself always. The order is from the top down. */
export type ModuleMap = Readonly<Record<string, readonly string[]>>;

/** Files of a folder, and the module that each belongs to. */
export interface MappedTree {
  readonly files: ReadonlyMap<string, SourceFile>;
  readonly moduleOf: (path: string) => string;
}

/** Modules that the map does not have, and entries of the map that no file belongs to. */
export function mapDifferences(map: ModuleMap, { files, moduleOf }: MappedTree): string[] {
  const modules = new Set([...files.keys()].map(moduleOf));
  return [
    ...[...modules].filter((name) => !Object.hasOwn(map, name)).map((name) => `${name} is not on the map`),
    ...Object.keys(map)
      .filter((name) => !modules.has(name))
      .map((name) => `${name} has no files`),
  ];
}

/** Imports that the map itself allows, though they do not go down. */
export function upwardEdges(map: ModuleMap): string[] {
  const order = Object.keys(map);
  return Object.entries(map).flatMap(([name, targets]) =>
    targets.filter((target) => order.indexOf(target) <= order.indexOf(name)).map((target) => `${name} → ${target}`),
  );
}

/** Imports between modules that the map does not allow. */
export function forbiddenImports(map: ModuleMap, { files, moduleOf }: MappedTree): string[] {
  return [...files.values()].flatMap((file) => {
    const from = moduleOf(file.path);
    return targetsOf(file)
      .filter((target) => moduleOf(target) !== from && map[from]?.includes(moduleOf(target)) !== true)
      .map((target) => `${file.path} → ${target}`);
  });
}

/** What the map allows and no file uses. */
export function idleEdges(map: ModuleMap, { files, moduleOf }: MappedTree): string[] {
  const used = new Set(
    [...files.values()].flatMap((file) =>
      targetsOf(file).map((target) => `${moduleOf(file.path)} → ${moduleOf(target)}`),
    ),
  );
  return Object.entries(map).flatMap(([name, targets]) =>
    targets.map((target) => `${name} → ${target}`).filter((edge) => !used.has(edge)),
  );
}
