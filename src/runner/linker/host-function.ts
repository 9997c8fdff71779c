/**
 * Finds the host's implementation of an imported function: by the component model's names (`[method]a.b`,
 * `[constructor]a`, `[static]a.b`, plain ones) in a namespace of JavaScript (component-model `Explainer.md`,
 * "Import and Export Definitions").
 *
 * The gate has compared the imports with the WIT. If a function is missing here nevertheless, a call of it traps.
 *
 * @module
 */

import type { Namespace } from "../guest/namespaces.ts";
import { createTrap } from "../guest/trap.ts";
import { camelCase } from "./compiled-type.ts";

/** Calls an imported function with lifted values. The caller lowers its result. */
export type HostFunction = (namespace: Namespace | undefined, values: readonly unknown[]) => unknown;

const RESOURCE_FUNCTION = /^\[(constructor|method|static)\]([^.]+)(?:\.(.+))?$/;

type AnyFunction = (...values: readonly unknown[]) => unknown;
type AnyClass = new (...values: readonly unknown[]) => object;

/** The function with this name. Resolved once; each call passes the namespace. */
export function hostFunction(name: string): HostFunction {
  const [, kind, resource = "", member = ""] = RESOURCE_FUNCTION.exec(name) ?? [];
  const key = camelCase(member);
  switch (kind) {
    case "constructor":
      return (namespace, values) => new (memberOf(namespace, pascalCase(resource)) as unknown as AnyClass)(...values);
    case "static":
      return (namespace, values) => memberOf(memberOf(namespace, pascalCase(resource)), key)(...values);
    case "method":
      return (_, values) => callMethod(values, key);
    case undefined:
    default:
      return (namespace, values) => memberOf(namespace, camelCase(name))(...values);
  }
}

/** Handles the usual numbers of arguments without making an array. */
function callMethod(values: readonly unknown[], key: string): unknown {
  const self = values[0] as Readonly<Record<string, AnyFunction>>;
  const method = self[key];
  if (typeof method !== "function") throw missing();
  if (values.length === 1) return method.call(self);
  if (values.length === 2) return method.call(self, values[1]);
  return method.apply(self, values.slice(1));
}

function memberOf(holder: unknown, name: string): AnyFunction {
  const member = (holder as Readonly<Record<string, unknown>> | undefined)?.[name];
  if (typeof member !== "function") throw missing();
  return member as AnyFunction;
}

function missing(): Error {
  return createTrap("an imported function is not there");
}

function pascalCase(name: string): string {
  return camelCase(`-${name}`);
}
