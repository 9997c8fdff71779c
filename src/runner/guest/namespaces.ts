/**
 * How implementations are handed to generated code: as frozen namespaces without a prototype that hold WIT
 * names only, in their JavaScript spelling (`get-stdout` → `getStdout`, `output-stream` → `OutputStream`).
 *
 * Resource classes keep their state in `#private` fields, so a method that is reached through a forged handle throws
 * a TypeError as soon as it touches one, which each method does before it returns anything. Their prototypes have no
 * parent and no `constructor`: a component that asks for a method the WIT does not have
 * (`[method]pollable.has-own-property`) finds none. Constructors that the WIT does not have demand
 * {@link HOST_ONLY}, which no guest can name.
 *
 * @module
 */

import { createTrap } from "./trap.ts";

/** An imported interface: JavaScript names → functions and resource classes. */
export type Namespace = Readonly<Record<string, unknown>>;

/** What a constructor demands that only the host may call. Nothing that a guest passes is identical to it. */
export const HOST_ONLY: unique symbol = Symbol("host only");

/** Throws unless the host itself calls the constructor. */
export function requireHost(key: unknown): asserts key is typeof HOST_ONLY {
  if (key !== HOST_ONLY) throw createTrap("the resource has no such constructor");
}

/** A frozen namespace of `members` without a prototype. */
export function namespace(members: Record<string, unknown>): Namespace {
  return Object.freeze(Object.assign(Object.create(null) as Record<string, unknown>, members));
}

/** Anything with a prototype that `new` makes objects of. */
type ResourceClass = { readonly prototype: object };

/** Cuts a resource class off from `Object` and `Function` and freezes it. Call it once, right after the class. */
export function seal(resource: ResourceClass): void {
  Reflect.deleteProperty(resource.prototype, "constructor");
  Object.setPrototypeOf(resource.prototype, null);
  Object.setPrototypeOf(resource, null);
  Object.freeze(resource.prototype);
  Object.freeze(resource);
}

/**
 * A guest-callable constructor for a sealed class: `create` makes the object. It shares the class's prototype,
 * so `instanceof` holds, and costs an instance one function instead of a class of its own.
 */
export function constructorFor(
  resource: ResourceClass,
  create: (...args: readonly unknown[]) => object,
  statics: Record<string, unknown> = {},
): unknown {
  // A function expression, since generated code calls it with `new`: the object that it returns is the result.
  const constructor = function (...args: readonly unknown[]): object {
    return create(...args);
  };
  constructor.prototype = resource.prototype;
  Object.setPrototypeOf(constructor, null);
  return Object.freeze(Object.assign(constructor, statics));
}

/**
 * A class whose forged handles are noticed: `forged` replaces methods for objects that generated code makes up
 * for a handle it does not know, while the host's own objects keep theirs. Needed where a method must not
 * throw, so that the TypeError of a `#private` field does not do.
 */
export function classWithForgedMethods(
  resource: ResourceClass,
  isHosts: (value: object) => boolean,
  forged: Readonly<Record<string, (...args: readonly unknown[]) => unknown>>,
): unknown {
  const constructor = function (): never {
    throw createTrap("the resource has no such constructor");
  };
  const methods = Object.entries(forged).map(([name, value]) => [name, { value }] as const);
  constructor.prototype = Object.freeze(Object.create(resource.prototype, Object.fromEntries(methods)) as object);
  Object.setPrototypeOf(constructor, null);
  return Object.freeze(Object.defineProperty(constructor, Symbol.hasInstance, { value: isHosts }));
}

/** A resource that no function gives out: the interface links, and a handle to it can only be forged. */
export function absentResource(): unknown {
  class Absent {
    constructor() {
      throw createTrap("the resource has no such constructor");
    }
  }
  seal(Absent);
  return Absent;
}
