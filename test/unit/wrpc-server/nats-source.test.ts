/** Calls over wRPC on NATS, message by message: what the host keeps, what it publishes, and what it hands on. */

import fc from "fast-check";
import type { Msg } from "nats";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Decoded } from "../../../src/consumer/decode.ts";
import type { AnswerOptions, RequestOrigin } from "../../../src/consumer/reply.ts";
import type { ServedPlugin } from "../../../src/consumer/served-plugin.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import type { Outcome } from "../../../src/contract/request.ts";
import type { PlainMessage } from "../../../src/nats/encoded-publish.ts";
import type { SubscriptionPlan } from "../../../src/nats/held-subscription.ts";
import type { OutgoingReply, OutgoingSequence } from "../../../src/nats/reply-sender.ts";
import { WrpcStats } from "../../../src/telemetry/wrpc-stats.ts";
import { encodeValue, HANDLE_REQUEST } from "../../../src/wrpc/handler-functions.ts";
import { NatsSource } from "../../../src/wrpc-server/nats/nats-source.ts";
import { resultMessages } from "../../../src/wrpc-server/nats/invocation.ts";

const ECHO = "echo" as PluginName;
const PREFIX = "wrpc.test";
const FUNCTION = `${PREFIX}.echo.wrpc.0.0.1.local:network-host/handler@1.0.0`;
const CALLER = "_INBOX.caller.1";
const MAX_PAYLOAD_BYTES = 1_024;

/** `loaded`, as far as the source looks at a slot. */
function pluginOf(name: PluginName, terms: object = {}): ServedPlugin {
  const limits = { payloadBytes: 100_000, deadlineMs: 5_000 };
  const version = { parts: { requested: 5 }, authority: { now: { kind: "granted", limits, ...terms } } };
  const stats = { refuse: vi.fn(), drop: vi.fn() };
  const slot = { name, state: { kind: "loaded", version }, stats };
  return { slot, stats, turns: { run: (work: () => void) => work() } } as unknown as ServedPlugin;
}

interface Taken {
  readonly plugin: ServedPlugin;
  readonly origin: RequestOrigin;
  readonly decoded: Decoded;
}

class SourceScene {
  readonly stats = new WrpcStats();
  readonly taken: Taken[] = [];
  readonly refused: { readonly code: string; readonly origin: RequestOrigin }[] = [];
  readonly dropped: string[] = [];
  /** What was published, in order. */
  readonly published: PlainMessage[] = [];
  readonly statuses: string[] = [];
  isCarrying = true;
  readonly source: NatsSource;
  readonly #plans = new Map<string, SubscriptionPlan>();
  #ids = 0;

  constructor() {
    this.source = new NatsSource({
      prefix: PREFIX,
      plugins: new Set([ECHO]),
      group: "g",
      subscriptions: { open: (plans) => (this.#add(plans), []) },
      replies: {
        send: (reply: OutgoingReply | OutgoingSequence) => {
          const encoded = reply.encode(MAX_PAYLOAD_BYTES);
          if ("messages" in encoded) this.published.push(...encoded.messages);
          else this.statuses.push(`${reply.subject} ${Buffer.from(encoded.headers).toString()}`);
          reply.settled({ kind: "sent" });
        },
        precede: (messages) => {
          if (this.isCarrying) this.published.push(...messages);
          return this.isCarrying;
        },
      },
      handler: {
        take: (plugin, origin, decoded) => void this.taken.push({ plugin, origin, decoded }),
        refuse: (_plugin, origin, { code }) => void this.refused.push({ code, origin }),
        drop: (_plugin, reply) => void this.dropped.push(reply ?? ""),
      },
      stats: this.stats,
      newId: () => `id-${(this.#ids += 1)}`,
    });
    this.source.listen();
  }

  serve(plugin: ServedPlugin): void {
    this.#add(
      this.source.plansOf(plugin, { stamp: () => ({ readMs: performance.now(), arrivedMs: performance.now() }) }),
    );
  }

  /** Every subject, with its queue group. */
  get subjects(): readonly string[] {
    return [...this.#plans.values()].map(({ subject, queue = "-" }) => `${subject} ${queue}`);
  }

  deliver(subject: string, data: Uint8Array, reply = ""): void {
    const matches = (pattern: string): boolean =>
      new RegExp(`^${pattern.replaceAll(".", "\\.").replace("*", "[^.]+")}$`).test(subject);
    const plan = [...this.#plans].find(([pattern]) => matches(pattern))?.[1];
    if (plan === undefined) throw new Error(`nobody listens on ${subject}`);
    plan.deliver({ subject, data, reply } as Msg);
  }

  invoke(data: Uint8Array, reply = CALLER): void {
    this.deliver(`${FUNCTION}.handle-request`, data, reply);
  }

  #add(plans: readonly SubscriptionPlan[]): void {
    for (const plan of plans) this.#plans.set(plan.subject, plan);
  }
}

const EMPTY = new Uint8Array(0);

function parameters(payload: Uint8Array, { id = "7", method = "m" } = {}): Buffer {
  return Buffer.concat(encodeValue(HANDLE_REQUEST.parameters, [{ id, method, payload }]));
}

function answer(origin: RequestOrigin | undefined, outcome: Outcome): void {
  const rest = { plugin: "echo", owner: { refused: () => undefined }, id: "7", untilMs: 0, settled: () => undefined };
  origin?.reply({ ...rest, outcome, replyBytes: 1_000_000 } satisfies AnswerOptions);
}

function requestIn(decoded: Decoded | undefined): object | undefined {
  if (decoded?.kind !== "request") return decoded;
  return { ...decoded.request, payload: Buffer.from(decoded.request.payload).toString("hex").slice(0, 20) };
}

let scene: SourceScene;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  scene = new SourceScene();
  scene.serve(pluginOf(ECHO));
});

