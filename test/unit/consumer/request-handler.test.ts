import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { KEY_VALUE_GATE } from "../../../src/capabilities/key-value/host/gate.ts";
import type { Outcome } from "../../../src/contract/request.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";
import { FakeRunner } from "./fake-runner.ts";
import { Scene } from "./scene.ts";

const OK: Outcome = { kind: "ok", response: { status: 200, body: Buffer.from("done") } };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A scene with a plugin whose process runs. */
async function opened(
  ...options: ConstructorParameters<typeof Scene>
): Promise<Scene & { readonly runner: FakeRunner }> {
  const scene = new Scene(...options);
  const runner = new FakeRunner();
  await scene.swap(async () => runner).parts.runner?.open();
  await scene.open();
  return Object.assign(scene, { runner });
}

describe("an accepted request", () => {
  test("is answered with what the plugin says, and recorded once", async () => {
    const scene = await opened();
    scene.send("a");
    const [begun] = scene.runner.open;
    expect(begun?.request).toMatchObject({ id: "a", method: "m" });
    expect([scene.admission.inFlight, scene.stats.inFlight]).toEqual([1, 1]);
    if (begun !== undefined) scene.runner.end(begun, OK);
    expect(scene.nats.delivered[0]?.replies).toEqual([{ code: undefined, data: Buffer.from("done") }]);
    expect([scene.admission.inFlight, scene.stats.inFlight]).toEqual([0, 0]);
    expect(scene.recordsOf("a")).toEqual([expect.objectContaining({ status: 200 })]);
  });

  test("that waits for a cold plugin's process is begun when it is there", async () => {
    const scene = new Scene();
    const starting = Promise.withResolvers<FakeRunner>();
    scene.swap(() => starting.promise);
    await scene.open();
    scene.send("a", { timeoutMs: 1_000 });
    scene.send("b", { timeoutMs: 100 });
    await vi.advanceTimersByTimeAsync(200);
    const runner = new FakeRunner();
    starting.resolve(runner);
    await vi.advanceTimersByTimeAsync(0);
    expect(runner.open.map(({ request }) => request.id)).toEqual(["a"]);
    expect(scene.nats.delivered[1]?.replies).toMatchObject([{ code: "deadline-exceeded" }]);
  });

  test("whose runner fails in an unexpected way is answered with internal, and holds nothing", async () => {
    const scene = await opened();
    scene.runner.isBroken = true;
    scene.send("a");
    expect(scene.nats.delivered[0]?.replies).toMatchObject([{ code: "internal" }]);
    expect([scene.admission.inFlight, scene.stats.inFlight]).toEqual([0, 0]);
    expect(scene.recordsOf("a")).toHaveLength(1);
    scene.runner.isBroken = false;
    await expect(scene.handler.idle()).resolves.toBeUndefined();
  });

  test("that waited for a process which then fails in an unexpected way is answered with internal", async () => {
    const scene = new Scene();
    const runner = new FakeRunner();
    runner.isBroken = true;
    scene.swap(async () => runner);
    await scene.open();
    scene.send("a");
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.nats.delivered[0]?.replies).toMatchObject([{ code: "internal" }]);
    expect([scene.admission.inFlight, scene.stats.inFlight]).toEqual([0, 0]);
  });

  test("whose connection was closed meanwhile is counted as dropped", async () => {
    const scene = await opened();
    scene.send("a");
    scene.close();
    const [begun] = scene.runner.open;
    if (begun !== undefined) scene.runner.end(begun, OK);
    expect(scene.nats.delivered[0]?.replies).toEqual([]);
    expect([...scene.stats.drops]).toEqual([["connection-closed", 1]]);
    expect([...scene.stats.outcomes]).toEqual([]);
    expect(scene.recordsOf("a")).toEqual([expect.objectContaining({ dropped: "connection-closed" })]);
  });

  test("whose reply is due while the connection is down is answered, counted and recorded when it is back", async () => {
    const scene = await opened();
    scene.send("a");
    scene.disconnect();
    const [begun] = scene.runner.open;
    if (begun !== undefined) scene.runner.end(begun, OK);
    expect([scene.admission.inFlight, scene.stats.inFlight]).toEqual([0, 1]);
    expect(scene.recordsOf("a")).toEqual([]);
    scene.reconnect();
    expect(scene.nats.delivered[0]?.replies).toEqual([{ code: undefined, data: Buffer.from("done") }]);
    expect([...scene.stats.outcomes]).toEqual([["ok", 1]]);
    expect(scene.stats.inFlight).toBe(0);
    expect(scene.recordsOf("a")).toEqual([expect.objectContaining({ status: 200 })]);
  });

  test("whose caller names a time-out is given up when that is over, else when the plugin's deadline is", async () => {
    const scene = await opened({ deadlineMs: 1_000 });
    scene.send("patient");
    scene.send("impatient", { timeoutMs: 100 });
    scene.disconnect();
    for (const begun of scene.runner.open) scene.runner.end(begun, OK);
    await vi.advanceTimersByTimeAsync(200);
    expect(scene.recordsOf("impatient")).toEqual([expect.objectContaining({ dropped: "reply-expired" })]);
    expect(scene.recordsOf("patient")).toEqual([]);
    await vi.advanceTimersByTimeAsync(900);
    expect(scene.recordsOf("patient")).toEqual([expect.objectContaining({ dropped: "reply-expired" })]);
    expect([...scene.stats.drops]).toEqual([["reply-expired", 2]]);
  });

  test("keeps its version open until it is answered, and no longer", async () => {
    const scene = await opened();
    scene.send("a");
    const [begun] = scene.runner.open;
    scene.swap();
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.runner.isReady).toBe(true);
    if (begun !== undefined) scene.runner.end(begun, OK);
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.runner.isReady).toBe(false);
  });
});

