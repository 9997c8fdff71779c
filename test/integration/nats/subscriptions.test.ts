import { connect } from "nats";
import { describe, expect, test } from "vitest";
import type { HeldSubscription } from "../../../src/nats/held-subscription.ts";
import { type ConfiguredNatsServer, startConfiguredNatsServer, startNatsServer } from "../../harness/server.ts";
import { until } from "../../../scripts/lib/until.ts";
import { type OpenLink, openLink, plansOf } from "./open-link.ts";

const USER = { kind: "password", user: "replica", password: "p" } as const;

/** A user who may subscribe to everything but this. */
function denied(...subjects: readonly string[]): string {
  const subscribe = subjects.length === 0 ? "" : `, permissions: {subscribe: {deny: ${JSON.stringify(subjects)}}}`;
  return `authorization: {users: [{user: replica, password: p${subscribe}}, {user: caller, password: p}]}`;
}

function limited(subscriptions: number): string {
  return `accounts: {A: {users: [{user: replica, password: p}], limits: {max_subscriptions: ${subscriptions}}}}`;
}

async function statesOf(subscriptions: readonly HeldSubscription[]): Promise<Record<string, string>> {
  await Promise.all(subscriptions.map(({ verdict }) => verdict));
  return states(subscriptions);
}

function states(subscriptions: readonly HeldSubscription[]): Record<string, string> {
  return Object.fromEntries(subscriptions.map(({ plan, state }) => [plan.subject, state.kind]));
}

/** What the server itself tells by delivering: who gets a message on these subjects. */
async function reached(server: ConfiguredNatsServer, subjects: readonly string[]): Promise<string[]> {
  const caller = await connect({ servers: server.url, user: "caller", pass: "p" });
  const unheard = new Set<string>();
  // Nobody answers but the server: where nobody listens, and before it answers the round trip.
  caller.subscribe("answer.>", { callback: (_error, { subject }) => void unheard.add(subject) });
  for (const subject of subjects) caller.publish(subject, "", { reply: `answer.${subject}` });
  await caller.flush();
  await caller.close();
  return subjects.filter((subject) => !unheard.has(`answer.${subject}`));
}

