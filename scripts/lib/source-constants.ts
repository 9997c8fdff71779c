/**
 * The numbers that a source file names, read from its text: documentation shows them as they are, and none of them has to be
 * exported for that.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseAst } from "rolldown/parseAst";

interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

/**
 * Reads the top-level constants of a file that are numbers, and those of their objects as `NAME.key`; those that it imports
 * from files beside it, too.
 */
export async function readConstants(path: string): Promise<ReadonlyMap<string, number>> {
  const { body } = parseAst(await readFile(path, "utf8"), { lang: "ts" }) as unknown as { body: Node[] };
  const constants = new Map<string, number>();
  for (const statement of body) {
    await keepImported(statement, path, constants);
    const declaration =
      statement.type === "ExportNamedDeclaration" ? (statement["declaration"] as Node | null) : statement;
    if (declaration?.type !== "VariableDeclaration") continue;
    for (const { id, init } of declaration["declarations"] as { id: { name?: string }; init: Node | null }[]) {
      if (id.name !== undefined && init !== null) keep(id.name, init, constants);
    }
  }
  return constants;
}

async function keepImported(statement: Node, path: string, constants: Map<string, number>): Promise<void> {
  const { value: source } = (statement["source"] ?? {}) as { value?: string };
  if (statement.type !== "ImportDeclaration" || source?.startsWith(".") !== true) return;
  const imported = await readConstants(join(dirname(path), source));
  for (const specifier of statement["specifiers"] as { imported?: { name: string }; local: { name: string } }[]) {
    const value = specifier.imported === undefined ? undefined : imported.get(specifier.imported.name);
    if (value !== undefined) constants.set(specifier.local.name, value);
  }
}

function keep(name: string, node: Node, constants: Map<string, number>): void {
  const inner = unwrapped(node);
  if (inner.type === "ObjectExpression") {
    for (const { key, value } of inner["properties"] as { key?: { name?: string }; value?: Node }[]) {
      if (key?.name !== undefined && value !== undefined) keep(`${name}.${key.name}`, value, constants);
    }
    return;
  }
  const value = valueOf(inner, constants);
  if (value !== undefined) constants.set(name, value);
}

/** `1 as const` and `1 satisfies number` are 1. */
function unwrapped(node: Node): Node {
  const isTyped = node.type === "TSAsExpression" || node.type === "TSSatisfiesExpression";
  return isTyped ? unwrapped(node["expression"] as Node) : node;
}

/** `undefined` for what is not made of numbers and of constants that stand before it. */
function valueOf(node: Node, constants: ReadonlyMap<string, number>): number | undefined {
  switch (node.type) {
    case "Literal":
      return typeof node["value"] === "number" ? node["value"] : undefined;
    case "Identifier":
      return constants.get(node["name"] as string);
    case "BinaryExpression": {
      const left = valueOf(node["left"] as Node, constants);
      const right = valueOf(node["right"] as Node, constants);
      if (left === undefined || right === undefined) return undefined;
      return OPERATORS[node["operator"] as string]?.(left, right);
    }
    default:
      return undefined;
  }
}

const OPERATORS: Readonly<Record<string, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "**": (left, right) => left ** right,
};