test("what is open when the drain time is over is answered with draining", async () => {
  const scene = await opened();
  scene.send("a");
  const drained = scene.drain(50);
  await vi.advanceTimersByTimeAsync(49);
  expect(scene.send("b")).toBe(false);
  expect(scene.nats.delivered[0]?.replies).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(await drained).toBe("forced");
  expect(scene.nats.delivered[0]?.replies).toMatchObject([{ code: "draining" }]);
  expect(scene.runner.open).toEqual([]);
});

test("a drain waits for the connection with the replies that are due, and gives them up when its grace is over", async () => {
  for (const isBackInTime of [true, false]) {
    const scene = await opened();
    scene.send("a");
    scene.disconnect();
    const [begun] = scene.runner.open;
    if (begun !== undefined) scene.runner.end(begun, OK);
    const drained = scene.drain(50);
    await vi.advanceTimersByTimeAsync(40);
    if (isBackInTime) scene.reconnect();
    await vi.advanceTimersByTimeAsync(10);
    expect(await drained).toBe(isBackInTime ? "clean" : "forced");
    expect(scene.nats.delivered[0]?.replies).toHaveLength(isBackInTime ? 1 : 0);
    expect([...scene.stats.drops]).toEqual(isBackInTime ? [] : [["connection-closed", 1]]);
  }
});

describe("the handler", () => {
  test("is idle anew each time that its last request is answered", async () => {
    const scene = await opened();
    const end = (): void => {
      const [begun] = scene.runner.open;
      if (begun !== undefined) scene.runner.end(begun, OK);
    };
    const settled: string[] = [];
    const wait = (what: string): void => void scene.handler.idle().then(() => settled.push(what));
    scene.send("a");
    wait("first");
    end();
    await vi.advanceTimersByTimeAsync(0);
    expect(settled).toEqual(["first"]);
    scene.send("b");
    wait("second");
    await vi.advanceTimersByTimeAsync(0);
    expect(settled).toEqual(["first"]);
    end();
    await vi.advanceTimersByTimeAsync(0);
    expect(settled).toEqual(["first", "second"]);
  });

  test("gives every place back that a plugin held, also where the plugin is removed and comes again", async () => {
    const scene = await opened({ concurrency: 2 });
    for (const id of ["a", "b", "c"]) scene.send(id);
    expect(scene.nats.delivered.map(({ replies }) => replies[0]?.code)).toEqual([undefined, undefined, "overloaded"]);
    await scene.consumer.unsubscribe(scene.stats.plugin);
    await scene.open();
    // Its places are new; those that are still held count for the replica.
    for (const id of ["d", "e"]) scene.send(id);
    expect(scene.admission.inFlight).toBe(4);
    for (const begun of scene.runner.open) scene.runner.end(begun, OK);
    expect(scene.admission.inFlight).toBe(0);
  });
});

const EVENTS = [
  "lose",
  "break",
  "swap",
  "swap-slowly",
  "fail",
  "disconnect",
  "reconnect",
  "reconnect",
  "close",
  "drain",
  "remove",
] as const;

type Event =
  | {
      readonly kind: "send";
      readonly timeoutMs: number | undefined;
      readonly reply: "inbox" | "none" | "reserved";
      readonly bytes: number;
    }
  | { readonly kind: "malformed" }
  | { readonly kind: "end"; readonly which: number; readonly outcome: Outcome }
  | { readonly kind: "read"; readonly which: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: (typeof EVENTS)[number] };

