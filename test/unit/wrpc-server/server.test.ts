import { createServer } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import type { Outcome } from "../../../src/contract/request.ts";
import { encodeFrame, encodeOpening } from "../../../src/wrpc/frames.ts";
import { HANDLER_INSTANCE } from "../../../src/wrpc/handler-functions.ts";
import { until } from "../../../scripts/lib/until.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";
import { NAME } from "../consumer/scene.ts";
import { ANY_PORT, fakeTimers, RawCaller, requestBytes, resultIn, WrpcScene } from "./scene.ts";

const OK: Outcome = { kind: "ok", response: { status: 503, body: Buffer.from("hi") } };

const INSTANCE_HEX = Buffer.from(HANDLER_INSTANCE).toString("hex");

const hex = (text: string): Buffer => Buffer.from(text, "hex");

const LEVELS_CALL = hex(`0020${INSTANCE_HEX}11${Buffer.from("get-access-levels").toString("hex")}0000`);
const REQUEST_CALL = hex(`0020${INSTANCE_HEX}0e${Buffer.from("handle-request").toString("hex")}00080137026f6b026869`);

let scene: WrpcScene;

beforeEach(fakeTimers);
afterEach(() => {
  scene.server.close();
  vi.useRealTimers();
});

async function open(...options: ConstructorParameters<typeof WrpcScene>): Promise<WrpcScene> {
  scene = new WrpcScene(...options);
  return await scene.open();
}

async function call(bytes: Uint8Array = REQUEST_CALL): Promise<RawCaller> {
  return (await RawCaller.to(scene.portOf())).send(bytes).end();
}

/** The process answers every call with this. */
function answer(outcome: Outcome): void {
  for (const begun of scene.runner.open) scene.runner.end(begun, outcome);
}

describe("a call", () => {
  test("of handle-request gets, byte for byte, what the Rust crates got", async () => {
    await open();
    const caller = await call();
    await scene.untilBegun();
    const [begun] = scene.runner.open;
    const { id, method, payload } = begun?.request ?? { id: "", method: "", payload: Buffer.alloc(0) };
    expect([id, method, Buffer.from(payload).toString()]).toEqual(["7", "ok", "hi"]);
    expect([scene.consumer.admission.inFlight, scene.consumer.stats.inFlight]).toEqual([1, 1]);
    answer(OK);
    expect((await caller.closed).toString("hex")).toBe("000600f703026869");
    expect(scene.consumer.stats.outcomes.get("ok")).toBe(1);
    expect(scene.consumer.recordsOf("7")).toMatchObject([{ method: "ok", status: 503 }]);
    expect(scene.ended("answered")).toBe(1);
    await scene.untilNothingIsLeft();
  });

  test("gets the plugin's own error as it is", async () => {
    await open();
    const caller = await call();
    await scene.untilBegun();
    answer({ kind: "plugin-error", message: "no 7" });
    expect((await caller.closed).toString("hex")).toBe("000601046e6f2037");
    expect(scene.consumer.stats.outcomes.get("plugin-error")).toBe(1);
  });

  test("of get-access-levels gets what the version that serves declares, and runs nothing", async () => {
    await open();
    expect((await (await call(LEVELS_CALL)).closed).toString("hex")).toBe("000101");
    expect(scene.runner.callsBegun).toBe(0);
    await scene.untilNothingIsLeft();
  });

  test("is taken before the caller ends its side, and cut into single bytes and frames", async () => {
    await open();
    const caller = await RawCaller.to(scene.portOf());
    const opening = encodeOpening({ instance: HANDLER_INSTANCE, name: "handle-request" });
    const frames = [...hex("0137026f6b026869")].flatMap((byte) =>
      [encodeFrame([Uint8Array.of(byte)]), encodeFrame([])].flat(),
    );
    for (const byte of Buffer.concat([opening, ...frames])) caller.send(Uint8Array.of(byte));
    await scene.untilBegun();
    answer(OK);
    await scene.untilEnded("answered");
    caller.end();
    expect(resultIn(await caller.closed)).toMatchObject({ tag: "ok", val: { status: 503 } });
  });

  test.each([
    ["is empty", ""],
    ["has a blank", "a b"],
    ["is not ASCII", "é"],
    ["is too long", "x".repeat(129)],
  ])("whose id %s gets a new one", async (_, id) => {
    await open();
    const caller = await call(requestBytes({ id }));
    await scene.untilBegun();
    expect(scene.runner.open[0]?.request.id).toBe("made-1");
    answer(OK);
    expect(resultIn(await caller.closed)?.tag).toBe("ok");
  });

  test("brings a large payload and gets a large body", async () => {
    const bytes = 8 * 1024 * 1024;
    await open({ payloadBytes: bytes, replyBytes: bytes });
    const payload = new Uint8Array(bytes).fill(7);
    const caller = await call(requestBytes({ payload }));
    await scene.untilBegun();
    expect(scene.runner.open[0]?.request.payload.length).toBe(bytes);
    answer({ kind: "ok", response: { status: 200, body: payload } });
    const result = resultIn(await caller.closed);
    expect(result?.tag === "ok" && Buffer.compare(result.val.body, payload)).toBe(0);
    await scene.untilNothingIsLeft();
  });
});

