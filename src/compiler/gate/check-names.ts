/**
 * Rule: every name in the component is made of safe characters only.
 *
 * @module
 */

import type { CoreModule } from "../../component/core/model.ts";
import type { Component, Definition, TypeDefinition } from "../../component/model.ts";
import { type Place, quote, rejection } from "../../component/rejection.ts";
import { type AnyDefinition, walkDefinitions } from "../../component/walk.ts";
import { isSafeLabel, isSafeName, SAFE_NAME_CHARACTERS } from "./names.ts";

/** Throws `component-rejected` at the first name that is not safe. */
export function checkNames(component: Component): void {
  for (const definition of walkDefinitions(component)) checkDefinition(definition);
}

function checkDefinition(definition: AnyDefinition): void {
  const { place } = definition;
  switch (definition.kind) {
    case "core-module":
      checkCoreModule(definition.module);
      break;
    case "core-instance":
      checkCoreInstance(definition);
      break;
    case "instance":
      for (const { name } of instanceNames(definition.instance))
        checkName(name, "an instance's argument or export", place);
      break;
    case "alias":
      if (definition.target !== "outer") checkName(definition.name, "an alias", place);
      break;
    case "type":
      checkTypeNames(definition.type, place);
      break;
    case "import":
      checkName(definition.name, "an import", place);
      break;
    case "export":
    case "export-declaration":
      checkName(definition.name, "an export", place);
      break;
    case "component":
    case "canon":
      break;
  }
}

function checkCoreModule(module: CoreModule): void {
  for (const { module: from, name, place } of module.imports) {
    checkName(from, "a core import's module", place);
    checkName(name, "a core import", place);
  }
  for (const { name, place } of module.exports) checkName(name, "a core export", place);
}

function checkCoreInstance({ instance, place }: Extract<Definition, { kind: "core-instance" }>): void {
  const named = instance.kind === "instantiate" ? instance.args : instance.exports;
  for (const { name } of named) checkName(name, "a core instance's argument or export", place);
}

function instanceNames(instance: Extract<Definition, { kind: "instance" }>["instance"]): readonly { name: string }[] {
  return instance.kind === "instantiate" ? instance.args : instance.exports;
}

function checkTypeNames(type: TypeDefinition, place: Place): void {
  for (const name of labelsOf(type)) {
    if (isSafeLabel(name)) continue;
    throw rejection(
      `the field, case or parameter ${quote(name)} is not a name of WIT`,
      place,
      "use letters and digits in words joined by '-'",
    );
  }
}

function labelsOf(type: TypeDefinition): readonly string[] {
  switch (type.kind) {
    case "record":
      return type.fields.map(({ name }) => name);
    case "variant":
      return type.cases.map(({ name }) => name);
    case "flags":
    case "enum":
      return type.names;
    case "func":
      return type.params.map(({ name }) => name);
    case "primitive":
    case "list":
    case "tuple":
    case "option":
    case "result":
    case "own":
    case "borrow":
    case "resource":
    case "component-type":
    case "instance-type":
      break;
  }
  return [];
}

function checkName(name: string, what: string, place: Place): void {
  if (isSafeName(name)) return;
  throw rejection(
    `the name ${quote(name)} of ${what} is not safe: only ${SAFE_NAME_CHARACTERS} are allowed`,
    place,
    "rename the symbol in the plugin's source and build it again",
  );
}