const LIMITS = { deadlineMs: 100, concurrency: 4, payloadBytes: 10, replyBytes: 10 };

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.nat({ max: 20 }).map((bytes): Outcome => ({ kind: "ok", response: { status: 200, body: new Uint8Array(bytes) } })),
  fc.nat({ max: 20 }).map((length): Outcome => ({ kind: "plugin-error", message: "x".repeat(length) })),
  fc.constant<Outcome>({ kind: "trap", message: "unreachable" }),
);

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("send" as const),
      timeoutMs: fc.option(fc.nat({ max: 150 }), { nil: undefined }),
      reply: fc.constantFrom("inbox", "inbox", "inbox", "inbox", "none", "reserved"),
      bytes: fc.nat({ max: 11 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat({ max: 3 }), outcome }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat({ max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("read" as const), which: fc.nat({ max: 3 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom("malformed" as const, ...EVENTS),
    }),
  },
);

/** What the test sent, by the id of the request. */
type Sent = Map<string, (Event & { kind: "send" }) | undefined>;

async function play(scene: Scene, events: readonly Event[]): Promise<Sent> {
  const sent: Sent = new Map();
  for (const [index, step] of events.entries()) {
    const runner = scene.runners.at(-1);
    switch (step.kind) {
      case "send": {
        const reply = { inbox: `_INBOX.${index}`, none: undefined, reserved: "rpc.p" }[step.reply];
        const { timeoutMs, bytes } = step;
        if (scene.send(`id-${index}`, { reply, bytes, ...(timeoutMs !== undefined && { timeoutMs }) })) {
          sent.set(`id-${index}`, step);
        }
        break;
      }
      case "malformed":
        if (scene.send(`id-${index}`, { method: "\ufffd" })) sent.set(`id-${index}`, undefined);
        break;
      case "end": {
        const begun = scene.runners.flatMap(({ open }) => open)[step.which];
        for (const one of scene.runners)
          if (begun !== undefined && one.open.includes(begun)) one.end(begun, step.outcome);
        break;
      }
      case "read": {
        const call = runner?.open[step.which]?.call;
        void call?.gate(KEY_VALUE_GATE).perform({ kind: "get", bucket: "b", key: "k" }, call);
        break;
      }
      case "pass":
        await vi.advanceTimersByTimeAsync(step.ms);
        break;
      case "lose":
        runner?.die();
        break;
      case "break":
        if (runner !== undefined) runner.isBroken = !runner.isBroken;
        break;
      case "swap":
        scene.swap();
        break;
      case "swap-slowly":
        scene.swap(async () => {
          // Of vitest's clock: a start takes so long.
          await new Promise((resolve) => setTimeout(resolve, START_MS));
          return new FakeRunner();
        });
        break;
      case "fail":
        scene.fail();
        break;
      case "disconnect":
        scene.disconnect();
        break;
      case "reconnect":
        scene.reconnect();
        break;
      case "close":
        scene.close();
        break;
      case "drain":
        void scene.drain(30);
        break;
      case "remove":
        void scene.consumer.unsubscribe(scene.stats.plugin);
        break;
    }
  }
  return sent;
}

/** Some requests do not wait for that long. */
const START_MS = 40;

/** Long enough for every deadline, every grace and every restart. */
const EVERYTHING_MS = 1_000;

test("in any order of outcome, deadline, loss, drain, disconnect and reconnect there is one reply or one counted drop, one release and one record", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), fc.integer({ min: 1, max: 6 }), async (events, places) => {
      const scene = new Scene(LIMITS, places);
      scene.swap();
      await scene.open();
      const sent = await play(scene, events);
      await vi.advanceTimersByTimeAsync(EVERYTHING_MS);

      const { delivered } = scene.nats;
      const replies = delivered.flatMap((one) => one.replies);
      const drops = [...scene.stats.drops.values()].reduce((sum, count) => sum + count, 0);
      for (const one of delivered) expect(one.replies.length).toBeLessThanOrEqual(1);
      expect(replies.length + drops).toBe(delivered.length);
      expect(delivered).toHaveLength(sent.size);
      // What could be answered by nobody is never published.
      for (const { sent: message, replies: own } of delivered) {
        if (message.reply === undefined || message.reply.startsWith("rpc")) expect(own).toEqual([]);
      }

      const unanswerable = [...sent.values()].filter((one) => one !== undefined && one.reply !== "inbox").length;
      const outcomes = [...scene.stats.outcomes.values()].reduce((sum, count) => sum + count, 0);
      expect(outcomes).toBe(replies.length);
      expect(outcomes).toBeLessThanOrEqual(sent.size - unanswerable);
      for (const [id, one] of sent) {
        const isAnswerable = one === undefined || one.reply === "inbox";
        expect(scene.recordsOf(id)).toHaveLength(isAnswerable ? 1 : 0);
      }

      expect([scene.admission.inFlight, scene.stats.inFlight]).toEqual([0, 0]);
      await expect(scene.handler.idle()).resolves.toBeUndefined();
      for (const { open, cancelledInVain } of scene.runners) expect([open, cancelledInVain]).toEqual([[], 0]);
      let closed = 0;
      for (const version of scene.versions) void version.retire().then(() => (closed += 1));
      await vi.advanceTimersByTimeAsync(EVERYTHING_MS);
      // Nobody holds one any more.
      expect(closed).toBe(scene.versions.length);
    }),
    { numRuns: 500, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});
