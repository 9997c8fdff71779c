/**
 * The commands of a `.wast` script on components: definitions, instances, calls, and what is said of them.
 *
 * @module
 */

import { type Expression, type List, readExpressions, wordAt } from "./expression.ts";

/** A component as a script writes it: text for the assembler. */
export interface ComponentSource {
  readonly name: string | undefined;
  /** `(component …)`, or what a `quote` holds. */
  readonly text: string;
  /** Is it written as bytes? */
  readonly isBinary: boolean;
}

/** A call of an exported function; without an instance's name, of the last one. */
export interface Invocation {
  readonly instance: string | undefined;
  readonly func: string;
  readonly args: readonly List[];
}

export type Command = { readonly line: number } & (
  | { readonly kind: "definition"; readonly component: ComponentSource }
  /** Defines and instantiates it at once. */
  | { readonly kind: "component"; readonly component: ComponentSource }
  | { readonly kind: "instance"; readonly name: string | undefined; readonly of: string | undefined }
  | { readonly kind: "invoke"; readonly call: Invocation }
  | { readonly kind: "returns"; readonly call: Invocation; readonly results: readonly List[] }
  | { readonly kind: "traps"; readonly call: Invocation }
  /** The component is not valid, or not even one. */
  | { readonly kind: "rejected"; readonly component: ComponentSource }
);

/** Reads a script. Throws for any other command. */
export function readScript(text: string): Command[] {
  let line = 1;
  let counted = 0;
  const commands: Command[] = [];
  for (const expression of readExpressions(text)) {
    for (; counted < expression.start; counted += 1) if (text[counted] === "\n") line += 1;
    commands.push({ line, ...command(expectList(expression), text) });
  }
  return commands;
}

type Unplaced<Placed> = Placed extends Command ? Omit<Placed, "line"> : never;

function command(list: List, text: string): Unplaced<Command> {
  const [, first, second] = list.items;
  switch (wordAt(list, 0) ?? "") {
    case "component":
      return componentCommand(list, text);
    case "invoke":
      return { kind: "invoke", call: invocation(list) };
    case "assert_return":
      return { kind: "returns", call: invocation(expectList(first)), results: list.items.slice(2).map(expectList) };
    case "assert_trap":
      return { kind: "traps", call: invocation(expectList(first)) };
    case "assert_invalid":
    case "assert_malformed":
      if (second?.kind !== "text") throw new Error("an assertion lacks its message");
      return { kind: "rejected", component: source(expectList(first), text) };
    default:
      throw new Error(`the command ${text.slice(list.start, list.start + 40)} is not known`);
  }
}

function componentCommand(list: List, text: string): Unplaced<Command> {
  switch (wordAt(list, 1) ?? "") {
    case "instance":
      return { kind: "instance", name: wordAt(list, 2), of: wordAt(list, 3) };
    case "definition":
      return { kind: "definition", component: source(list, text) };
    default:
      return { kind: "component", component: source(list, text) };
  }
}

function source(list: List, text: string): ComponentSource {
  const rest = list.items.slice(wordAt(list, 1) === "definition" ? 2 : 1);
  const name = rest[0]?.kind === "word" && rest[0].word.startsWith("$") ? rest.shift() : undefined;
  const nameText = name?.kind === "word" ? name.word : undefined;
  const [keyword] = rest;
  if (keyword?.kind === "word" && keyword.word === "quote") {
    const quoted = rest.slice(1).map((part) => (part.kind === "text" ? part.bytes.toString("utf8") : ""));
    return { name: nameText, text: `(component ${quoted.join(" ")})`, isBinary: false };
  }
  const body = keyword === undefined ? "" : text.slice(keyword.start, list.end - 1);
  const isBinary = keyword?.kind === "word" && keyword.word === "binary";
  return { name: nameText, text: `(component ${nameText ?? ""} ${body})`, isBinary };
}

/** `(invoke $instance? "function" value…)` */
function invocation(list: List): Invocation {
  const rest = list.items.slice(1);
  const instance = rest[0]?.kind === "word" ? rest.shift() : undefined;
  const [func, ...args] = rest;
  if (func?.kind !== "text") throw new Error("a call names no function");
  return {
    instance: instance?.kind === "word" ? instance.word : undefined,
    func: func.bytes.toString("utf8"),
    args: args.map(expectList),
  };
}

function expectList(expression: Expression | undefined): List {
  if (expression?.kind !== "list") throw new Error("a script has a word where a list is expected");
  return expression;
}