describe("a call is refused with the text of an error", () => {
  const refusal = async (bytes: Uint8Array): Promise<string> => {
    const result = resultIn(await (await call(bytes)).closed);
    return result?.tag === "err" ? result.val : "";
  };

  test("when the plugin's places are taken", async () => {
    await open({ concurrency: 1 });
    const first = await call();
    await scene.untilBegun();
    expect(await refusal(REQUEST_CALL)).toMatch(/^overloaded: The plugin or the replica is at its limit/);
    expect(scene.consumer.stats.shed).toBe(1);
    answer(OK);
    await first.closed;
  });

  test("when its deadline passes", async () => {
    await open({ deadlineMs: 1_000 });
    const caller = await call();
    await scene.untilBegun();
    await vi.advanceTimersByTimeAsync(1_100);
    expect(resultIn(await caller.closed)).toMatchObject({
      tag: "err",
      val: expect.stringMatching(/^deadline-exceeded: /),
    });
  });

  test("when the plugin traps, or its body is too large", async () => {
    await open({ replyBytes: 10 });
    const trapped = await call();
    await scene.untilBegun();
    answer({ kind: "trap", message: "secret" });
    expect(resultIn(await trapped.closed)).toMatchObject({
      val: expect.stringMatching(/^plugin-trapped: (?!.*secret)/),
    });
    const large = await call();
    await scene.untilBegun(2);
    answer({ kind: "ok", response: { status: 200, body: new Uint8Array(11) } });
    expect(resultIn(await large.closed)).toMatchObject({ val: expect.stringMatching(/^reply-too-large: /) });
    expect(scene.consumer.stats.outcomes.get("reply-too-large")).toBe(1);
  });

  test("when no version serves", async () => {
    await open();
    scene.consumer.fail();
    expect(await refusal(REQUEST_CALL)).toMatch(/^plugin-unavailable: /);
    expect((await (await call(LEVELS_CALL)).closed).length).toBe(0);
    expect(scene.ended("unanswerable")).toBe(1);
  });

  test("when the payload is larger than the plugin's limit, before it has arrived", async () => {
    await open({ payloadBytes: 100 });
    expect(await refusal(requestBytes({ payload: new Uint8Array(101) }))).toMatch(
      /^payload-too-large: The payload has 101 bytes/,
    );
    const opening = encodeOpening({ instance: HANDLER_INSTANCE, name: "handle-request" });
    // 4 GiB are announced by the frame, and by the payload.
    const announced = Buffer.concat([opening, hex("00ffffffff0f 0137026f6b ffffffff0f".replaceAll(" ", ""))]);
    const caller = (await RawCaller.to(scene.portOf())).send(announced);
    await scene.untilEnded("answered", 2);
    expect(resultIn(caller.received)).toMatchObject({
      val: expect.stringMatching(/^payload-too-large: The parameters/),
    });
    expect(scene.consumer.stats.outcomes.get("payload-too-large")).toBe(2);
    caller.end();
    await caller.closed;
  });

  test("when its method is too long or its parameters are malformed", async () => {
    await open();
    expect(await refusal(requestBytes({ method: "m".repeat(256) }))).toBe(
      "bad-request: a method has at most 255 bytes",
    );
    const opening = encodeOpening({ instance: HANDLER_INSTANCE, name: "handle-request" });
    const notUtf8 = Buffer.concat([opening, ...encodeFrame([hex("01ff016d00")])]);
    expect(await refusal(notUtf8)).toBe("bad-request: The parameters are malformed: a string is not UTF-8.");
    const longer = Buffer.concat([opening, ...encodeFrame([hex("0137026f6b02686900")])]);
    expect(await refusal(longer)).toBe("bad-request: The parameters are malformed: 1 bytes follow the last value.");
    expect(scene.consumer.stats.outcomes.get("bad-request")).toBe(3);
    expect(scene.runner.callsBegun).toBe(0);
  });

  test("and is refused while too many parameters have arrived in part", async () => {
    await open();
    scene.stats.parameterBytes = FIXED_LIMITS.wrpcParameterBytes;
    const half = REQUEST_CALL.subarray(0, -1);
    const caller = (await RawCaller.to(scene.portOf())).send(half);
    await scene.untilEnded("answered");
    expect(resultIn(caller.received)).toMatchObject({ val: expect.stringMatching(/^overloaded: /) });
    expect(scene.stats.parameterBytes).toBe(FIXED_LIMITS.wrpcParameterBytes);
    caller.end();
    await caller.closed;
  });

  test("and is refused while too many parameters of the plugin have arrived in part, which leave room for others'", async () => {
    await open();
    const other = scene.stats.of("other");
    other.parameterBytes = FIXED_LIMITS.wrpcPluginParameterBytes;
    scene.stats.parameterBytes = FIXED_LIMITS.wrpcPluginParameterBytes;
    const caller = (await RawCaller.to(scene.portOf())).send(REQUEST_CALL.subarray(0, -1));
    await expect.poll(() => scene.stats.of(NAME).parameterBytes).toBeGreaterThan(0);
    caller.send(REQUEST_CALL.subarray(-1));
    await scene.untilBegun();
    answer(OK);
    expect(resultIn(await caller.end().closed)).toMatchObject({ tag: "ok" });
    scene.stats.parameterBytes = 0;
    scene.stats.of(NAME).parameterBytes = FIXED_LIMITS.wrpcPluginParameterBytes;
    const refused = (await RawCaller.to(scene.portOf())).send(REQUEST_CALL.subarray(0, -1));
    await scene.untilEnded("answered", 2);
    expect(resultIn(refused.received)).toMatchObject({ val: expect.stringMatching(/^overloaded: /) });
    expect(scene.stats.of(NAME).parameterBytes).toBe(FIXED_LIMITS.wrpcPluginParameterBytes);
    refused.end();
    await refused.closed;
  });

  test("when the replica does not take the plugin's requests", async () => {
    await open();
    await scene.listen([NAME, "other"]);
    const caller = (await RawCaller.to(scene.portOf("other"))).send(REQUEST_CALL).end();
    expect(resultIn(await caller.closed)).toMatchObject({ val: expect.stringMatching(/^plugin-unavailable: /) });
  });
});

