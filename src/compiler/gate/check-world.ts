/**
 * Rule: a component imports nothing but the contract's interfaces and those of WASI 0.2, with their exact
 * functions, and exports the contract's handler. Other exports may be there (language runtimes leave some);
 * nobody calls them, and they must not break the JavaScript around the component.
 *
 * @module
 */

import { CAPABILITIES } from "../../capabilities/capabilities.ts";
import { CONTRACT_VERSION, HANDLER, HANDLER_ID } from "../../contract/interface-names.ts";
import { parseInterfaceName } from "../../component/interface-name.ts";
import { type Place, quote, rejection } from "../../component/rejection.ts";
import type { NamedEntry, ResolvedInstance } from "../../component/resolved.ts";
import type { Scope } from "../../component/scope.ts";
import { INTERFACES } from "../../contract/generated/interfaces.ts";
import type { InterfaceShape } from "../../contract/wit-shapes.ts";
import { TypeMatcher } from "./match-type.ts";
import { isSafeExportName } from "./names.ts";

const CONTRACT_PACKAGE = "local:network-host/";

/** Any release of WASI 0.2: they only add to each other. */
const WASI_VERSION = /^0\.2\.[0-9]+$/;

const WIT_ADVICE = "build the plugin against the contract in wit/";

/** Throws `component-rejected` where the component does not fit the world of plugins. */
export function checkWorld(scope: Scope): void {
  checkImports(scope.imports);
  checkExports(scope.exports);
}

function checkImports(imports: readonly NamedEntry[]): void {
  const versions = new Map<string, string>();
  for (const entry of imports) {
    const { name, place } = entry;
    const { id, shape } = allowedInterface(name, place);
    const other = versions.get(id);
    if (other !== undefined) {
      throw rejection(
        `${quote(id)} is imported twice, as ${quote(other)} and ${quote(name)}`,
        place,
        "build all of the plugin with one version of WASI",
      );
    }
    versions.set(id, name);
    checkImport(entry, id, shape);
  }
}

function allowedInterface(name: string, place: Place): { id: string; shape: InterfaceShape } {
  const parsed = parseInterfaceName(name);
  const shape = parsed === undefined || parsed.id === HANDLER_ID ? undefined : ownProperty(INTERFACES, parsed.id);
  if (parsed === undefined || shape === undefined) {
    throw rejection(
      `the import ${quote(name)} is not offered to plugins`,
      place,
      "remove what needs it; plugins import logging, key-value-store and types of local:network-host@1.0.0 and WASI 0.2",
    );
  }
  const only = offeredVersion(parsed.id);
  const fits = only === undefined ? WASI_VERSION.test(parsed.version ?? "") : parsed.version === only;
  if (fits) return { id: parsed.id, shape };
  throw rejection(
    `the import ${quote(name)} has a version that is not offered`,
    place,
    `build against version ${only ?? "0.2.x"} of it`,
  );
}

/** The version that alone is offered of an interface; `undefined` where any of WASI 0.2 is. */
export function offeredVersion(id: string): string | undefined {
  if (id.startsWith(CONTRACT_PACKAGE)) return CONTRACT_VERSION;
  return CAPABILITIES.find(({ interfaces }) => interfaces.includes(id))?.version;
}

function checkImport({ name, item, place }: NamedEntry, id: string, shape: InterfaceShape): void {
  if (item.sort !== "instance") throw rejection(`the import ${quote(name)} is not an interface`, place, WIT_ADVICE);
  for (const [member, exported] of item.instance.exports) {
    if (exported.sort === "func") continue;
    if (exported.sort !== "type") {
      throw rejection(`${quote(member)} in the import ${quote(name)} is not a function or type`, place, WIT_ADVICE);
    }
    // An alias of a resource, as `headers` of `fields`, is known by the resource's own name.
    if (exported.type.kind !== "resource" || shape.resources.includes(exported.type.name)) continue;
    throw rejection(`the import ${quote(name)} has no resource ${quote(member)}`, place, WIT_ADVICE);
  }
  checkFunctions(item.instance, id, shape, `the import ${quote(name)}`, place);
}

/** Every function of the instance exists in the interface, with the same type. */
function checkFunctions(
  instance: ResolvedInstance,
  id: string,
  shape: InterfaceShape,
  what: string,
  place: Place,
): void {
  const matcher = new TypeMatcher(INTERFACES, place);
  for (const [member, item] of instance.exports) {
    if (item.sort !== "func") continue;
    const expected = ownProperty(shape.functions, member);
    if (expected === undefined) {
      throw rejection(
        `${what} has no function ${quote(member)}`,
        place,
        "build against the released version of its WIT",
      );
    }
    const difference = matcher.differenceOf(expected, item.type, id);
    if (difference === undefined) continue;
    throw rejection(`${quote(member)} of ${what} has another type than in WIT: ${difference}`, place, WIT_ADVICE);
  }
}

function checkExports(exports: readonly NamedEntry[]): void {
  const handler = exports.find(({ name }) => name === HANDLER);
  if (handler === undefined) {
    throw rejection(
      `the component does not export ${quote(HANDLER)}`,
      { offset: 0, path: "component" },
      "implement the world network-plugin of wit/world.wit",
    );
  }
  checkHandler(handler);
  for (const entry of exports) {
    if (entry !== handler) checkOtherExport(entry);
  }
}

function checkHandler({ item, place }: NamedEntry): void {
  const shape = INTERFACES[HANDLER_ID];
  if (shape === undefined || item.sort !== "instance") {
    throw rejection(`the export ${quote(HANDLER)} is not an interface`, place, WIT_ADVICE);
  }
  const what = `the export ${quote(HANDLER)}`;
  for (const name of Object.keys(shape.functions)) {
    if (item.instance.exports.get(name)?.sort === "func") continue;
    throw rejection(`${what} lacks the function ${quote(name)}`, place, WIT_ADVICE);
  }
  checkFunctions(item.instance, HANDLER_ID, shape, what, place);
}

function checkOtherExport({ name, place }: NamedEntry): void {
  const parsed = parseInterfaceName(name);
  // The generator also makes a property of the bare name of an interface.
  const property = parsed === undefined ? name : parsed.id.slice(parsed.id.indexOf("/") + 1);
  const advice = "rename it in the plugin's source; only the contract's handler is ever called";
  if (property === "handler") throw rejection(`the export ${quote(name)} hides the contract's handler`, place, advice);
  if (isSafeExportName(property)) return;
  throw rejection(`the export ${quote(name)} has a name with a meaning in JavaScript`, place, advice);
}

function ownProperty<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
