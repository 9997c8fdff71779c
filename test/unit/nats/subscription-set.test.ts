import type { Subscription } from "nats";
import { expect, test } from "vitest";
import type { HeldSubscription } from "../../../src/nats/held-subscription.ts";
import { SubscriptionSet } from "../../../src/nats/subscription-set.ts";
import { until } from "../../../scripts/lib/until.ts";

test("what one round was refused is told together and asked for again together, however the refusals arrive", async () => {
  const told: string[][] = [];
  /** The subjects of each round. */
  const rounds: string[][] = [];
  let sent: string[] = [];
  const subjectsOf = (subscriptions: readonly HeldSubscription[]) => subscriptions.map(({ plan }) => plan.subject);
  const set: SubscriptionSet = new SubscriptionSet({
    link: { state: "up", whenNotUp: () => new Promise<void>(() => undefined) },
    events: {
      refused: (subscriptions) => told.push(["refused", ...subjectsOf(subscriptions)]),
      restored: (subscriptions) => told.push(["restored", ...subjectsOf(subscriptions)]),
      callbackFailed: () => undefined,
    },
    connection: {
      subscribe(subject: string): Subscription {
        sent.push(subject);
        return { isClosed: () => false, unsubscribe: () => undefined } as Subscription;
      },
      // The first round's refusals arrive one at a time, milliseconds apart, before its answer.
      async flush(): Promise<void> {
        rounds.push(sent);
        const refused = rounds.length === 1 ? sent : [];
        sent = [];
        for (const subject of refused) {
          // What a server's writes are apart, on a machine that is busy.
          await new Promise((resolve) => setTimeout(resolve, 20));
          set.permissionRefused({ subject, queue: undefined });
        }
      },
    },
  });
  const subjects = ["a", "b", "c"];
  set.open(subjects.map((subject) => ({ subject, need: "required", deliver: () => undefined })));
  await until(() => told.length > 0, { what: "the refusals are told" });
  expect(told).toEqual([["refused", ...subjects]]);
  await set.whenHeld();
  expect(rounds).toEqual([subjects, subjects]);
  expect(told).toEqual([
    ["refused", ...subjects],
    ["restored", ...subjects],
  ]);
});