describe("a connection without a call", () => {
  test.each([
    ["of another version of the framing", "01", "malformed"],
    ["with a frame of a stream", `${REQUEST_CALL.subarray(0, 49).toString("hex")}0100`, "malformed"],
    ["with bytes behind its parameters", `${REQUEST_CALL.toString("hex")}0001ff`, "malformed"],
    ["with bytes behind no parameters", `${LEVELS_CALL.toString("hex")}0001ff`, "malformed"],
    ["of another instance", `000161${REQUEST_CALL.subarray(34).toString("hex")}`, "unknown-function"],
    ["of another function", `0020${INSTANCE_HEX}0161`, "unknown-function"],
  ] as const)("%s is closed and counted", async (_, bytes, outcome) => {
    await open();
    const caller = (await RawCaller.to(scene.portOf())).send(hex(bytes));
    expect((await caller.closed).length).toBe(0);
    expect(scene.ended(outcome)).toBe(1);
    expect(scene.runner.callsBegun).toBe(0);
    await scene.untilNothingIsLeft();
  });

  test("of endless empty frames is closed", async () => {
    await open();
    const opening = encodeOpening({ instance: HANDLER_INSTANCE, name: "handle-request" });
    const caller = (await RawCaller.to(scene.portOf())).send(opening);
    caller.send(Buffer.alloc(2 * (FIXED_LIMITS.wrpcFrames + 1)));
    await caller.closed;
    expect(scene.ended("malformed")).toBe(1);
    expect(scene.details).toEqual([`more than ${FIXED_LIMITS.wrpcFrames} frames`]);
  });

  test("whose parameters trickle in is closed when its time is over", async () => {
    await open();
    const caller = await RawCaller.to(scene.portOf());
    await until(() => Promise.resolve(scene.stats.open === 1), { what: "it is accepted" });
    for (const byte of REQUEST_CALL.subarray(0, 40)) {
      caller.send(Uint8Array.of(byte));
      await vi.advanceTimersByTimeAsync(FIXED_LIMITS.wrpcParametersMs / 50);
    }
    expect(scene.ended("slow")).toBe(0);
    await vi.advanceTimersByTimeAsync(FIXED_LIMITS.wrpcParametersMs / 4);
    await caller.closed;
    expect(scene.ended("slow")).toBe(1);
    await scene.untilNothingIsLeft();
  });

  test("that sends nothing, or stops in the middle, is closed and counted", async () => {
    await open();
    const silent = await RawCaller.to(scene.portOf());
    const ended = (await RawCaller.to(scene.portOf())).end();
    const incomplete = (await RawCaller.to(scene.portOf())).send(REQUEST_CALL.subarray(0, 50)).end();
    await Promise.all([ended.closed, incomplete.closed]);
    await vi.advanceTimersByTimeAsync(FIXED_LIMITS.wrpcParametersMs + 100);
    await silent.closed;
    expect([scene.ended("silent"), scene.ended("incomplete")]).toEqual([2, 1]);
    await scene.untilNothingIsLeft();
  });
});

