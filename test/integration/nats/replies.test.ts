import { connect, type NatsConnection } from "nats";
import { describe, expect, test } from "vitest";
import type { OutgoingReply, OutgoingSequence } from "../../../src/nats/reply-sender.ts";
import { startConfiguredNatsServer, startNatsServer } from "../../harness/server.ts";
import { until } from "../../../scripts/lib/until.ts";
import { openLink } from "./open-link.ts";

const USER = { kind: "password", user: "replica", password: "p" } as const;
const HEADERS = Buffer.from("NATS/1.0\r\nRpc-Status: 200\r\n\r\n");
const AMPLE_MS = 60_000;

/** Replies of a test, and what happened to each: by subject. */
class Ledger {
  readonly fates = new Map<string, string>();
  readonly refused: string[] = [];

  of(subject: string, { body = subject, plugin = "plugin", forMs = AMPLE_MS } = {}): OutgoingReply {
    return {
      subject,
      plugin,
      untilMs: performance.now() + forMs,
      owner: { refused: (refused) => this.refused.push(refused) },
      encode: (maxBytes) => ({
        data: Buffer.from(body.length + HEADERS.length > maxBytes ? "too large" : body),
        headers: HEADERS,
      }),
      settled: (fate) => {
        expect(this.fates.get(subject), "settled once").toBeUndefined();
        this.fates.set(subject, fate.kind === "sent" ? "sent" : fate.reason);
      },
    };
  }
}

/** What arrives on `reply.>`. */
async function listen(
  url: string,
  user?: string,
): Promise<{ readonly nats: NatsConnection; readonly got: Record<string, string> }> {
  const nats = await connect({
    servers: url,
    reconnectTimeWait: 50,
    maxReconnectAttempts: -1,
    ...(user !== undefined && { user, pass: "p" }),
  });
  const got: Record<string, string> = {};
  nats.subscribe("reply.>", {
    callback: (_error, message) => {
      got[message.subject] = message.string();
    },
  });
  await nats.flush();
  return { nats, got };
}

/** What arrives on `reply.>`, each with its reply subject. */
async function inOrder(url: string): Promise<{ readonly nats: NatsConnection; readonly order: string[] }> {
  const nats = await connect({ servers: url });
  const order: string[] = [];
  nats.subscribe("reply.>", {
    callback: (_error, message) => void order.push(`${message.string()} ${message.reply ?? ""}`),
  });
  await nats.flush();
  return { nats, order };
}

