import { describe, expect, test } from "vitest";
import { pluginReadiness } from "../../../src/app-plugins.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import type { PluginSlot, SlotState } from "../../../src/registry/plugin-slot.ts";

function registryOf(states: Readonly<Record<string, SlotState>>, isPlanned = true) {
  const slots = Object.entries(states).map(
    ([name, state]) => [name as PluginName, { name, state } as PluginSlot] as const,
  );
  return { slots: new Map(slots), isPlanned };
}

function failed(code: "load-failed" | "component-rejected"): SlotState {
  return { kind: "failed", error: new HostError(code) };
}

describe("whether plugins can be served", () => {
  test("is not so before it is known which there are", () => {
    expect(pluginReadiness(undefined)).toEqual({ ready: false, reason: "loading" });
    expect(pluginReadiness(registryOf({}, false))).toEqual({ ready: false, reason: "loading" });
    expect(pluginReadiness(registryOf({}))).toEqual({ ready: true });
  });

  test("is not so while one is loading or is tried again, and both are named", () => {
    expect(pluginReadiness(registryOf({ a: { kind: "loading" }, b: failed("load-failed") }))).toEqual({
      ready: false,
      reason: "loading: a; cannot be loaded now: b (load-failed)",
    });
  });

  test("is so where one never can be, which is told", () => {
    expect(pluginReadiness(registryOf({ a: failed("component-rejected") }))).toEqual({
      ready: true,
      degraded: "can never be loaded: a (component-rejected)",
    });
  });
});