describe("connections", () => {
  const connectMany = async (count: number, plugin: string = NAME): Promise<RawCaller[]> => {
    const port = scene.portOf(plugin);
    return await Promise.all(Array.from({ length: count }, () => RawCaller.to(port)));
  };

  test("beyond the bound of a plugin are closed at once and counted", async () => {
    await open();
    const callers = await connectMany(FIXED_LIMITS.wrpcPluginConnections);
    await until(() => Promise.resolve(scene.stats.open === callers.length), { what: "all are accepted" });
    const [further] = await connectMany(1);
    expect((await further?.closed)?.length).toBe(0);
    expect(scene.ended("too-many")).toBe(1);
    for (const { socket } of callers) socket.destroy();
    await scene.untilNothingIsLeft();
    const caller = await call();
    await scene.untilBegun();
    answer(OK);
    expect(resultIn(await caller.closed)?.tag).toBe("ok");
  });

  test("beyond the bound of the replica are closed at once and counted", async () => {
    await open();
    const plugins = [NAME, "b", "c"];
    await scene.listen(plugins);
    const { wrpcConnections, wrpcPluginConnections } = FIXED_LIMITS;
    const each = Math.min(wrpcPluginConnections, Math.ceil(wrpcConnections / 2));
    const callers = [...(await connectMany(each)), ...(await connectMany(wrpcConnections - each, "b"))];
    await until(() => Promise.resolve(scene.stats.open === wrpcConnections), { what: "all are accepted" });
    const [further] = await connectMany(1, "c");
    await further?.closed;
    expect(scene.ended("too-many", "c")).toBe(1);
    for (const { socket } of callers) socket.destroy();
    await scene.untilNothingIsLeft();
  });
});

