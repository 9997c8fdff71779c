/**
 * Rule: a component has no tags, and so no exceptions. Exceptions live on V8's garbage-collected heap, with the values
 * that they carry, including other exceptions, and no limit of a plugin bounds that heap (see
 * `component/core/collected.ts`). Instructions that would catch an exception find none, and pass.
 *
 * @module
 */

import { BUILD_FAULTS } from "../../component/build-faults.ts";
import type { Component } from "../../component/model.ts";
import { rejection } from "../../component/rejection.ts";
import { walkDefinitions } from "../../component/walk.ts";

/** Throws `component-rejected` where a core module defines or imports a tag. */
export function checkExceptions(component: Component): void {
  for (const definition of walkDefinitions(component)) {
    if (definition.kind !== "core-module") continue;
    const { tags, imports, place } = definition.module;
    if (tags === 0 && !imports.some(({ kind }) => kind === "tag")) continue;
    throw rejection("exception handling (a tag) is not supported", place, BUILD_FAULTS.exceptions.remedy);
  }
}