afterEach(() => {
  vi.useRealTimers();
});

/** Begins a call whose parameters do not fit; returns where the rest of them goes. */
function begin(
  payload: Uint8Array,
  firstBytes: number,
  caller = CALLER,
): { readonly subject: string; readonly rest: Buffer } {
  const all = parameters(payload);
  scene.invoke(all.subarray(0, firstBytes), caller);
  const inbox = scene.published.at(-1)?.reply ?? "";
  return { subject: `${inbox}.params`, rest: all.subarray(firstBytes) };
}

describe("a plugin", () => {
  test("on the list has the subjects of both functions, in the queue group; another one has none", () => {
    scene.serve(pluginOf("other" as PluginName));
    expect(scene.subjects).toEqual([
      expect.stringMatching(/^_INBOX\.\w+\.open\.\*\.params -$/),
      `${FUNCTION}.handle-request g`,
      `${FUNCTION}.get-access-levels g`,
    ]);
  });
});

describe("a call", () => {
  test("whose parameters come at once is handed on, and gets handshake, result and end together", () => {
    scene.invoke(parameters(Buffer.from("hi")));
    expect(scene.published).toEqual([]);
    const [taken] = scene.taken;
    expect(requestIn(taken?.decoded)).toEqual({ id: "7", method: "m", payload: "6869" });
    answer(taken?.origin, { kind: "ok", response: { status: 503, body: Buffer.from("hi") } });
    const [handshake, result, end] = scene.published;
    expect(handshake).toMatchObject({ subject: CALLER, reply: expect.stringMatching(/^_INBOX\.\w+\.complete$/) });
    expect(handshake?.data).toHaveLength(0);
    expect([result?.subject, Buffer.from(result?.data ?? EMPTY).toString("hex")]).toEqual([
      `${CALLER}.results`,
      "00f703026869",
    ]);
    expect([end?.subject, end?.data.length, scene.published.length]).toEqual([`${CALLER}.results`, 0, 3]);
    // Nobody listens to what the caller sends then.
    expect(() => scene.deliver(`${handshake?.reply}.params`, EMPTY)).toThrow(/nobody listens/);
  });

  test("whose parameters do not fit is asked for the rest, wherever they are cut", () => {
    const payload = Buffer.alloc(200, 7);
    const { length } = parameters(payload);
    for (const firstBytes of [0, 1, 2, 3, 5, 6, 100, length - 1]) {
      const { subject, rest } = begin(payload, firstBytes);
      expect(scene.taken).toHaveLength(0);
      const half = Math.ceil(rest.length / 2);
      scene.deliver(subject, rest.subarray(0, half));
      if (half < rest.length) scene.deliver(subject, rest.subarray(half));
      expect(requestIn(scene.taken.splice(0)[0]?.decoded)).toMatchObject({ id: "7", method: "m" });
      // Its end comes later, and says nothing new.
      scene.deliver(subject, EMPTY);
    }
    expect([scene.refused, scene.stats.parameterBytes]).toEqual([[], 0]);
  });

  test("gets no second handshake with its result", () => {
    const { subject, rest } = begin(Buffer.alloc(50), 10);
    scene.deliver(subject, rest);
    scene.published.length = 0;
    answer(scene.taken[0]?.origin, { kind: "plugin-error", message: "no 7" });
    expect(scene.published.map(({ data, reply }) => [Buffer.from(data).toString("hex"), reply])).toEqual([
      ["01046e6f2037", undefined],
      ["", undefined],
    ]);
  });

  test("is refused with the code and its summary as the error's text", () => {
    scene.invoke(parameters(EMPTY));
    answer(scene.taken[0]?.origin, { kind: "failed", code: "overloaded", message: "for the log" });
    expect(Buffer.from(scene.published[1]?.data ?? EMPTY).toString()).toMatch(/overloaded: The plugin or the replica/);
  });

  test("with an empty or malformed id gets a new one, and with too long a method is refused", () => {
    scene.invoke(parameters(EMPTY, { id: "" }));
    scene.invoke(parameters(EMPTY, { id: "a b" }));
    scene.invoke(parameters(EMPTY, { method: "x".repeat(256) }));
    const [first, second, third] = scene.taken.map(({ decoded }) => requestIn(decoded));
    expect([first, second]).toEqual([
      { id: "id-1", method: "m", payload: "" },
      { id: "id-2", method: "m", payload: "" },
    ]);
    expect(third).toMatchObject({ kind: "malformed" });
  });

  test("that no reply can be sent to is dropped: neither host nor server is to be called by it", () => {
    const own = scene.subjects[0]?.replace(".open.*.params -", ".open.x") ?? "";
    const long = `_INBOX.${"x".repeat(FIXED_LIMITS.wrpcReplySubjectLength)}`;
    const refused = [
      "",
      "rpc.echo",
      "$JS.API.INFO",
      "a.*",
      "a.>",
      `${FUNCTION}.handle-request`,
      `${PREFIX}.other`,
      own,
      long,
    ];
    for (const reply of refused) scene.invoke(parameters(EMPTY), reply);
    for (const reply of refused) scene.deliver(`${FUNCTION}.get-access-levels`, EMPTY, reply);
    expect(scene.dropped).toEqual([...refused, ...refused]);
    expect([scene.taken, scene.published]).toEqual([[], []]);
  });
});

