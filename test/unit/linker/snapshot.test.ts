/** An instance that was put back is in every bit what it was before its first call; one that cannot be is not used again. */

import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { GuestOutcome, Instance, Restoration } from "../../../src/runner/engine.ts";
import { GuestContext } from "../../../src/runner/guest/guest-context.ts";
import { BitAudit } from "../../harness/bit-audit.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";
import { buildComponent } from "../runner/artifacts.ts";
import { prepareEngine } from "./link.ts";
import { moduleText, programs, requests } from "./random-program.ts";

const HOUR_MS = 3_600_000;

/** What the host draws: each time something else, and the same for all instances of one age. */
const drawn = vi.hoisted(() => ({ age: 0, count: 0 }));

vi.mock(import("node:crypto"), async (importOriginal) => {
  const original = await importOriginal();
  const randomBytes = (bytes: number): Buffer => Buffer.alloc(bytes, `${drawn.age}.${(drawn.count += 1)}`);
  return { ...original, randomBytes: randomBytes as typeof original.randomBytes };
});

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** An instance with what it may do. */
interface Seat {
  readonly instance: Instance;
  readonly context: GuestContext;
}

async function ask({ instance, context }: Seat, payload: Uint8Array): Promise<GuestOutcome | { kind: "trap" }> {
  let trapped = false;
  context.bind({
    log: () => undefined,
    output: () => undefined,
    trapped: () => (trapped = true),
    capability: () => ({ perform: () => Promise.resolve({ kind: "none" }) }),
  });
  const outcome = await instance.handleRequest({ id: "id", method: "method", payload });
  context.retire();
  return trapped || outcome.kind === "trap" ? { kind: "trap" } : outcome;
}

it("answers a request as a new instance would, whatever it was asked before, and has every bit of its first state", async () => {
  const seen = { noted: 0, compared: 0, notedAndStarted: 0, comparedAndStarted: 0, hindered: 0 };
  await fc.assert(
    fc.asyncProperty(programs, requests, async (program, payloads) => {
      const audit = new BitAudit();
      const engine = prepareEngine(await buildComponent(moduleText(program)), audit, program.changes);
      // All start at the same time and are told the same.
      const sit = async (): Promise<Seat> => {
        drawn.count = 0;
        const context = new GuestContext(65_536);
        return { context, instance: await engine.instantiate(context) };
      };
      // Its start may trap: then there is nothing to ask.
      fc.pre(
        await sit().then(
          () => true,
          () => false,
        ),
      );
      let seat: Seat | undefined;
      let restoration: Restoration | undefined;
      for (const payload of payloads) {
        const fresh = await sit();
        const started = audit.lastStarted;
        if (seat === undefined) seat = await sit();
        else if (restoration === "unstarted") {
          drawn.count = 0;
          seat.instance.start();
          expect(audit.lastStarted).toEqual(started);
          seen[`${program.changes}AndStarted`] += 1;
        }
        const [outcome, expected] = [await ask(seat, payload), await ask(fresh, payload)];
        expect(outcome).toEqual(expected);
        fresh.instance.destroy();
        // Whatever is kept of what was told differs from what the next new instance is told.
        vi.advanceTimersByTime(HOUR_MS);
        drawn.age += 1;
        restoration = outcome.kind === "trap" ? "impossible" : seat.instance.restore();
        if (restoration !== "impossible") {
          expect(program.hindrances).toEqual([]);
          if (program.questions.length > 0) expect(restoration).toBe("unstarted");
          if (restoration === "ready") seen[program.changes] += 1;
          continue;
        }
        seat.instance.destroy();
        seat = undefined;
        if (program.hindrances.length > 0) seen.hindered += 1;
      }
      expect(audit.restores).toBeLessThanOrEqual(payloads.length);
    }),
    { numRuns: 150, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
  for (const [what, count] of Object.entries(seen)) expect([what, count > 20]).toEqual([what, true]);
});
