import { describe, expect, test } from "vitest";
import { CAPABILITIES } from "../../../src/capabilities/capabilities.ts";
import { CAPABILITY_PROVIDERS } from "../../../src/capabilities/guest.ts";
import { Gates } from "../../../src/capabilities/host.ts";
import { ACCESS_LEVELS, ALL_ACCESS_LEVEL_BITS } from "../../../src/contract/access-levels.ts";
import { INTERFACES } from "../../../src/contract/generated/interfaces.ts";
import { DEFAULT_PLUGIN_LIMITS } from "../../../src/contract/limits.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { authorityOf } from "./authority-of.ts";
import { RecordingHttp } from "./recording-http.ts";
import { RecordingStore } from "./recording-store.ts";

const repeated = (names: readonly string[]): string[] => names.filter((name, at) => names.indexOf(name) !== at);

describe("the table of capabilities", () => {
  test("says nothing twice: neither a name, an interface, a metric nor a kind of message", () => {
    expect(repeated(CAPABILITIES.map(({ name }) => name))).toEqual([]);
    expect(repeated(CAPABILITIES.flatMap(({ interfaces }) => interfaces))).toEqual([]);
    expect(repeated(CAPABILITIES.flatMap(({ counter }) => counter?.name ?? []))).toEqual([]);
    expect(repeated(CAPABILITIES.flatMap(({ messages }) => Object.keys(messages.toHost)))).toEqual([]);
    expect(repeated(CAPABILITIES.flatMap(({ messages }) => Object.keys(messages.toGuest)))).toEqual([]);
  });

  test("has an operation for each access level of the contract, and for no other one", () => {
    const levels = CAPABILITIES.flatMap(({ operations }) => Object.values(operations)).filter(
      (level) => level !== undefined,
    );
    expect(new Set(levels)).toEqual(new Set(ACCESS_LEVELS));
  });

  test.each(CAPABILITIES)("says of $name what is in its WIT", ({ interfaces, entry, suspending, alike }) => {
    expect(interfaces).toContain(entry);
    for (const name of interfaces) expect(INTERFACES).toHaveProperty([name]);
    for (const name of [...suspending, ...alike.filter((one) => one.includes("#"))]) {
      const [id = "", member = ""] = name.split("#");
      expect(INTERFACES[id]?.functions, name).toHaveProperty([member]);
    }
  });

  test("has guest sides that give exactly the interfaces of the definitions", () => {
    const given = CAPABILITY_PROVIDERS.map(([name]) => name);
    expect(given.toSorted()).toEqual(CAPABILITIES.flatMap(({ interfaces }) => interfaces).toSorted());
  });

  test("has a host side wherever a runner has something to say", async () => {
    const plugin = "p" as PluginName;
    const grant = {
      plugin,
      levels: ALL_ACCESS_LEVEL_BITS,
      buckets: { private: "any", shared: new Map() },
      hosts: [],
      policyRevision: "0",
    } as const;
    const gates = new Gates({
      plugin,
      authority: authorityOf(grant, DEFAULT_PLUGIN_LIMITS),
      drivers: { store: new RecordingStore(), http: new RecordingHttp() },
      onDriverError: () => undefined,
      count: () => undefined,
      uses: { countBucket: () => undefined, countHost: () => undefined, noteAddress: () => undefined },
    });
    for (const { name, messages } of CAPABILITIES) {
      const says = Object.keys(messages.toHost).length > 0;
      expect(gates.of({ capability: name }) !== undefined, name).toBe(says);
    }
    await gates.close();
  });
});
