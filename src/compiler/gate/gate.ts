/**
 * The gate: what a component must be before any code generator sees its bytes. Pure; refuses by one
 * `component-rejected` that names the rule, the place and what to do.
 *
 * It is not a validator: a component may pass and still be invalid; the transpiler, which comes next in the
 * same throw-away process, validates all of it.
 *
 * @module
 */

import { readComponent } from "../../component/read-component.ts";
import { rejection } from "../../component/rejection.ts";
import { Scope } from "../../component/scope.ts";
import { walkDefinitions } from "../../component/walk.ts";
import { REPLICA_LIMITS } from "../../contract/limits.ts";
import { checkLimits } from "./check-limits.ts";
import { checkNames } from "./check-names.ts";
import { checkWorld } from "./check-world.ts";
import type { ComponentSummary } from "./summary.ts";

/** Checks a component's file. */
export function passGate(bytes: Uint8Array): ComponentSummary {
  // No replica allows more. What each allows is checked before.
  const { max } = REPLICA_LIMITS.componentBytes;
  if (bytes.length > max) {
    throw rejection(
      `the file has ${bytes.length} bytes; at most ${max} are allowed`,
      { offset: max, path: "component" },
      "strip debug information from it or link less into it",
    );
  }
  const component = readComponent(bytes);
  // In this order: what later rules quote and loop over is bounded and safe by then.
  const counts = checkLimits(component);
  checkNames(component);
  const scope = Scope.of(component);
  checkWorld(scope);
  return {
    componentBytes: bytes.length,
    imports: scope.imports.map(({ name }) => name),
    exports: scope.exports.map(({ name }) => name),
    coreModules: counts.coreModules,
    memories: Math.max(1, counts.memories),
    initialMemoryBytes: counts.initialMemoryBytes,
    tables: counts.tables,
    makesObjects: walkDefinitions(component).some(
      (definition) =>
        definition.kind === "core-module" && (definition.module.types.objects > 0 || definition.module.tags > 0),
    ),
  };
}
