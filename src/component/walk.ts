/**
 * Walks over everything that a component holds, nested components and type declarations included.
 *
 * @module
 */

import type { Component, Declaration, Definition } from "./model.ts";

/** A definition or declaration, wherever it stands. */
export type AnyDefinition = Definition | Declaration;

/** Yields every definition in the file's order; what holds others comes before them. Nesting was capped when reading. */
export function* walkDefinitions(component: Component): Generator<AnyDefinition> {
  yield* walk(component.definitions);
}

function* walk(definitions: readonly AnyDefinition[]): Generator<AnyDefinition> {
  for (const definition of definitions) {
    yield definition;
    if (definition.kind === "component") yield* walk(definition.component.definitions);
    if (definition.kind === "type" && "declarations" in definition.type) yield* walk(definition.type.declarations);
  }
}
