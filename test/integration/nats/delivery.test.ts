import { connect } from "nats";
import { describe, expect, test } from "vitest";
import { startNatsServer } from "../../harness/server.ts";
import { until } from "../../../scripts/lib/until.ts";
import { openLink, plansOf } from "./open-link.ts";

describe("a connection that is up and says nothing", () => {
  test("is noticed, ended, and made anew when the server speaks again", async () => {
    await using server = await startNatsServer();
    await using open = await openLink(server.url);
    open.link.subscriptions.open(plansOf(["s.1"]));
    await open.link.subscriptions.whenHeld();
    expect(open.link.isDelivering).toBe(true);
    await server.pause();
    await until(() => open.link.state === "stalled", { what: "the silence is noticed", intervalMs: 1 });
    expect([open.link.isConnected, open.link.isDelivering]).toEqual([true, false]);
    // Three pings of the client later.
    await until(() => open.link.state === "down", { what: "the connection is given up" });
    await server.resume();
    await until(() => open.link.state === "up", { what: "the connection is back" });
    await open.link.subscriptions.whenHeld();
    expect(open.heard.map(([name]) => name).filter((name) => name !== "warned")).toEqual([
      "delivers",
      "disconnected",
      "reconnected",
    ]);
    expect(open.stats.reconnects).toBe(1);
    expect(open.stats.slowConsumers).toBe(0);
  });

  test("is the same where what reads from it has ended, by a callback that is not the link's", async () => {
    await using server = await startNatsServer();
    await using open = await openLink(server.url);
    const printed: unknown[] = [];
    const log = console.log;
    console.log = (...args) => void printed.push(args);
    try {
      open.connection.subscribe("bad", {
        callback: () => {
          throw new Error("a bug");
        },
      });
      await open.connection.flush();
      const caller = await connect({ servers: server.url });
      caller.publish("bad");
      await until(() => open.link.state === "stalled", { what: "the deafness is noticed", intervalMs: 1 });
      await until(() => open.stats.reconnects === 1, { what: "the connection is made anew" });
      await caller.close();
    } finally {
      console.log = log;
    }
    expect(open.link.state).toBe("up");
  });

  test("does not keep its end waiting", async () => {
    await using server = await startNatsServer();
    const open = await openLink(server.url);
    open.link.subscriptions.open(plansOf(["s.1"]));
    await open.link.subscriptions.whenHeld();
    await server.pause();
    await open.link.close(AbortSignal.timeout(500));
    expect(open.link.isConnected).toBe(false);
  });
});

test("a server that ends a connection without a word is taken for one whose messages were not read", async () => {
  await using server = await startNatsServer();
  await using open = await openLink(server.url);
  // As a slow consumer's connection ends: the socket is closed, and the server is the same as before.
  await open.connection.reconnect();
  await until(() => open.stats.reconnects === 1, { what: "the connection is back" });
  expect(open.stats.slowConsumers).toBe(1);
  expect(open.heard.filter(([name]) => name === "warned")).toHaveLength(1);
  await server.kill();
  await server.restart();
  await until(() => open.stats.reconnects === 2, { what: "the connection is back" });
  expect(open.stats.slowConsumers).toBe(1);
});
