/**
 * How generated code gets implementations: as frozen namespaces without a prototype that hold WIT names only, in their
 * JavaScript spelling (`get-stdout` → `getStdout`, `output-stream` → `OutputStream`).
 *
 * Resource classes keep their state in `#private` fields. A method called on a forged handle throws a TypeError as soon as
 * it touches such a field, which each method does before it returns anything. The prototypes have no parent and no
 * `constructor`: a component that imports a method absent from the WIT (`[method]pollable.has-own-property`) finds
 * nothing. Constructors absent from the WIT demand {@link HOST_ONLY}, which no guest can pass.
 *
 * @module
 */

import { createTrap } from "./trap.ts";

/** An imported interface: JavaScript names → functions and resource classes. */
export type Namespace = Readonly<Record<string, unknown>>;

/** The argument that a constructor for the host alone demands. No value that a guest passes is identical to it. */
export const HOST_ONLY: unique symbol = Symbol("host only");

/** Throws unless the host itself calls the constructor. */
export function requireHost(key: unknown): asserts key is typeof HOST_ONLY {
  if (key !== HOST_ONLY) throw createTrap("the resource has no such constructor");
}

/** A frozen namespace of `members` without a prototype. */
export function namespace(members: Record<string, unknown>): Namespace {
  return Object.freeze(Object.assign(Object.create(null) as Record<string, unknown>, members));
}

/** A class: anything with a prototype for the objects that `new` makes. */
type ResourceClass = { readonly prototype: object };

/** Cuts a resource class off from `Object` and `Function`, and freezes it. Call it once, right after the declaration. */
export function seal(resource: ResourceClass): void {
  Reflect.deleteProperty(resource.prototype, "constructor");
  Object.setPrototypeOf(resource.prototype, null);
  Object.setPrototypeOf(resource, null);
  Object.freeze(resource.prototype);
  Object.freeze(resource);
}

/**
 * A constructor of a sealed class for guests: `create` makes the object. It shares the class's prototype, so `instanceof`
 * holds, and costs each instance one function instead of a class of its own.
 */
export function constructorFor(
  resource: ResourceClass,
  create: (...args: readonly unknown[]) => object,
  statics: Record<string, unknown> = {},
): unknown {
  // Not an arrow function, because generated code calls it with `new`: the object that it returns is the result.
  const constructor = function (...args: readonly unknown[]): object {
    return create(...args);
  };
  constructor.prototype = resource.prototype;
  Object.setPrototypeOf(constructor, null);
  return Object.freeze(Object.assign(constructor, statics));
}

/**
 * A class that detects forged handles. For a handle that it does not know, generated code makes an object up: on that,
 * `forged` replaces methods, while the host's own objects keep theirs. Needed where a method must not throw, and so
 * cannot rely on the TypeError of a `#private` field.
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

/** A resource that no function returns: the interface can be linked, and any handle to the resource is forged. */
export function absentResource(): unknown {
  class Absent {
    constructor() {
      throw createTrap("the resource has no such constructor");
    }
  }
  seal(Absent);
  return Absent;
}