describe("a caller", () => {
  test("that goes away during its call has its result dropped and counted; the place is kept until then", async () => {
    await open();
    const caller = await call();
    await scene.untilBegun();
    caller.socket.resetAndDestroy();
    await caller.closed;
    expect(scene.consumer.admission.inFlight).toBe(1);
    answer({ kind: "ok", response: { status: 200, body: new Uint8Array(1_000_000) } });
    await until(() => Promise.resolve(scene.consumer.stats.drops.get("caller-gone") === 1), { what: "it is dropped" });
    expect(scene.ended("caller-gone")).toBe(1);
    expect(scene.consumer.recordsOf("7")).toMatchObject([{ dropped: "caller-gone" }]);
    await scene.untilNothingIsLeft();
  });

  test("that does not read its result is closed when its time is over", async () => {
    const bytes = 16 * 1024 * 1024;
    await open({ replyBytes: bytes });
    const caller = await RawCaller.to(scene.portOf());
    caller.socket.pause();
    caller.send(REQUEST_CALL).end();
    await scene.untilBegun();
    answer({ kind: "ok", response: { status: 200, body: new Uint8Array(bytes) } });
    expect(scene.stats.replyBytes).toBeGreaterThan(bytes);
    await vi.advanceTimersByTimeAsync(FIXED_LIMITS.wrpcReplyMs + 100);
    await scene.untilEnded("reply-unread");
    expect(scene.consumer.stats.drops.get("reply-unread")).toBe(1);
    await scene.untilNothingIsLeft();
    caller.socket.destroy();
  });

  test("whose result comes late is given up while too many results wait", async () => {
    await open();
    const caller = await call();
    await scene.untilBegun();
    scene.stats.replyBytes = FIXED_LIMITS.wrpcReplyBytes;
    answer(OK);
    expect((await caller.closed).length).toBe(0);
    expect(scene.consumer.stats.drops.get("reply-no-room")).toBe(1);
    expect(scene.stats.replyBytes).toBe(FIXED_LIMITS.wrpcReplyBytes);
  });

  test("whose result comes late is given up while too many results of the plugin wait", async () => {
    await open();
    scene.stats.of("other").replyBytes = FIXED_LIMITS.wrpcPluginReplyBytes;
    const answered = await call();
    await scene.untilBegun();
    answer(OK);
    expect((await answered.closed).length).toBeGreaterThan(0);
    const caller = await call();
    await scene.untilBegun(2);
    scene.stats.of(NAME).replyBytes = FIXED_LIMITS.wrpcPluginReplyBytes;
    answer(OK);
    expect((await caller.closed).length).toBe(0);
    expect(scene.consumer.stats.drops.get("reply-no-room")).toBe(1);
    expect(scene.stats.of(NAME).replyBytes).toBe(FIXED_LIMITS.wrpcPluginReplyBytes);
  });

  test("that stays open after its result is closed", async () => {
    await open();
    const caller = await RawCaller.to(scene.portOf(), { allowHalfOpen: true });
    caller.send(REQUEST_CALL);
    await scene.untilBegun();
    answer(OK);
    await scene.untilEnded("answered");
    expect(scene.stats.open).toBe(1);
    await vi.advanceTimersByTimeAsync(FIXED_LIMITS.wrpcLingerMs + 100);
    await scene.untilNothingIsLeft();
    expect(resultIn(caller.received)?.tag).toBe("ok");
    caller.socket.destroy();
  });

  test("of random bytes or of damaged calls leaves nothing behind", async () => {
    await open();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 4 }),
        fc.constantFrom(REQUEST_CALL, LEVELS_CALL),
        fc.nat(),
        fc.nat(0xff),
        fc.boolean(),
        async (noise, known, at, byte, isReset) => {
          const damaged = Uint8Array.from(known);
          damaged[at % damaged.length] = byte;
          for (const chunks of [noise, [damaged, ...noise]]) {
            const caller = await RawCaller.to(scene.portOf());
            for (const chunk of chunks) caller.send(chunk);
            if (isReset) caller.socket.resetAndDestroy();
            else caller.end();
            const isClosed = caller.closed.then(() => true);
            while (!(await Promise.race([isClosed, new Promise<false>((next) => setImmediate(next, false))])))
              answer(OK);
          }
          answer(OK);
        },
      ),
      { numRuns: 150, interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
    const finish = async (): Promise<boolean> => {
      answer(OK);
      return await Promise.resolve(scene.stats.open === 0 && scene.consumer.admission.inFlight === 0);
    };
    await until(finish, { what: "all calls have ended" });
    await scene.untilNothingIsLeft();
  });
});

