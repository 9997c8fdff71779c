import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AdmissionGate, type Permit, type PluginGate } from "../../../src/consumer/admission.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

function admitted(gate: PluginGate, limit: number): Permit {
  const admission = gate.enter(limit);
  if (admission.kind === "shed") throw new Error("it was shed");
  return admission;
}

describe("admission", () => {
  test("gives places up to the plugin's limit and says whose limit it was", () => {
    const replica = new AdmissionGate(() => 10);
    const [a, b] = [replica.forPlugin(), replica.forPlugin()];
    expect(a.enter(1).kind).toBe("admitted");
    expect(a.enter(1)).toMatchObject({ kind: "shed", by: "plugin" });
    expect(b.enter(1).kind).toBe("admitted");
  });

  test("gives places up to the replica's limit over all plugins", () => {
    const replica = new AdmissionGate(() => 1);
    const [a, b] = [replica.forPlugin(), replica.forPlugin()];
    const permit = admitted(a, 5);
    expect(b.enter(5)).toMatchObject({ kind: "shed", by: "replica" });
    permit[Symbol.dispose]();
    expect(b.enter(5).kind).toBe("admitted");
  });

  test("a permit gives its place back once, however often it is disposed of", () => {
    const replica = new AdmissionGate(() => 10);
    const gate = replica.forPlugin();
    const [first, second] = [admitted(gate, 5), admitted(gate, 5)];
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect([gate.inFlight, replica.inFlight]).toEqual([1, 1]);
    second[Symbol.dispose]();
    expect([gate.inFlight, replica.inFlight]).toEqual([0, 0]);
  });

  test("applies another limit at once, and those over it keep their places", () => {
    let limit = 2;
    const replica = new AdmissionGate(() => limit);
    const [a, b] = [replica.forPlugin(), replica.forPlugin()];
    const permits = [admitted(a, 5), admitted(a, 5)];
    limit = 1;
    permits[0]?.[Symbol.dispose]();
    expect(b.enter(5)).toMatchObject({ kind: "shed", by: "replica" });
    limit = 2;
    expect(b.enter(5).kind).toBe("admitted");
  });

  test("the counts are those of a model, never over a limit, for any order of events", () => {
    const event = fc.record({ plugin: fc.constantFrom(0, 1), leave: fc.boolean() });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        const replica = new AdmissionGate(() => 5);
        const gates = [replica.forPlugin(), replica.forPlugin()] as const;
        const permits: readonly [Permit[], Permit[]] = [[], []];
        const counts = (): number[] => permits.map(({ length }) => length);
        const total = (): number => permits[0].length + permits[1].length;
        for (const { plugin, leave } of events) {
          if (leave) permits[plugin].pop()?.[Symbol.dispose]();
          else {
            const isFree = permits[plugin].length < 3 && total() < 5;
            const admission = gates[plugin].enter(3);
            expect(admission.kind === "admitted").toBe(isFree);
            if (admission.kind === "admitted") permits[plugin].push(admission);
          }
          expect([...gates.map(({ inFlight }) => inFlight), replica.inFlight]).toEqual([...counts(), total()]);
        }
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
});