describe("parameters", () => {
  test("that are not valid are refused: other bytes, too many, and an end that comes too early", () => {
    scene.invoke(Buffer.from("02c328006100", "hex"));
    scene.invoke(Buffer.concat([parameters(EMPTY), Buffer.from("x")]));
    const early = begin(Buffer.alloc(50), 10);
    scene.deliver(early.subject, EMPTY);
    expect(scene.refused.map(({ code }) => code)).toEqual(["bad-request", "bad-request", "bad-request"]);
  });

  test("that announce more than the plugin's limit are refused before they arrive, and what still comes is ignored", () => {
    const announced = parameters(Buffer.alloc(200_000)).subarray(0, 20);
    scene.invoke(announced);
    expect(scene.refused.map(({ code }) => code)).toEqual(["payload-too-large"]);
    expect(scene.stats.parameterBytes).toBe(0);
    // Of a call that was asked for more.
    const { subject } = begin(Buffer.alloc(200_000), 1);
    scene.deliver(subject, announced.subarray(1));
    scene.deliver(subject, Buffer.alloc(1_000));
    expect(scene.refused.map(({ code }) => code)).toEqual(["payload-too-large", "payload-too-large"]);
  });

  test("that do not arrive in time are refused with deadline-exceeded", () => {
    begin(Buffer.alloc(50), 10);
    vi.advanceTimersByTime(4_900);
    expect(scene.refused).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(scene.refused.map(({ code }) => code)).toEqual(["deadline-exceeded"]);
    expect(scene.stats.parameterBytes).toBe(0);
  });

  test("that pause for too long are refused, even within a longer deadline, and those that keep coming are taken", () => {
    const limits = { payloadBytes: 100_000, deadlineMs: 60_000 };
    scene.serve(pluginOf(ECHO, { limits }));
    const { wrpcParametersPauseMs } = FIXED_LIMITS;
    const steady = begin(Buffer.alloc(50), 10);
    begin(Buffer.alloc(50), 10);
    vi.advanceTimersByTime(wrpcParametersPauseMs - 1_000);
    scene.deliver(steady.subject, steady.rest.subarray(0, 1));
    vi.advanceTimersByTime(2_000);
    expect(scene.refused.map(({ code }) => code)).toEqual(["deadline-exceeded"]);
    scene.deliver(steady.subject, steady.rest.subarray(1));
    expect([scene.taken.length, scene.refused.length]).toEqual([1, 1]);
    // However small its steps are, the deadline ends it.
    const trickling = begin(Buffer.alloc(50), 10);
    for (let at = 0; at < 7; at += 1) {
      scene.deliver(trickling.subject, trickling.rest.subarray(at, at + 1));
      vi.advanceTimersByTime(wrpcParametersPauseMs - 1_000);
    }
    expect(scene.refused).toHaveLength(2);
  });

  test("from whoever does not know the call's subject are ignored", () => {
    const { subject } = begin(Buffer.alloc(50), 10);
    const guess = subject.replace(/[^.]+\.params$/, "guess.params");
    scene.deliver(guess, Buffer.alloc(100));
    scene.deliver(guess, EMPTY);
    expect([scene.taken, scene.refused]).toEqual([[], []]);
  });

  test("of a bounded number of calls of a plugin are waited for, and of all plugins together", () => {
    for (let at = 0; at < FIXED_LIMITS.wrpcPluginOpenParameters; at += 1) begin(Buffer.alloc(50), 10, `_INBOX.${at}`);
    expect(scene.refused).toEqual([]);
    begin(Buffer.alloc(50), 10);
    expect(scene.refused.map(({ code }) => code)).toEqual(["overloaded"]);
    // What comes whole needs no place.
    scene.invoke(parameters(EMPTY));
    expect(scene.taken).toHaveLength(1);
    // Another plugin has places until the replica's are taken.
    for (let at = FIXED_LIMITS.wrpcPluginOpenParameters; at < FIXED_LIMITS.wrpcOpenParameters; at += 1) {
      if (at % FIXED_LIMITS.wrpcPluginOpenParameters === 0) scene.serve(pluginOf(ECHO));
      begin(Buffer.alloc(50), 10, `_INBOX.${at}`);
    }
    expect(scene.refused).toHaveLength(1);
    scene.serve(pluginOf(ECHO));
    begin(Buffer.alloc(50), 10);
    expect(scene.refused.map(({ code }) => code)).toEqual(["overloaded", "overloaded"]);
    vi.advanceTimersByTime(5_100);
    begin(Buffer.alloc(50), 10);
    expect(scene.refused).toHaveLength(2 + FIXED_LIMITS.wrpcOpenParameters);
  });

  test("are kept for all calls within a bounded number of bytes", () => {
    const first = begin(Buffer.alloc(90_000), 10);
    scene.stats.parameterBytes += FIXED_LIMITS.wrpcParameterBytes;
    scene.deliver(first.subject, first.rest.subarray(0, 50_000));
    begin(Buffer.alloc(50), 10);
    expect(scene.refused.map(({ code }) => code)).toEqual(["overloaded", "overloaded"]);
  });

  test("are kept for one plugin's calls within fewer, and are given back", () => {
    const held = scene.stats.of(ECHO);
    const first = begin(Buffer.alloc(90_000), 10);
    expect(held.parameterBytes).toBeGreaterThan(0);
    scene.deliver(first.subject, first.rest);
    expect([scene.taken.length, held.parameterBytes, scene.stats.parameterBytes]).toEqual([1, 0, 0]);
    held.parameterBytes = FIXED_LIMITS.wrpcPluginParameterBytes;
    begin(Buffer.alloc(50), 10);
    expect(scene.refused.map(({ code }) => code)).toEqual(["overloaded"]);
    scene.stats.of("other").parameterBytes = FIXED_LIMITS.wrpcPluginParameterBytes;
    held.parameterBytes = 0;
    begin(Buffer.alloc(50), 10);
    expect(scene.refused).toHaveLength(1);
  });

  test("that are large are asked for in turn", () => {
    const mib = 1_024 * 1_024;
    const limits = { payloadBytes: 40 * mib, deadlineMs: 60_000 };
    scene.serve(pluginOf(ECHO, { limits }));
    const size = FIXED_LIMITS.wrpcPluginAwaitedBytes / 2 - mib;
    const asked = (): unknown[] => scene.published.map(({ subject }) => subject);
    const first = begin(Buffer.alloc(size), 10, "_INBOX.1");
    begin(Buffer.alloc(size), 10, "_INBOX.2");
    for (const caller of ["_INBOX.3", "_INBOX.4"]) begin(Buffer.alloc(size), 10, caller);
    expect(asked()).toEqual(["_INBOX.1", "_INBOX.2"]);
    // Another plugin's callers do not wait for these.
    scene.serve(pluginOf(ECHO, { limits }));
    begin(Buffer.alloc(size), 10, "_INBOX.other");
    expect(asked()).toEqual(["_INBOX.1", "_INBOX.2", "_INBOX.other"]);
    // Half of it makes no room for another one.
    scene.deliver(first.subject, first.rest.subarray(0, mib));
    expect(asked()).toHaveLength(3);
    scene.deliver(first.subject, first.rest.subarray(mib));
    expect(scene.taken).toHaveLength(1);
    expect(asked()).toEqual(["_INBOX.1", "_INBOX.2", "_INBOX.other", "_INBOX.3"]);
    // Those that were asked and send nothing make room; the time of one that waits for its turn is the plugin's deadline.
    vi.advanceTimersByTime(FIXED_LIMITS.wrpcParametersPauseMs + 100);
    expect(scene.refused.map(({ code }) => code)).toEqual(Array(3).fill("deadline-exceeded"));
    expect(asked().at(-1)).toBe("_INBOX.4");
  });

  test("of calls that wait for their turn are not asked for once the replica stops", async () => {
    const limits = { payloadBytes: FIXED_LIMITS.wrpcPluginAwaitedBytes, deadlineMs: 60_000 };
    scene.serve(pluginOf(ECHO, { limits }));
    for (const caller of ["_INBOX.1", "_INBOX.2"])
      begin(Buffer.alloc(FIXED_LIMITS.wrpcPluginAwaitedBytes - 100), 10, caller);
    await scene.source.stop();
    expect(scene.published.map(({ subject }) => subject)).toEqual(["_INBOX.1"]);
    expect(scene.refused.map(({ code }) => code)).toEqual(["draining", "draining"]);
    expect(scene.stats.parameterBytes).toBe(0);
  });

  test("of calls that wait when the replica stops are refused, and later calls must come whole", async () => {
    begin(Buffer.alloc(50), 10);
    await scene.source.stop();
    begin(Buffer.alloc(50), 10);
    scene.invoke(parameters(EMPTY));
    expect(scene.refused.map(({ code }) => code)).toEqual(["draining", "draining"]);
    expect(scene.taken).toHaveLength(1);
  });

  test("are not asked for while the connection carries no messages", () => {
    scene.isCarrying = false;
    scene.invoke(parameters(Buffer.alloc(50)).subarray(0, 10));
    expect(scene.refused.map(({ code }) => code)).toEqual(["plugin-unavailable"]);
    expect(scene.stats.parameterBytes).toBe(0);
  });
});

