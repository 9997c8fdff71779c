/**
 * The client for callers, on a real NATS server: replies in the order in which a hand-written replica gives them, and what a
 * real replica says.
 */

import { connect, headers as createHeaders, type Msg, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { until } from "../../scripts/lib/until.ts";
import { type CallError, type CallOptions, isCallError, json, PluginClient } from "../../sdk/client/src/index.ts";
import { COMPONENTS, consumerFile, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";
import { startConfiguredNatsServer, startNatsServer } from "../harness/server.ts";

type Headers = Readonly<Record<string, string>>;

const OK: Headers = { "Rpc-Status": "200" };
const failure = (code: string, retryable: boolean, more: Headers = {}): Headers => ({
  "Nats-Service-Error": `said ${code}`,
  "Nats-Service-Error-Code": "500",
  "Rpc-Error": code,
  "Rpc-Retryable": String(retryable),
  ...more,
});

let connection: NatsConnection;

beforeAll(async () => {
  connection = await connect({ servers: inject("natsUrl") });
});

afterAll(async () => {
  await connection.close();
});

interface Replies {
  readonly plugin: string;
  readonly requests: Msg[];
  /** When each came, in milliseconds. */
  readonly timesMs: number[];
}

/** Answers requests with these replies, one after the other; the last one again and again. `undefined` is no reply. */
function answer(...replies: (Headers | undefined)[]): Replies {
  const plugin = uniqueName("client");
  const requests: Msg[] = [];
  const timesMs: number[] = [];
  connection.subscribe(`rpc.${plugin}`, {
    callback: (_error, message) => {
      requests.push(message);
      timesMs.push(performance.now());
      const reply = replies[Math.min(requests.length, replies.length) - 1];
      if (reply === undefined) return;
      const headers = createHeaders();
      for (const [name, value] of Object.entries(reply)) headers.set(name, value);
      message.respond(`${requests.length}`, { headers });
    },
  });
  return { plugin, requests, timesMs };
}

async function failureOfCall(plugin: string, options: CallOptions = {}, client?: PluginClient): Promise<CallError> {
  const call = (client ?? new PluginClient(connection)).call(plugin, "m", "", options);
  const error = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isCallError(error)) throw new Error(`the call did not fail as calls do: ${String(error)}`);
  return error;
}

describe("a call", () => {
  test("sends what the protocol says, and the headers of a trace", async () => {
    const { plugin, requests } = answer(OK);
    const client = new PluginClient(connection, { headers: () => ({ traceparent: "00-a", tracestate: "t=1" }) });
    const options = { id: "id-1", timeoutMs: 60_000, headers: { traceparent: "00-b" } };
    const reply = await client.call(plugin, "größe", json({ a: 1 }), options);
    expect(reply).toMatchObject({ status: 200, id: "id-1", tries: 1 });
    expect([reply.text(), reply.json()]).toEqual(["1", 1]);
    const [request] = requests;
    expect(request?.string()).toBe('{"a":1}');
    const { "Rpc-Timeout-Ms": left, ...sent } = Object.fromEntries(
      [...(request?.headers ?? [])].map(([name, values]) => [name, values.join()]),
    );
    expect(sent).toEqual({ "Rpc-Id": "id-1", "Rpc-Method": "größe", traceparent: "00-b", tracestate: "t=1" });
    expect(Number(left)).toBeGreaterThan(50_000);
    expect(Number(left)).toBeLessThanOrEqual(60_000);
  });

  test("has bytes as they are, and a status of 400 or more as a reply", async () => {
    const { plugin, requests } = answer({ "Rpc-Status": "418" });
    const reply = await new PluginClient(connection).call(plugin, "", new Uint8Array([0, 255, 13, 10]));
    expect(reply.status).toBe(418);
    expect([...(requests[0]?.data ?? [])]).toEqual([0, 255, 13, 10]);
    expect(requests[0]?.headers?.has("Rpc-Method")).toBe(false);
  });

  test("is refused before it is sent where it cannot be valid", async () => {
    const { plugin, requests } = answer(OK);
    const client = new PluginClient(connection);
    expect((await failureOfCall(`${plugin}.*`)).code).toBe("bad-request");
    await expect(client.call(plugin, "", "", { timeoutMs: 0 })).rejects.toThrow(RangeError);
    await expect(client.call(plugin, "", "", { maxTries: 1.5 })).rejects.toThrow(RangeError);
    expect(() => new PluginClient(connection, { timeoutMs: Number.NaN })).toThrow(RangeError);
    const tooLarge = await client.call(plugin, "", new Uint8Array(connection.info?.max_payload ?? 0)).catch(String);
    expect(tooLarge).toMatch(/payload-too-large: the request has \d+ bytes with its headers/);
    await connection.flush();
    expect(requests).toHaveLength(0);
  });
});

describe("a failure that is retryable", () => {
  test("is tried again with the same id and what is left of the time", async () => {
    const { plugin, requests } = answer(failure("overloaded", true), failure("plugin-unavailable", true), OK);
    const reply = await new PluginClient(connection).call(plugin, "m", "", { timeoutMs: 60_000 });
    expect([reply.tries, reply.text()]).toEqual([3, "3"]);
    expect(new Set(requests.map(({ headers }) => headers?.get("Rpc-Id")))).toEqual(new Set([reply.id]));
    const left = requests.map(({ headers }) => Number(headers?.get("Rpc-Timeout-Ms")));
    expect(left).toEqual([...left].sort((a, b) => b - a));
    expect(left[2]).toBeLessThanOrEqual(60_000);
  });

  test("is not tried again before the time that the reply names", async () => {
    const { plugin, timesMs } = answer(failure("overloaded", true, { "Retry-After-Ms": "300" }), OK);
    await new PluginClient(connection).call(plugin, "m", "", { timeoutMs: 60_000 });
    const [first = 0, second = 0] = timesMs;
    // A timer of Node may be one millisecond early.
    expect(second - first).toBeGreaterThanOrEqual(299);
  });

  test("is reported at once where the wait would outlast the time", async () => {
    const { plugin, requests } = answer(failure("overloaded", true, { "Retry-After-Ms": "60000" }));
    const error = await failureOfCall(plugin, { timeoutMs: 50_000 });
    expect(error).toMatchObject({ code: "overloaded", retryAfterMs: 60_000, tries: 1, isRetryable: true });
    expect(error.message).toMatch(/^overloaded: said overloaded \(client-\S+ m, id [0-9a-f-]{36}\)$/);
    expect(requests).toHaveLength(1);
  });

  test("is not tried again where the plugin may have run, unless twice does no harm", async () => {
    for (const code of ["runner-lost", "draining", "plugin-error", "a-code-of-later"]) {
      const careful = answer(failure(code, true), OK);
      expect(await failureOfCall(careful.plugin)).toMatchObject({ code, mayHaveRun: true, tries: 1 });
      expect(careful.requests).toHaveLength(1);
      const idempotent = answer(failure(code, true), OK);
      const reply = await new PluginClient(connection).call(idempotent.plugin, "m", "", { isIdempotent: true });
      expect(reply.tries).toBe(2);
    }
  });

  test("is tried as often as allowed, and never where the reply says no", async () => {
    const { plugin, requests } = answer(failure("overloaded", true));
    expect(await failureOfCall(plugin, { maxTries: 3, timeoutMs: 60_000 })).toMatchObject({ tries: 3 });
    expect(requests).toHaveLength(3);
    const never = answer(failure("overloaded", false));
    await failureOfCall(never.plugin, { isIdempotent: true });
    expect(never.requests).toHaveLength(1);
  });

  test("is no longer tried again once a client's retries are used up without an answer", async () => {
    const { plugin, requests } = answer(failure("overloaded", true));
    const client = new PluginClient(connection, { maxTries: 3, timeoutMs: 60_000 });
    await Promise.all(Array.from({ length: 80 }, () => failureOfCall(plugin, {}, client)));
    expect(requests).toHaveLength(80 + 100);
  });
});

describe("a call that is not answered", () => {
  test("fails with no-responders, at once, or waits for a replica if asked", async () => {
    const client = new PluginClient(connection);
    expect(await failureOfCall(uniqueName("nobody"))).toMatchObject({
      code: "no-responders",
      isRetryable: true,
      mayHaveRun: false,
      tries: 1,
    });
    const plugin = uniqueName("late");
    let isSettled = false;
    const call = client
      .call(plugin, "", "", { waitForReplica: true, timeoutMs: 60_000, maxTries: 1_000 })
      .finally(() => (isSettled = true));
    const seen = connection.subscribe(`rpc.${plugin}`, {
      callback: (_error, message) => {
        const headers = createHeaders();
        headers.set("Rpc-Status", "204");
        message.respond("", { headers });
      },
    });
    expect((await call).status).toBe(204);
    expect(isSettled).toBe(true);
    seen.unsubscribe();
  });

  test("fails with deadline-exceeded when its time is over", async () => {
    const { plugin } = answer(undefined);
    const began = performance.now();
    const error = await failureOfCall(plugin, { timeoutMs: 200, isIdempotent: true });
    expect(error).toMatchObject({ code: "deadline-exceeded", mayHaveRun: true, tries: 1 });
    expect(performance.now() - began).toBeGreaterThanOrEqual(199);
  });

  test("rejects with the signal's reason, while it waits for the reply and between two tries", async () => {
    const silent = answer(undefined);
    const refusing = answer(failure("overloaded", true, { "Retry-After-Ms": "30000" }));
    const client = new PluginClient(connection, { timeoutMs: 60_000 });
    for (const { plugin, requests } of [silent, refusing]) {
      const controller = new AbortController();
      const call = client.call(plugin, "", "", { signal: controller.signal });
      const rejected = expect(call).rejects.toThrow("the user has left");
      await until(() => Promise.resolve(requests.length === 1), { what: "the request has come" });
      await connection.flush();
      controller.abort(new Error("the user has left"));
      await rejected;
      expect(requests).toHaveLength(1);
    }
    const { plugin, requests } = answer(OK);
    const signal = AbortSignal.abort(new Error("before"));
    await expect(client.call(plugin, "", "", { signal })).rejects.toThrow("before");
    await connection.flush();
    expect(requests).toHaveLength(0);
  });

  test("fails with bad-reply where something else answers", async () => {
    const { plugin } = answer({ "Nats-Service-Error": "no such thing", "Nats-Service-Error-Code": "404" });
    expect(await failureOfCall(plugin)).toMatchObject({ code: "bad-reply", mayHaveRun: true });
  });

  test("fails with nats-unavailable on a connection that is closed, before or while it waits", async () => {
    await using server = await startNatsServer();
    const own = await connect({ servers: server.url, reconnect: false });
    const plugin = uniqueName("closing");
    const received = Promise.withResolvers<void>();
    own.subscribe(`rpc.${plugin}`, { callback: () => received.resolve() });
    const waiting = failureOfCall(plugin, { timeoutMs: 60_000, isIdempotent: true }, new PluginClient(own));
    await received.promise;
    await own.close();
    expect(await waiting).toMatchObject({ code: "nats-unavailable", mayHaveRun: true, tries: 1 });
    const after = await failureOfCall(plugin, { isIdempotent: true }, new PluginClient(own));
    expect(after).toMatchObject({ code: "nats-unavailable", mayHaveRun: false, tries: 1 });
  });

  test("fails with nats-unavailable where this user may not publish", async () => {
    await using server = await startConfiguredNatsServer(
      'authorization { users = [{ user: u, password: p, permissions: { publish: ["other"], subscribe: ">" } }] }',
    );
    const own = await connect({ servers: server.url, user: "u", pass: "p" });
    try {
      const error = await failureOfCall(uniqueName("forbidden"), { timeoutMs: 60_000 }, new PluginClient(own));
      expect(error).toMatchObject({ code: "nats-unavailable", mayHaveRun: false });
      expect(error.message).toMatch(/Permissions Violation/);
    } finally {
      await own.close();
    }
  });
});

describe("a real replica", () => {
  test("answers, fails with its codes, and is waited for where it has no place", async () => {
    const plugin = uniqueName("gauntlet");
    const busy = uniqueName("busy");
    await using replica = await startReplica({
      consumer: consumerFile({
        group: "client",
        plugins: { [plugin]: COMPONENTS.gauntlet("none"), [busy]: COMPONENTS.gauntlet("none") },
        limits: { concurrency: 1 },
      }),
      policies: {},
    });
    expect(await replica.isReady()).toBe(true);
    const client = new PluginClient(connection, { timeoutMs: 60_000 });
    expect((await client.call(plugin, "echo", "hé")).text()).toBe("hé");
    expect((await client.call(plugin, "status", "65535")).status).toBe(65_535);
    const error = await client.call(plugin, "err", "").catch((thrown: unknown) => thrown);
    if (!isCallError(error, "plugin-error")) throw new Error(`it is no plugin-error: ${String(error)}`);
    expect([error.text(), error.isRetryable]).toEqual(["the plugin says no", false]);
    await expect(client.call(plugin, "trap")).rejects.toMatchObject({ code: "plugin-trapped" });
    await expect(client.call(plugin, "loop", "", { timeoutMs: 500 })).rejects.toMatchObject({
      code: "deadline-exceeded",
      mayHaveRun: true,
    });
    // One place, and five that want it.
    const sleeping = Array.from({ length: 5 }, () => client.call(busy, "sleep", "100", { maxTries: 1_000 }));
    const replies = await Promise.all(sleeping);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(Math.max(...replies.map(({ tries }) => tries))).toBeGreaterThan(1);
  });
});
