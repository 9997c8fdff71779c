/**
 * What the outermost component imports, as its types say it: interfaces of functions and resources that the
 * host has. Each resource that is imported is a type of its own.
 *
 * @module
 */

import type { Declaration, ExternDescription } from "../../component/model.ts";
import type { PlanDraft } from "./draft.ts";
import { planType, signatureAt } from "./plan-types.ts";
import { refusal } from "./refusal.ts";
import { entry, type PlannedExports, type PlannedItem, Spaces } from "./spaces.ts";

/** The item that the host gives for an import. Only interfaces, and types of what is in them, are available. */
export function planImport(
  draft: PlanDraft,
  spaces: Spaces,
  name: string,
  description: ExternDescription,
): PlannedItem {
  switch (description.sort) {
    case "instance": {
      const type = entry(spaces.types, description.type, "type");
      if (type.kind !== "instance-type") throw refusal(`import ${name} is not of an instance's type`);
      return { sort: "instance", value: importInterface(draft, type.definition.declarations, type.spaces, name) };
    }
    case "type":
      if (description.bound === "equal") return spaces.item("type", description.type);
      throw refusal(`it imports the resource ${name} outside of an interface`);
    case "func":
      throw refusal(`it imports the function ${name} outside of an interface`);
    case "component":
      throw refusal(`it imports the component ${name}`);
  }
}

function importInterface(
  draft: PlanDraft,
  declarations: readonly Declaration[],
  parent: Spaces,
  name: string,
): PlannedExports {
  const spaces = new Spaces(parent.component, parent);
  const exports = new Map<string, PlannedItem>();
  for (const declaration of declarations) {
    switch (declaration.kind) {
      case "type":
        spaces.types.push(planType(draft, spaces, declaration.type));
        break;
      case "alias":
        if (declaration.target !== "outer" || declaration.sort !== "type")
          throw refusal(`the interface ${name} holds an alias of something else than an outer type`);
        spaces.types.push(entry(spaces.outer(declaration.count).types, declaration.index, "type"));
        break;
      case "export-declaration": {
        const item = importMember(draft, spaces, name, declaration.name, declaration.description);
        exports.set(declaration.name, item);
        spaces.push(item);
        break;
      }
      case "import":
        throw refusal(`the interface ${name} imports something`);
    }
  }
  return exports;
}

function importMember(
  draft: PlanDraft,
  spaces: Spaces,
  from: string,
  name: string,
  description: ExternDescription,
): PlannedItem {
  switch (description.sort) {
    case "func": {
      const signature = signatureAt(spaces, description.type);
      return { sort: "func", value: { kind: "import", interface: from, name, signature } };
    }
    case "type":
      if (description.bound === "equal") return spaces.item("type", description.type);
      return {
        sort: "type",
        value: { kind: "resource", resource: draft.addResource({ kind: "imported", interface: from, name }) },
      };
    case "instance":
    case "component":
      throw refusal(`the interface ${from} holds the ${description.sort} ${name}`);
  }
}
