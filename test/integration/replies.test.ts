import { connect, errors, headers as createHeaders, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { HTTP_ERROR_CODES } from "../../src/contract/http.ts";
import { failure } from "../harness/failure.ts";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { type Reply, request } from "../harness/request.ts";
import { until } from "../../scripts/lib/until.ts";

/** Of the plugin that deadlines are tried on; the others have ample time. */
const DEADLINE_MS = 4_000;

describe("every way a request can end has its own reply", () => {
  const full = uniqueName("full");
  const hasty = uniqueName("hasty");
  const readOnly = uniqueName("read-only");
  const writeOnly = uniqueName("write-only");
  const denied = uniqueName("denied");
  const small = uniqueName("small");
  const http = uniqueName("http");
  const broken = uniqueName("broken");
  let nats: NatsConnection;
  let replica: Replica;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
    replica = await startReplica({
      consumer: consumerFile({
        group: "replies",
        plugins: {
          [full]: COMPONENTS.gauntlet("read-write"),
          [hasty]: COMPONENTS.gauntlet("read-write"),
          [readOnly]: COMPONENTS.gauntlet("read"),
          [writeOnly]: COMPONENTS.gauntlet("write"),
          [denied]: COMPONENTS.gauntlet("all"),
          [small]: COMPONENTS.gauntlet("none"),
          [http]: COMPONENTS.gauntlet("http"),
          [broken]: COMPONENTS.probe("trap"),
        },
      }),
      policies: policyFiles({
        [full]: READ_WRITE,
        [hasty]: { ...READ_WRITE, limits: { deadlineMs: DEADLINE_MS } },
        [readOnly]: READ_WRITE,
        [writeOnly]: READ_WRITE,
        [denied]: { allow: ["key-value-read"] },
        [small]: { limits: { payloadBytes: 100, replyBytes: 1_000, concurrency: 2 } },
        [http]: { allow: ["outbound-http"], hosts: ["https://example.com"] },
      }),
    });
  });

  afterAll(async () => {
    await replica[Symbol.asyncDispose]();
    await nats.close();
  });

  const call = (plugin: string, method: string, payload = "", more: Record<string, string> = {}): Promise<Reply> =>
    request(nats, `rpc.${plugin}`, payload, { "Rpc-Method": method, "Rpc-Id": `id-${method}`, ...more });

  test("ok: the plugin's own status, whatever it is", async () => {
    expect((await call(full, "status", "65535")).headers).toEqual({ "Rpc-Status": "65535", "Rpc-Id": "id-status" });
    expect((await call(full, "status", "0")).status).toBe(0);
    const echoed = await call(full, "echo", "\u0000bytes\u00ff");
    expect([echoed.status, echoed.text]).toEqual([200, "\u0000bytes\u00ff"]);
  });

  test("an empty payload and an empty body are answers", async () => {
    const reply = await call(full, "echo", "");
    expect([reply.status, reply.data.length]).toEqual([200, 0]);
  });

  test("plugin-error: the plugin's text in header and body", async () => {
    const reply = await call(full, "err");
    expect(reply.headers).toEqual(failure("plugin-error", "id-err", { "Nats-Service-Error": "the plugin says no" }));
    expect(reply.text).toBe("the plugin says no");
  });

  test.each([
    ["unreachable", "trap", ""],
    ["infinite recursion", "recurse", ""],
    ["exit with an error", "exit", "no"],
    ["exit without one", "exit", "ok"],
    ["memory beyond the limit", "hog", ""],
    ["an error that is not UTF-8", "bad-text", ""],
    ["a forged handle", "forged-handle", "4711"],
    ["more written than the stream permits", "over-permit", ""],
  ])("plugin-trapped: %s, and the next request is served", async (_what, method, payload) => {
    const reply = await call(full, method, payload);
    expect(reply.headers).toEqual(failure("plugin-trapped", `id-${method}`));
    expect(reply.data).toHaveLength(0);
    expect((await call(full, "echo", "still here")).text).toBe("still here");
  });

  test.each(["bad-pointer", "bad-length"])(
    "%s: a body that lies outside the memory holds nothing from there",
    async (method) => {
      const reply = await call(full, method, "");
      expect(["plugin-trapped", undefined]).toContain(reply.error);
      // The plugin has two pages of memory.
      expect(reply.data.length).toBeLessThanOrEqual(2 * 64 * 1024);
      expect((await call(full, "echo", "still here")).text).toBe("still here");
    },
  );

  test("deadline-exceeded: an infinite loop is answered and ended soon after its deadline, and the plugin served again", async () => {
    const reply = await call(hasty, "loop", "", { "Rpc-Timeout-Ms": "300" });
    expect(reply.headers).toEqual(failure("deadline-exceeded", "id-loop"));
    const record = await replica.logged(({ id }) => id === "id-loop");
    expect(Number(record["queueMs"]) + Number(record["runMs"])).toBeLessThan(DEADLINE_MS);
    await servedAgain(hasty);
  });

  test("deadline-exceeded: a loop after an operation of the store ends the same way", async () => {
    const reply = await call(hasty, "loop-after-get", "user-data\nkey", { "Rpc-Timeout-Ms": "300" });
    expect(reply.headers).toEqual(failure("deadline-exceeded", "id-loop-after-get"));
    await servedAgain(hasty);
  });

  test("deadline-exceeded: a plugin that only waits costs no process", async () => {
    const restarts = () =>
      replica.records.filter(({ msg, plugin }) => msg === "the plugin's runner ended" && plugin === full).length;
    const before = restarts();
    const reply = await call(full, "sleep", "60000", { "Rpc-Timeout-Ms": "50" });
    expect(reply.headers).toEqual(failure("deadline-exceeded", "id-sleep"));
    expect((await call(full, "echo", "x")).status).toBe(200);
    expect(restarts()).toBe(before);
  });

  test("deadline-exceeded: a request that arrives with no time left does not run", async () => {
    const reply = await call(full, "set", "user-data\nexpired\nvalue", { "Rpc-Timeout-Ms": "0" });
    expect(reply.headers).toEqual(failure("deadline-exceeded", "id-set"));
    expect((await call(full, "get", "user-data\nexpired")).status).toBe(404);
  });

  test("the caller's time-out can shorten the deadline and never lengthen it", async () => {
    const startMs = performance.now();
    const reply = await call(hasty, "sleep", "60000", { "Rpc-Timeout-Ms": "600000" });
    expect(reply.error).toBe("deadline-exceeded");
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(DEADLINE_MS - 50);
  });

  test("denied: the reply names the levels and handle-request never runs", async () => {
    const reply = await call(denied, "echo", "x");
    const text = "The plugin requests key-value-write, outbound-http, which the policy does not allow.";
    expect(reply.headers).toEqual(failure("denied", "id-echo", { "Nats-Service-Error": text }));
    expect(reply.data).toHaveLength(0);
  });

  test("a read-only plugin's write is an error to the plugin, and the store sees nothing", async () => {
    expect((await call(full, "set", "user-data\nkey\nvalue")).status).toBe(200);
    const reply = await call(readOnly, "set", "user-data\nkey\nvalue");
    expect([reply.error, reply.text]).toEqual([
      "plugin-error",
      "access-denied: the plugin's grant does not hold the access level key-value-write.",
    ]);
    expect((await call(readOnly, "get", "user-data\nkey")).status).toBe(404);
  });

  test("a write-only plugin's read is an error to the plugin", async () => {
    const reply = await call(writeOnly, "get", "user-data\nkey");
    expect([reply.error, reply.text]).toEqual([
      "plugin-error",
      "access-denied: the plugin's grant does not hold the access level key-value-read.",
    ]);
    expect((await call(writeOnly, "set", "user-data\nkey\nv")).status).toBe(200);
  });

  test("outbound HTTP to a host that the policy does not name is an error to the plugin", async () => {
    const reply = await call(http, "http", "evil.example\n/");
    expect([reply.error, reply.text]).toEqual([
      "plugin-error",
      `error-code ${HTTP_ERROR_CODES.indexOf("HTTP-request-denied")}`,
    ]);
  });

  test("payload-too-large: the limit's last byte is taken, the next one is not", async () => {
    expect((await call(small, "echo", "x".repeat(100))).status).toBe(200);
    const reply = await call(small, "echo", "x".repeat(101));
    const text = "The payload has 101 bytes, at most 100 are allowed.";
    expect(reply.headers).toEqual(failure("payload-too-large", "id-echo", { "Nats-Service-Error": text }));
  });

  test("reply-too-large: the limit's last byte is sent, the next one is not", async () => {
    expect((await call(small, "big-reply", "1000")).data).toHaveLength(1_000);
    const reply = await call(small, "big-reply", "1001");
    expect(reply.headers).toEqual(failure("reply-too-large", "id-big-reply"));
    expect(reply.data).toHaveLength(0);
  });

  test("reply-too-large: also where only the server's limit is exceeded, and the connection is kept", async () => {
    const maxPayload = nats.info?.max_payload ?? 0;
    const reply = await call(full, "big-reply", String(maxPayload - 10));
    expect(reply.headers).toEqual(failure("reply-too-large", "id-big-reply"));
    expect((await call(full, "echo", "x")).status).toBe(200);
  });

  test("overloaded: said at once, with a hint, while the places are taken", async () => {
    let answered = 0;
    const busy = Array.from({ length: 2 }, async () => {
      const reply = await call(small, "sleep", "3000");
      answered += 1;
      return reply;
    });
    const reply = await call(small, "echo", "x");
    expect(answered).toBe(0);
    expect(reply.headers).toEqual(failure("overloaded", "id-echo", { "Retry-After-Ms": "100" }));
    expect((await Promise.all(busy)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await call(small, "echo", "x")).status).toBe(200);
  });

  test("plugin-unavailable: the component is missing for now, and the log says so", async () => {
    const missing = uniqueName("missing");
    await using lacking = await startReplica({
      consumer: consumerFile({ group: "replies", plugins: { [missing]: "/nowhere/missing.wasm" } }),
      policies: {},
      waitFor: "process",
    });
    const record = await lacking.logged(({ plugin, err }) => plugin === missing && err !== undefined);
    expect(record["err"]).toMatchObject({ code: "component-unreadable" });
    await lacking.logged(({ msg }) => msg === "ready");
    const reply = await call(missing, "echo", "x");
    const retryAfter = { "Retry-After-Ms": expect.stringMatching(/^[1-9]\d*$/) as unknown as string };
    expect(reply.headers).toEqual(failure("plugin-unavailable", "id-echo", retryAfter));
  });

  test("plugin-unloadable: the component can never be loaded, and the log says why", async () => {
    const reply = await call(broken, "echo", "x");
    expect(reply.headers).toEqual(failure("plugin-unloadable", "id-echo"));
    const record = await replica.logged(({ plugin, err }) => plugin === broken && err !== undefined);
    expect(record["err"]).toMatchObject({ code: "probe-failed" });
  });

  test("bad-request: the text names the header", async () => {
    const reply = await call(full, "echo", "x", { "Rpc-Timeout-Ms": "soon" });
    expect(reply.headers).toEqual(
      failure("bad-request", "id-echo", { "Nats-Service-Error": expect.stringContaining("Rpc-Timeout-Ms") }),
    );
    const nameless = await request(nats, `rpc.${full}`, "", { "Rpc-Id": "two words" });
    expect(nameless.error).toBe("bad-request");
    expect(nameless.headers).not.toHaveProperty("Rpc-Id");
  });

  test("an unknown plugin is answered by the server at once", async () => {
    const failed = await request(nats, `rpc.${uniqueName("nobody")}`).catch((error: unknown) => error);
    expect(failed instanceof errors.RequestError && failed.isNoResponders()).toBe(true);
  });

  test("a message that cannot be answered safely is dropped, counted and logged", async () => {
    const head = createHeaders();
    nats.publish(`rpc.${full}`, "", { reply: `rpc.${full}`, headers: head });
    nats.publish(`rpc.${full}`, "");
    const dropped = () =>
      replica.records.filter(({ msg }) => String(msg).startsWith("a request was dropped")).map(({ msg }) => msg);
    await until(() => dropped().length === 2, { what: "both messages are logged" });
    const metrics = await (await fetch(`${replica.healthUrl}/metrics`)).text();
    expect(metrics).toContain(`network_host_dropped_messages_total{plugin="${full}",reason="no-reply-subject"} 1`);
    expect(metrics).toContain(`network_host_dropped_messages_total{plugin="${full}",reason="reply-subject-refused"} 1`);
  });

  test("the environment of a plugin is empty", async () => {
    expect((await call(full, "env")).text).toBe("");
  });

  test("each request starts on fresh state", async () => {
    const replies = await Promise.all(Array.from({ length: 40 }, () => call(full, "count")));
    expect(new Set(replies.map(({ text }) => text))).toEqual(new Set(["1"]));
    const secrets = await Promise.all(Array.from({ length: 20 }, (_, i) => call(full, "remember", `secret ${i}`)));
    expect(secrets.every(({ status, data }) => status === 200 && data.length === 0)).toBe(true);
  });

  test("what a plugin logs is capped and cannot forge a record", async () => {
    await call(full, "log-escapes");
    await call(full, "log-flood", "1000\n1000");
    await replica.logged((record) => record["id"] === "id-log-flood" && "runMs" in record);
    const own = replica.records.filter((record) => record["plugin"] === full && record["source"] !== undefined);
    expect(own.every((record) => typeof record["id"] === "string")).toBe(true);
    // eslint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(own.some((record) => /[\u0000-\u001f\u007f]/.test(String(record["msg"])))).toBe(false);
    const flood = own.filter((record) => record["id"] === "id-log-flood");
    expect(flood.reduce((sum, record) => sum + String(record["msg"]).length, 0)).toBeLessThan(70_000);
    expect(replica.records.some(({ msg }) => msg === "not from the host")).toBe(false);
  });

  /** The runner was killed; the plugin is back when its new one answers. */
  async function servedAgain(plugin: string): Promise<void> {
    await until(async () => (await call(plugin, "echo", "x")).status === 200, { what: "the plugin is served again" });
  }
});