describe("the subjects that a replica listens on", () => {
  test("one that is refused at the start is named, and held when the right is there", async () => {
    await using server = await startConfiguredNatsServer(denied("b.>"));
    await using open = await openLink(server.url, USER);
    const subscriptions = open.link.subscriptions.open(plansOf(["a.1", "b.1", "b.2", "c.1"]));
    expect(await statesOf(subscriptions)).toEqual({ "a.1": "held", "b.1": "refused", "b.2": "refused", "c.1": "held" });
    expect(open.link.subscriptions.unheld().map(({ plan }) => plan.subject)).toEqual(["b.1", "b.2"]);
    expect(open.link.subscriptions.unheld()[0]?.refusal).toBe("no permission");
    expect(await reached(server, ["a.1", "b.1", "b.2"])).toEqual(["a.1"]);

    await server.reload(denied());
    await open.link.subscriptions.whenHeld();
    expect(await reached(server, ["a.1", "b.1", "b.2", "c.1"])).toEqual(["a.1", "b.1", "b.2", "c.1"]);
    expect(open.heard[0]).toEqual(["refused", "b.1", "b.2"]);
    // The server may get the right between one subject and the next.
    const restored = () => open.heard.filter(([name]) => name === "restored").flatMap(([, ...subjects]) => subjects);
    await until(() => restored().length === 2, { what: "both are told to be held" });
    expect(new Set(restored())).toEqual(new Set(["b.1", "b.2"]));
    expect(open.heard.filter(([name]) => name === "refused")).toHaveLength(1);
    expect(open.stats.permissionErrors.get("subscription")).toBeGreaterThanOrEqual(2);
  });

  test("one that the server ends while it is held is asked for again until the right is back", async () => {
    await using server = await startConfiguredNatsServer(denied());
    await using open = await openLink(server.url, USER);
    const subscriptions = open.link.subscriptions.open(plansOf(["a.1", "b.1"]));
    expect(await statesOf(subscriptions)).toEqual({ "a.1": "held", "b.1": "held" });

    await server.reload(denied("b.>"));
    await until(() => states(subscriptions)["b.1"] === "refused", { what: "the end is noticed" });
    expect(states(subscriptions)).toEqual({ "a.1": "held", "b.1": "refused" });
    expect(await reached(server, ["a.1", "b.1"])).toEqual(["a.1"]);
    // The second refusal is nothing new.
    await until(() => (open.stats.permissionErrors.get("subscription") ?? 0) >= 3, { what: "it was tried again" });
    expect(open.heard).toEqual([["refused", "b.1"]]);

    await server.reload(denied());
    await open.link.subscriptions.whenHeld();
    expect(await reached(server, ["a.1", "b.1"])).toEqual(["a.1", "b.1"]);
  });

  test("one that is refused at a reconnect only is asked for again", async () => {
    await using server = await startConfiguredNatsServer(denied());
    await using open = await openLink(server.url, USER);
    const subscriptions = open.link.subscriptions.open(plansOf(["a.1", "b.1"]));
    expect(await statesOf(subscriptions)).toEqual({ "a.1": "held", "b.1": "held" });

    await server.kill();
    await until(() => open.link.state === "down", { what: "the loss is noticed" });
    expect(states(subscriptions)).toEqual({ "a.1": "asked", "b.1": "asked" });
    await server.reload(denied("b.>"));
    await server.restart();
    await until(() => states(subscriptions)["b.1"] === "refused", { what: "the refusal is noticed" });
    await until(() => states(subscriptions)["a.1"] === "held", { what: "the other one is held" });

    await server.reload(denied());
    await open.link.subscriptions.whenHeld();
    expect(await reached(server, ["a.1", "b.1"])).toEqual(["a.1", "b.1"]);
  });

  test("those beyond the account's number are told apart from those that are held", async () => {
    await using server = await startConfiguredNatsServer(limited(3));
    await using open = await openLink(server.url, USER);
    const subjects = ["s.1", "s.2", "s.3", "s.4", "s.5"];
    const subscriptions = open.link.subscriptions.open(plansOf(subjects));
    expect(await statesOf(subscriptions)).toEqual({
      "s.1": "held",
      "s.2": "held",
      "s.3": "held",
      "s.4": "refused",
      "s.5": "refused",
    });
    expect(open.link.subscriptions.unheld()[0]?.refusal).toBe("maximum subscriptions exceeded");

    // A place that becomes free is taken by one of them.
    await subscriptions[0]?.drain();
    await expect.poll(() => open.link.subscriptions.counts()).toEqual({ asked: 0, held: 3, refused: 1 });

    await server.reload(limited(10));
    await open.link.subscriptions.whenHeld();
    expect(open.link.subscriptions.counts()).toEqual({ asked: 0, held: 4, refused: 0 });

    // The server closes connections that have more; the client comes back by itself.
    await server.reload(limited(2));
    await expect.poll(() => open.link.subscriptions.counts()).toEqual({ asked: 0, held: 2, refused: 2 });
  });

  test("one that is drained delivers what was on its way, and the subject can be opened again", async () => {
    await using server = await startNatsServer();
    await using open = await openLink(server.url);
    const caller = await connect({ servers: server.url });
    let delivered = 0;
    const plan = { subject: "d.1", queue: "group", need: "required", deliver: () => (delivered += 1) } as const;
    const [first] = open.link.subscriptions.open([plan]);
    await first?.verdict;
    for (let i = 0; i < 1_000; i++) caller.publish("d.1");
    await caller.flush();
    await first?.drain();
    expect(delivered).toBe(1_000);
    const [second] = open.link.subscriptions.open([plan]);
    await second?.verdict;
    caller.publish("d.1");
    await until(() => delivered === 1_001, { what: "the second one delivers" });
    await caller.close();
  });

  test("a callback that throws costs its message, and is counted", async () => {
    await using server = await startNatsServer();
    await using open = await openLink(server.url);
    const got: string[] = [];
    const [subscription] = open.link.subscriptions.open([
      {
        subject: "t.*",
        need: "required",
        deliver: (message) => {
          if (message.subject === "t.bad") throw new Error("a bug");
          got.push(message.subject);
        },
      },
    ]);
    await subscription?.verdict;
    const caller = await connect({ servers: server.url });
    for (const subject of ["t.1", "t.bad", "t.2"]) caller.publish(subject);
    await until(() => got.length === 2, { what: "the others are delivered" });
    expect(got).toEqual(["t.1", "t.2"]);
    expect(open.heard).toEqual([["callbackFailed", "t.*", new Error("a bug")]]);
    expect(open.stats.callbackErrors).toBe(1);
    expect(open.link.state).toBe("up");
    await caller.close();
  });

  test("thousands of them are held after one round trip, and again after a reconnect", async () => {
    await using server = await startNatsServer();
    await using open: OpenLink = await openLink(server.url);
    const subjects = Array.from({ length: 5_000 }, (_, index) => `many.${index}`);
    open.link.subscriptions.open(plansOf(subjects));
    await open.link.subscriptions.whenHeld();
    expect(open.link.subscriptions.counts()).toEqual({ asked: 0, held: 5_000, refused: 0 });
    await server.kill();
    await until(() => open.link.subscriptions.counts().held === 0, { what: "the loss is noticed" });
    await server.restart();
    await open.link.subscriptions.whenHeld();
    expect(open.link.subscriptions.counts()).toEqual({ asked: 0, held: 5_000, refused: 0 });
  });
});
