import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AdmissionGate } from "../../../src/consumer/admission.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const A = "a" as PluginName;
const B = "b" as PluginName;

describe("admission", () => {
  test("gives places up to the plugin's limit and says whose limit it was", () => {
    const gate = new AdmissionGate(() => 10);
    expect(gate.enter(A, 1).kind).toBe("admitted");
    expect(gate.enter(A, 1)).toMatchObject({ kind: "shed", by: "plugin" });
    expect(gate.enter(B, 1).kind).toBe("admitted");
  });

  test("gives places up to the replica's limit over all plugins", () => {
    const gate = new AdmissionGate(() => 1);
    expect(gate.enter(A, 5).kind).toBe("admitted");
    expect(gate.enter(B, 5)).toMatchObject({ kind: "shed", by: "replica" });
    gate.leave(A);
    expect(gate.enter(B, 5).kind).toBe("admitted");
  });

  test("takes up another limit at once, and those over it keep their places", () => {
    let limit = 2;
    const gate = new AdmissionGate(() => limit);
    for (let n = 0; n < 2; n++) expect(gate.enter(A, 5).kind).toBe("admitted");
    limit = 1;
    gate.leave(A);
    expect(gate.enter(B, 5)).toMatchObject({ kind: "shed", by: "replica" });
    limit = 2;
    expect(gate.enter(B, 5).kind).toBe("admitted");
  });

  test("the counts are those of a model, never over a limit, for any order of events", () => {
    const event = fc.record({ plugin: fc.constantFrom(A, B), leave: fc.boolean() });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        const gate = new AdmissionGate(() => 5);
        const model = new Map<PluginName, number>([
          [A, 0],
          [B, 0],
        ]);
        const count = (plugin: PluginName): number => model.get(plugin) ?? 0;
        for (const { plugin, leave } of events) {
          if (leave && count(plugin) > 0) {
            gate.leave(plugin);
            model.set(plugin, count(plugin) - 1);
          } else if (!leave) {
            const admitted = gate.enter(plugin, 3).kind === "admitted";
            expect(admitted).toBe(count(plugin) < 3 && count(A) + count(B) < 5);
            if (admitted) model.set(plugin, count(plugin) + 1);
          }
          expect([gate.inFlightOf(A), gate.inFlightOf(B), gate.inFlight]).toEqual([
            count(A),
            count(B),
            count(A) + count(B),
          ]);
        }
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
});
