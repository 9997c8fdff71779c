/** What docs/write-a-plugin/what-a-component-may-use.md lists is what the gate, the compiler and the runner do. */

import { describe, expect, test } from "vitest";
import { FEATURES } from "../../../scripts/surface/features.ts";
import { absentInterfaces, importableInterfaces } from "../../../scripts/surface/interfaces.ts";
import { compileWithJco } from "../../../src/compiler/engine.ts";
import { passGate } from "../../../src/compiler/gate/gate.ts";
import { offeredVersion } from "../../../src/compiler/gate/check-world.ts";
import { planComponent } from "../../../src/compiler/link-plan/plan-component.ts";
import { requireV8 } from "../../../src/compiler/refusal.ts";
import { toHostError } from "../../../src/errors/host-error.ts";
import { compileComponent } from "../../../src/supervisor/compilation/compile.ts";
import { assemblePlugin } from "../../fixtures/wat/assemble.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";

describe("the feature", () => {
  test.each(FEATURES)("$name is run or refused as the page says", async ({ wat, isBeside, refusal }) => {
    const component = await assemblePlugin({ insert: { [isBeside ? "modules" : "core-body"]: wat } });
    if (refusal !== undefined) {
      // The transpiler's refusal ends its process.
      const said = await compileComponent(component).then(String, (error: unknown) => toHostError(error).message);
      expect(said).toContain(refusal);
      return;
    }
    passGate(component);
    await expect(compileWithJco(component, [])).resolves.toBeInstanceOf(Map);
    expect(() => requireV8(component)).not.toThrow();
    expect(planComponent(component).kind).toBe("planned");
  });
});

describe("an interface", () => {
  const importing = (name: string): Promise<Uint8Array> =>
    assemblePlugin({ insert: { imports: `(import "${name}" (instance))` } });

  test.each(importableInterfaces())(
    "%s may be imported in the versions that the page names, and no other",
    async (id) => {
      const only = offeredVersion(id);
      for (const version of only === undefined ? ["0.2.0", "0.2.12", "0.2.99"] : [only])
        expect(passGate(await importing(`${id}@${version}`)).imports).toEqual([`${id}@${version}`]);
      for (const version of ["0.3.0", "2.0.0"]) {
        const component = await importing(`${id}@${version}`);
        expect(refusalOf(() => passGate(component)).message).toContain("has a version that is not offered");
      }
    },
  );

  test("that the page calls absent is refused", async () => {
    const absent = [...(await absentInterfaces()).matchAll(/`([^`]+)`/g)].map(([, id = ""]) => id);
    expect(absent.length).toBeGreaterThan(0);
    for (const id of absent) {
      const component = await importing(`${id}@0.2.0`);
      expect(refusalOf(() => passGate(component)).message).toContain("is not offered to plugins");
    }
  });
});