describe("a drain", () => {
  test("listens no more, refuses what is not complete, and waits for the results of what runs", async () => {
    await open();
    const port = scene.portOf();
    const running = await call();
    await scene.untilBegun();
    const incomplete = (await RawCaller.to(port)).send(REQUEST_CALL.subarray(0, 52));
    const silent = await RawCaller.to(port);
    await until(() => Promise.resolve(scene.stats.open === 3), { what: "all are accepted" });
    await until(() => Promise.resolve(scene.stats.parameterBytes > 0), { what: "its first bytes are read" });
    const drained = scene.consumer.drain(5_000);
    await scene.untilEnded("stopped");
    expect(resultIn(await incomplete.end().closed)).toMatchObject({ val: expect.stringMatching(/^draining: /) });
    await silent.closed;
    const late = await RawCaller.to(port);
    expect((await late.closed).length).toBe(0);
    answer(OK);
    expect(resultIn(await running.closed)?.tag).toBe("ok");
    expect(await drained).toBe("clean");
  });

  test("that takes too long answers what still runs", async () => {
    await open();
    const running = await call();
    await scene.untilBegun();
    const drained = scene.consumer.drain(500);
    await until(async () => (await RawCaller.to(scene.portOf())).socket.destroyed, { what: "it listens no more" });
    await vi.advanceTimersByTimeAsync(600);
    expect(resultIn(await running.closed)).toMatchObject({ val: expect.stringMatching(/^draining: /) });
    expect(await drained).toBe("forced");
    expect(scene.consumer.stats.outcomes.get("draining") ?? scene.consumer.stats.drops.get("connection-closed")).toBe(
      1,
    );
    running.socket.destroy();
    await scene.untilNothingIsLeft();
  });
});

describe("listeners", () => {
  test("follow the settings, and finish the calls of those that are closed", async () => {
    await open();
    const port = scene.portOf();
    const running = await call();
    await scene.untilBegun();
    await scene.listen(["other"]);
    expect([...scene.server.addresses.keys()]).toEqual(["other"]);
    expect((await (await RawCaller.to(port)).closed).length).toBe(0);
    answer(OK);
    expect(resultIn(await running.closed)?.tag).toBe("ok");
    await scene.listen([NAME, "other"]);
    expect([...scene.server.addresses.keys()].sort()).toEqual(["other", NAME]);
    await scene.server.follow();
    expect([...scene.server.addresses.keys()]).toEqual([]);
  });

  test("on an address that is taken fail with listen-failed, and are tried again", async () => {
    await open();
    await using taken = createServer();
    await new Promise<void>((listening) => taken.listen({ ...ANY_PORT }, listening));
    const address = { host: "127.0.0.1", port: (taken.address() as { port: number }).port };
    const settings = { plugins: new Map([["other" as PluginName, address]]), tls: undefined };
    const [error] = await scene.server.follow(settings);
    expect([error?.code, error?.message]).toEqual(["listen-failed", expect.stringContaining("EADDRINUSE")]);
    expect(scene.failures).toEqual([error]);
    await new Promise((closed) => taken.close(closed));
    expect(await scene.server.follow(settings)).toEqual([]);
  });
});
