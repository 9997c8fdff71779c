import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type OwedAnswer, OwedAnswers } from "../../../../src/supervisor/process/owed-answers.ts";

type Step = { readonly kind: "ask"; readonly dueMs: number } | { readonly kind: "answer" | "prolong" };

const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ kind: fc.constant("ask"), dueMs: fc.nat({ max: 50 }) }),
    fc.constant({ kind: "answer" }),
    fc.constant({ kind: "prolong" }),
  ),
  { maxLength: 200 },
);

test("what is owed is taken in order, and the earliest is known, whatever was asked, answered and prolonged", () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const owed = new OwedAnswers();
      const model: OwedAnswer[] = [];
      let nonce = 0;
      for (const step of taken) {
        if (step.kind === "ask") {
          const answer = owedAnswer((nonce += 1), step.dueMs);
          owed.add(answer);
          model.push(answer);
        } else if (step.kind === "answer") expect(owed.take()).toBe(model.shift());
        else owed.prolong(({ dueMs }) => dueMs + 10 * (dueMs % 3));
        expect(owed.first).toBe(model[0]);
        expect(owed.isEmpty).toBe(model.length === 0);
        const earliestMs = Math.min(Number.POSITIVE_INFINITY, ...model.map(({ dueMs }) => dueMs));
        expect(owed.earliest?.dueMs ?? Number.POSITIVE_INFINITY).toBe(earliestMs);
      }
    }),
    { numRuns: 300 },
  );
});

test("one among fifty thousand is asked and answered as cheaply as one among few", () => {
  const owed = new OwedAnswers();
  // Looking through all of them for each would be five billion steps.
  for (let nonce = 1; nonce <= 50_000; nonce += 1) owed.add(owedAnswer(nonce, nonce % 1_000));
  for (let nonce = 1; nonce <= 50_000; nonce += 1) expect(owed.take()?.nonce === nonce).toBe(true);
  expect(owed.isEmpty).toBe(true);
});

function owedAnswer(nonce: number, dueMs: number): OwedAnswer {
  return { nonce, askedMs: 0, dueMs, isProlonged: false, ran: undefined, answered: () => undefined };
}