describe("replies", () => {
  test("of several messages are sent whole, or held whole; what only precedes one is not held", async () => {
    await using server = await startNatsServer();
    await using open = await openLink(server.url);
    const { replies } = open.link;
    const { nats, order } = await inOrder(server.url);
    const fates: string[] = [];
    const sequence = (name: string): OutgoingSequence => ({
      ...new Ledger().of(`reply.${name}`),
      encode: (maxBytes) => ({
        messages: [`${name}1`, "x".repeat(Math.min(8, maxBytes)), ""].map((text) => ({
          subject: `reply.${name}`,
          data: Buffer.from(text),
        })),
      }),
      settled: (fate) => fates.push(`${name} ${fate.kind}`),
    });
    expect(replies.precede([{ subject: "reply.a", reply: "answer", data: Buffer.alloc(0) }])).toBe(true);
    replies.send(sequence("a"));
    await until(() => order.length === 4, { what: "all of it arrives" });
    expect(order.splice(0)).toEqual([" answer", "a1 ", "xxxxxxxx ", " "]);
    replies.hold();
    expect(replies.precede([{ subject: "reply.b", data: Buffer.alloc(0) }])).toBe(false);
    replies.send(sequence("b"));
    expect([replies.heldCount, replies.heldBytes > 10]).toEqual([1, true]);
    replies.release();
    await until(() => order.length === 3, { what: "the held one arrives" });
    expect(order).toEqual(["b1 ", "xxxxxxxx ", " "]);
    expect(fates).toEqual(["a sent", "b sent"]);
    await nats.close();
  });

  test("that are due while the connection is down are sent when it is back, and settled then", async () => {
    await using server = await startNatsServer();
    await using open = await openLink(server.url);
    const { replies } = open.link;
    const ledger = new Ledger();
    replies.send(ledger.of("reply.0"));
    expect(ledger.fates.get("reply.0")).toBe("sent");
    await server.kill();
    await until(() => open.link.state === "down", { what: "the loss is noticed" });
    for (let i = 1; i <= 5; i++) replies.send(ledger.of(`reply.${i}`));
    expect([ledger.fates.size, replies.heldCount]).toEqual([1, 5]);
    await server.restart();
    const { nats, got } = await listen(server.url);
    // Whether the listener was there first is nobody's promise: one more reply, which it certainly sees.
    await replies.idle();
    await until(() => open.link.state === "up", { what: "the connection is back" });
    expect([...ledger.fates.values()]).toEqual(Array.from({ length: 6 }, () => "sent"));
    replies.send(ledger.of("reply.last"));
    await until(() => got["reply.last"] === "reply.last", { what: "a reply arrives" });
    await nats.close();
  });

  test("that are held reach a caller who comes back before the replica does", async () => {
    await using server = await startNatsServer();
    await using open = await openLink(server.url);
    const { nats, got } = await listen(server.url);
    const ledger = new Ledger();
    await server.pause();
    await until(() => open.link.state !== "up", { what: "the silence is noticed" });
    expect(open.heard[0]).toEqual(["delivers", false]);
    for (let i = 0; i < 5; i++) open.link.replies.send(ledger.of(`reply.${i}`));
    expect(open.link.replies.heldCount).toBe(5);
    await server.resume();
    await until(() => Object.keys(got).length === 5, { what: "all of them arrive" });
    expect([...ledger.fates.values()]).toEqual(Array.from({ length: 5 }, () => "sent"));
    expect(open.link.state).toBe("up");
    await nats.close();
  });

  test("that nobody waits for any more, or that there is no room for, are given up with their reason", async () => {
    await using server = await startNatsServer();
    await using open = await openLink(server.url);
    const ledger = new Ledger();
    await server.kill();
    await until(() => open.link.state === "down", { what: "the loss is noticed" });
    const { replies } = open.link;
    replies.send(ledger.of("reply.short", { forMs: 50 }));
    await until(() => ledger.fates.has("reply.short"), { what: "its time is over" });
    const body = "x".repeat(1024 * 1024 - HEADERS.length - 512);
    for (let i = 0; i < 33; i++) replies.send(ledger.of(`reply.${i}`, { body, plugin: i === 0 ? "modest" : "greedy" }));
    expect(Object.fromEntries(ledger.fates)).toEqual({ "reply.short": "reply-expired", "reply.1": "reply-no-room" });
    expect(replies.heldBytes).toBe(32 * 1024 * 1024);
    expect(replies.close()).toBe(32);
    expect(ledger.fates.get("reply.2")).toBe("connection-closed");
    replies.send(ledger.of("reply.late"));
    expect(ledger.fates.get("reply.late")).toBe("connection-closed");
  });

  test("are checked against what the server takes, by what is known while it is away and by what it says when it is back", async () => {
    await using server = await startConfiguredNatsServer("max_payload: 1000");
    await using open = await openLink(server.url);
    const { nats, got } = await listen(server.url);
    const ledger = new Ledger();
    const { replies } = open.link;
    await server.kill();
    await until(() => open.connection.info === undefined, { what: "the client has forgotten the server" });
    expect(open.link.state).toBe("down");
    expect(replies.maxPayloadBytes).toBe(1_000);
    await server.reload("max_payload: 500");
    replies.send(ledger.of("reply.huge", { body: "x".repeat(2_000) }));
    replies.send(ledger.of("reply.large", { body: "x".repeat(600) }));
    replies.send(ledger.of("reply.small", { body: "x".repeat(100) }));
    expect(replies.heldBytes).toBeLessThan(3_000);
    await server.restart();
    await replies.idle();
    expect([...ledger.fates.values()]).toEqual(["sent", "sent", "sent"]);
    // The caller's client may have been later.
    replies.send(ledger.of("reply.again", { body: "x".repeat(600) }));
    await until(
      () => {
        replies.send(ledger.of(`reply.probe-${ledger.fates.size}`));
        return Object.keys(got).some((subject) => subject.startsWith("reply.probe"));
      },
      { what: "the caller hears again" },
    );
    expect(open.link.state).toBe("up");
    expect(ledger.refused).toEqual([]);
    await nats.close();
  });

  test("that the server does not permit are told to their owners, and the right's loss and return are noticed", async () => {
    const config = (rights: string): string =>
      `authorization: {users: [{user: replica, password: p${rights}}, {user: caller, password: p}]}`;
    await using server = await startConfiguredNatsServer(config(""));
    await using open = await openLink(server.url, USER);
    const { nats, got } = await listen(server.url, "caller");
    const ledger = new Ledger();
    const { replies } = open.link;
    replies.send(ledger.of("reply.first"));
    await until(() => got["reply.first"] !== undefined, { what: "it arrives" });

    await server.reload(config(`, permissions: {publish: {deny: "reply.>"}}`));
    let sent = 0;
    await until(
      () => {
        replies.send(ledger.of(`reply.${sent++}`));
        return ledger.refused.length > 0;
      },
      { what: "the right is gone" },
    );
    const before = sent;
    for (let i = 0; i < 99; i++) replies.send(ledger.of(`reply.${sent++}`));
    await until(() => ledger.refused.includes(`reply.${sent - 1}`), { what: "the last refusal is told" });
    expect(ledger.refused.slice(-99)).toEqual(Array.from({ length: 99 }, (_, index) => `reply.${before + index}`));
    expect(open.stats.permissionErrors.get("publish")).toBe(ledger.refused.length);
    await until(() => replies.refusal !== undefined, { what: "the loss is noticed" });
    expect(replies.refusal).toContain('Permissions Violation for Publish to "reply.');

    await server.reload(config(""));
    await until(
      () => {
        replies.send(ledger.of(`reply.${sent++}`));
        return replies.refusal === undefined;
      },
      { what: "the return is noticed" },
    );
    expect(open.heard.map(([name, what]) => [name, what === undefined])).toEqual([
      ["repliesRefused", false],
      ["repliesRefused", true],
    ]);
    await nats.close();
  });

  test("that are larger than a limit that was lowered meanwhile are told to their owners", async () => {
    await using server = await startConfiguredNatsServer("max_payload: 10000");
    await using open = await openLink(server.url);
    const ledger = new Ledger();
    const { replies } = open.link;
    await server.reload("max_payload: 500");
    let sent = 0;
    await until(
      () => {
        if (open.link.state === "up") replies.send(ledger.of(`reply.${sent++}`, { body: "x".repeat(1_000) }));
        return ledger.refused.length > 0;
      },
      { what: "the refusal is told", intervalMs: 200 },
    );
    expect(open.heard).toContainEqual(["warned", "Maximum Payload Violation"]);
    expect(replies.maxPayloadBytes).toBe(500);
    expect(open.stats.unconfirmedReplies).toBeGreaterThan(0);
  });
});
