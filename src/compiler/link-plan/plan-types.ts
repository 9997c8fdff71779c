/**
 * Evaluates type definitions to the plan's types: references are resolved, names of types are gone, and equal
 * types become one. Resource types are never equal by structure: each definition and each import makes its own
 * (component-model `Explainer.md`, "Type Definitions").
 *
 * @module
 */

import type { FunctionType, TypeDefinition, ValueType } from "../../component/model.ts";
import type { PlanItem, PlanType, PlanTypeDefinition } from "../../contract/link-plan.ts";
import type { PlanDraft } from "./draft.ts";
import { refusal } from "./refusal.ts";
import { entry, type PlannedType, type Spaces } from "./spaces.ts";

/** Evaluates one definition in its spaces. */
export function planType(draft: PlanDraft, spaces: Spaces, definition: TypeDefinition): PlannedType {
  switch (definition.kind) {
    case "primitive":
      return { kind: "value", type: definition.type };
    case "func":
      return { kind: "func", signature: planSignature(draft, spaces, definition) };
    case "resource":
      return { kind: "resource", resource: defineResource(draft, spaces, definition.destructor) };
    case "component-type":
    case "instance-type":
      return { kind: definition.kind, definition, spaces };
    case "record":
    case "variant":
    case "list":
    case "tuple":
    case "flags":
    case "enum":
    case "option":
    case "result":
    case "own":
    case "borrow":
      return { kind: "value", type: draft.types.add(planValueDefinition(spaces, definition)) };
  }
}

function planSignature(draft: PlanDraft, spaces: Spaces, { params, result }: FunctionType): number {
  return draft.signatures.add({
    params: params.map(({ type }) => valueType(spaces, type)),
    result: optionalType(spaces, result),
  });
}

function defineResource(draft: PlanDraft, spaces: Spaces, destructor: number | undefined): number {
  const item: PlanItem | null = destructor === undefined ? null : entry(spaces.coreItems("func"), destructor, "func");
  return draft.addResource({ kind: "defined", component: spaces.component, destructor: item });
}

type ValueDefinition = Exclude<
  TypeDefinition,
  { kind: "primitive" | "func" | "resource" | "component-type" | "instance-type" }
>;

function planValueDefinition(spaces: Spaces, definition: ValueDefinition): PlanTypeDefinition {
  switch (definition.kind) {
    case "record":
      return { kind: "record", fields: definition.fields.map(({ name, type }) => [name, valueType(spaces, type)]) };
    case "variant":
      return { kind: "variant", cases: definition.cases.map(({ name, type }) => [name, optionalType(spaces, type)]) };
    case "list":
      return { kind: "list", element: valueType(spaces, definition.element) };
    case "tuple":
      return { kind: "tuple", elements: definition.elements.map((type) => valueType(spaces, type)) };
    case "flags":
    case "enum":
      return { kind: definition.kind, names: definition.names };
    case "option":
      return { kind: "option", some: valueType(spaces, definition.some) };
    case "result":
      return { kind: "result", ok: optionalType(spaces, definition.ok), err: optionalType(spaces, definition.err) };
    case "own":
    case "borrow":
      return { kind: definition.kind, resource: resourceAt(spaces, definition.resource) };
  }
}

function valueType(spaces: Spaces, type: ValueType): PlanType {
  if (typeof type === "string") return type;
  const planned = entry(spaces.types, type, "type");
  if (planned.kind !== "value") throw refusal(`type ${type} is not the type of a value`);
  return planned.type;
}

function optionalType(spaces: Spaces, type: ValueType | undefined): PlanType | null {
  return type === undefined ? null : valueType(spaces, type);
}

/** The resource type at an index. */
export function resourceAt(spaces: Spaces, index: number): number {
  const planned = entry(spaces.types, index, "type");
  if (planned.kind !== "resource") throw refusal(`type ${index} is not a resource`);
  return planned.resource;
}

/** The function type at an index. */
export function signatureAt(spaces: Spaces, index: number): number {
  const planned = entry(spaces.types, index, "type");
  if (planned.kind !== "func") throw refusal(`type ${index} is not the type of a function`);
  return planned.signature;
}
