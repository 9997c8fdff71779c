/** An instance that was put back is in every bit what it was before its first call; one that cannot be is not used again. */

import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { GuestOutcome, Instance } from "../../../src/runner/engine.ts";
import { GuestContext } from "../../../src/runner/guest/guest-context.ts";
import { BitAudit } from "../../harness/bit-audit.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";
import { buildComponent } from "../runner/artifacts.ts";
import { prepareEngine } from "./link.ts";
import { moduleText, programs, requests } from "./random-program.ts";

const HOUR_MS = 3_600_000;

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
  const seen = { putBack: 0, told: 0, hindered: 0 };
  await fc.assert(
    fc.asyncProperty(programs, requests, async (program, payloads) => {
      const audit = new BitAudit();
      const engine = prepareEngine(await buildComponent(moduleText(program)), audit);
      const sit = async (): Promise<Seat> => {
        const context = new GuestContext(65_536);
        return { context, instance: await engine.instantiate(context) };
      };
      const mayBePutBack = program.questions.length === 0 && program.hindrances.length === 0;
      // Its start may trap: then there is nothing to ask.
      fc.pre(
        await sit().then(
          () => true,
          () => false,
        ),
      );
      let seat: Seat | undefined;
      for (const payload of payloads) {
        const fresh = await sit();
        seat ??= await sit();
        const [outcome, expected] = [await ask(seat, payload), await ask(fresh, payload)];
        // What was drawn at the start is of no other instance.
        if (!program.questions.includes("random")) expect(outcome).toEqual(expected);
        fresh.instance.destroy();
        // Whatever is kept of a clock differs from what the next new instance finds.
        vi.advanceTimersByTime(HOUR_MS);
        const isPutBack = outcome.kind !== "trap" && seat.instance.restore();
        if (isPutBack) {
          expect(mayBePutBack).toBe(true);
          seat.context.renew();
          seen.putBack += 1;
          continue;
        }
        seat.instance.destroy();
        seat = undefined;
        if (program.questions.length > 0) seen.told += 1;
        else if (!mayBePutBack) seen.hindered += 1;
      }
      expect(audit.restores).toBeLessThanOrEqual(payloads.length);
    }),
    { numRuns: 150, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
  for (const [what, count] of Object.entries(seen)) expect([what, count > 20]).toEqual([what, true]);
});
