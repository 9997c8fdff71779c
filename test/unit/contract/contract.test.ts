import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { asyncImports } from "../../../src/capabilities/async-imports.ts";
import { CAPABILITIES } from "../../../src/capabilities/capabilities.ts";
import { ACCESS_LEVELS } from "../../../src/contract/access-levels.ts";
import { INTERFACES } from "../../../src/contract/generated/interfaces.ts";
import { LOG_LEVELS } from "../../../src/contract/request.ts";
import { printContract, staleFiles } from "../../../scripts/generate-contract.ts";

describe("the contract in wit/", () => {
  test("is valid, and is frozen at 1.0.0", async () => {
    const frozen = readFileSync(new URL("network-host-1.0.0.txt", import.meta.url), "utf8");
    expect(
      await printContract(),
      "the contract local:network-host@1.0.0 must not change: plugins are built against it. " +
        "Add a new interface or world beside it instead, in a package or version of its own",
    ).toBe(frozen);
  });

  test("is what the generated files say; otherwise run `npm run generate`", async () => {
    expect(await staleFiles()).toEqual([]);
  });
});

describe("what the host knows of the contract", () => {
  test("has the levels and log levels in the contract's order", () => {
    expect(INTERFACES["local:network-host/types"]?.types["access-levels"]).toEqual({ flags: ACCESS_LEVELS });
    expect(INTERFACES["local:network-host/logging"]?.types["log-level"]).toEqual({ enum: LOG_LEVELS });
  });

  test("has every function that may suspend", () => {
    for (const name of asyncImports(CAPABILITIES.flatMap(({ interfaces }) => interfaces))) {
      const [id = "", member = ""] = name.split("#");
      expect(INTERFACES[id]?.functions, name).toHaveProperty([member]);
    }
  });

  test("refers to no type or resource that it does not have", () => {
    const missing: string[] = [];
    const visit = (shape: unknown): void => {
      if (typeof shape !== "object" || shape === null) return;
      for (const [kind, inner] of Object.entries(shape)) {
        if (typeof inner !== "string" || !["own", "borrow", "type"].includes(kind) || !inner.includes("#")) {
          visit(inner);
          continue;
        }
        const [id = "", name = ""] = inner.split("#");
        const found =
          kind === "type" ? INTERFACES[id]?.types[name] !== undefined : INTERFACES[id]?.resources.includes(name);
        if (found !== true) missing.push(inner);
      }
    };
    visit(INTERFACES);
    expect(missing).toEqual([]);
  });
});