describe("get-access-levels", () => {
  const ask = (data = EMPTY): void => scene.deliver(`${FUNCTION}.get-access-levels`, data, CALLER);

  test("is answered with what the component asked for", () => {
    ask();
    expect(scene.published.map(({ subject, data }) => [subject, Buffer.from(data).toString("hex")])).toEqual([
      [CALLER, ""],
      [`${CALLER}.results`, "05"],
      [`${CALLER}.results`, ""],
    ]);
  });

  test("has no place for an error, so a refusal is a status in place of the handshake", () => {
    ask(Buffer.from("x"));
    scene.serve(pluginOf(ECHO, { kind: "denied" }));
    ask();
    expect(scene.published).toEqual([]);
    expect(scene.statuses).toEqual([
      expect.stringMatching(/^_INBOX\.caller\.1 NATS\/1\.0 400 bad-request: .*\r\n\r\n$/),
      expect.stringMatching(/^_INBOX\.caller\.1 NATS\/1\.0 403 denied: .*\r\n\r\n$/),
    ]);
  });
});

test("any bytes in any messages end each call once, and nothing of them stays", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 }),
      ([first = EMPTY, ...rest]) => {
        const own = new SourceScene();
        own.serve(pluginOf(ECHO));
        own.invoke(first);
        const inbox = own.published.at(-1)?.reply;
        if (inbox !== undefined) for (const data of [...rest, EMPTY]) own.deliver(`${inbox}.params`, data);
        expect([own.taken.length + own.refused.length, own.stats.parameterBytes]).toEqual([1, 0]);
      },
    ),
  );
});

test("a result is cut into messages that the server takes, and an empty one ends it", () => {
  const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => at % 251));
  for (const [length, sizes] of [
    [0, [0]],
    [10, [10, 0]],
    [11, [10, 1, 0]],
    [20, [10, 10, 0]],
  ] as const) {
    const [head, body] = [bytes(length).subarray(0, 3), bytes(length).subarray(3)];
    const messages = resultMessages("r", [head, body], 10);
    expect(messages.map(({ data }) => data.length)).toEqual(sizes);
    expect(Buffer.concat(messages.map(({ data }) => data)).equals(bytes(length))).toBe(true);
  }
});
