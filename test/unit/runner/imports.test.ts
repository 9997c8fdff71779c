import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { asyncImports } from "../../../src/capabilities/async-imports.ts";
import { GuestContext } from "../../../src/runner/guest/guest-context.ts";
import { createImportsFactory, PROVIDED_INTERFACES } from "../../../src/runner/imports.ts";

const WIT = new URL("../../../wit/", import.meta.url);

/** Functions and resources of every interface in wit/, in their JavaScript names: `Pollable`, `Pollable.ready`, `poll`. */
const DECLARED = new Map([
  ...readPackage("local:network-host", WIT),
  ...readdirSync(new URL("deps/", WIT))
    .filter((name) => !name.includes("."))
    .flatMap((name) => Array.from(readPackage(`wasi:${name}`, new URL(`deps/${name}/`, WIT)))),
]);

function* readPackage(name: string, folder: URL): Generator<[string, Set<string>]> {
  for (const file of readdirSync(folder).filter((entry) => entry.endsWith(".wit"))) {
    const text = readFileSync(new URL(file, folder), "utf8").replace(/\/\/.*$/gm, "");
    for (const [, interfaceName, body] of text.matchAll(/^interface ([\w-]+) \{(.*?)^\}/gms))
      yield [`${name}/${interfaceName}`, readInterface(body as string)];
  }
}

function readInterface(text: string): Set<string> {
  const names = new Set<string>();
  const rest = text.replace(/resource ([\w-]+)(?:;| \{(.*?)^ {2,4}\})/gms, (_, resource: string, body = "") => {
    const className = pascalCase(resource);
    names.add(className);
    for (const [, method] of (body as string).matchAll(/^\s*%?([\w-]+): (?:static )?func/gm))
      names.add(`${className}.${camelCase(method as string)}`);
    return "";
  });
  for (const [, name] of rest.matchAll(/^\s*([\w-]+): func/gm)) names.add(camelCase(name as string));
  return names;
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function pascalCase(name: string): string {
  return camelCase(`-${name}`);
}

const context = new GuestContext(0);
const imports = createImportsFactory(PROVIDED_INTERFACES)(context);

describe.each(PROVIDED_INTERFACES)("the namespace of %s", (name) => {
  const namespace = imports[name] as Record<string, unknown>;
  const classes = Object.entries(namespace).filter(([member]) => /^[A-Z]/.test(member)) as Array<
    [string, { prototype: object }]
  >;

  it("is frozen and has no prototype", () => {
    expect(Object.isFrozen(namespace)).toBe(true);
    expect(Object.getPrototypeOf(namespace)).toBeNull();
  });

  it("holds every function and resource of the interface and nothing else", () => {
    const declared = [...(DECLARED.get(name) ?? [])].filter((member) => !member.includes("."));
    expect(Object.keys(namespace).sort()).toEqual(declared.sort());
  });

  it("has resource classes of WIT methods only, cut off from Object and Function", () => {
    for (const [className, resource] of classes) {
      expect(Object.isFrozen(resource)).toBe(true);
      expect(Object.getPrototypeOf(resource)).toBeNull();
      for (const member of reachableNames(resource.prototype))
        expect(DECLARED.get(name)).toContain(`${className}.${member}`);
      const statics = Object.keys(resource).filter((member) => member !== "prototype");
      for (const member of statics) expect(DECLARED.get(name)).toContain(`${className}.${member}`);
    }
  });

  it("makes no object out of a guest's arguments where the WIT has no constructor", () => {
    const constructible = new Set(["KeyValueStore", "Fields", "OutgoingRequest", "OutgoingResponse", "RequestOptions"]);
    for (const [className, resource] of classes.filter(([className]) => !constructible.has(className))) {
      const construct = resource as unknown as new (...args: unknown[]) => object;
      for (const args of [[], [1], ["host only"], [{}, context, 0n], [Symbol("host only"), context]])
        expect(() => new construct(...args), className).toThrow(/no such constructor/);
    }
  });

  it("runs no method on an object that the host did not make", async () => {
    for (const [, resource] of classes) {
      const forged = Object.create(resource.prototype) as Record<string, (...args: unknown[]) => unknown>;
      for (const member of reachableNames(resource.prototype)) {
        if (name === "wasi:io/poll" && member === "block") continue;
        await expect((async () => await forged[member]?.(0n, 0n))(), member).rejects.toThrow();
      }
    }
  });
});

it("blocks for ever on a forged pollable and traps its call, since a rejection would hang generated code", async () => {
  const trapped: string[] = [];
  const bound = new GuestContext(0);
  bound.bind({
    log: () => undefined,
    output: () => undefined,
    capability: () => undefined,
    trapped: (message) => trapped.push(message),
  });
  const { Pollable } = createImportsFactory(["wasi:io/poll@0.2.3"])(bound)["wasi:io/poll"] as {
    Pollable: { prototype: { block(): Promise<void> } };
  };
  void (Object.create(Pollable.prototype) as { block(): Promise<void> }).block();
  expect(trapped).toHaveLength(1);
});

it("serves every version of an interface and leaves unknown ones out", () => {
  const made = createImportsFactory(["wasi:io/poll@0.2.9", "wasi:cli/exit", "node:fs", "wasi:keyvalue/store@0.2.0"])(
    context,
  );
  expect(Object.keys(made).sort()).toEqual(["wasi:cli/exit", "wasi:io/poll"]);
});

it("lists as suspending exactly what returns a promise", () => {
  expect(
    asyncImports(PROVIDED_INTERFACES)
      .map((name) => name.split("#")[0])
      .every((name) => PROVIDED_INTERFACES.includes(name as string)),
  ).toBe(true);
  for (const name of asyncImports(PROVIDED_INTERFACES)) {
    const [interfaceName, member] = name.split("#") as [string, string];
    const [, resource, method] = /^\[method\]([\w-]+)\.([\w-]+)$/.exec(member) ?? [];
    const declared = DECLARED.get(interfaceName);
    expect(declared).toContain(
      resource === undefined ? camelCase(member) : `${pascalCase(resource)}.${camelCase(method as string)}`,
    );
  }
});

/** Names that `object.name` finds: own and inherited, symbols aside. */
function reachableNames(object: object): string[] {
  const names = new Set<string>();
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at) as object | null)
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  return [...names];
}
