import { expect, test } from "vitest";
import { OUTBOUND_HTTP_PORT } from "../../../src/capabilities/outbound-http/guest/link.ts";
import type { RunnerMessage } from "../../../src/channel/messages/messages.ts";
import type { HttpRequest, HttpSink } from "../../../src/contract/http.ts";
import { Calls } from "../../../src/runner/calls.ts";
import type { Engine } from "../../../src/runner/engine.ts";
import type { GuestContext } from "../../../src/runner/guest/guest-context.ts";
import { InstancePool } from "../../../src/runner/instance-pool.ts";
import { MemoryReclaimer } from "../../../src/runner/memory-reclaimer.ts";

const GET: HttpRequest = {
  method: "GET",
  scheme: "https",
  authority: "example.com",
  path: "/",
  fields: [],
  hasBody: false,
  connectMs: undefined,
  firstByteMs: undefined,
  betweenBytesMs: undefined,
};

/** Calls of a guest that does `serve` with its context and has answered by then. */
async function openCalls(serve: (context: GuestContext) => void): Promise<{ calls: Calls; sent: RunnerMessage[] }> {
  const engine: Engine = {
    instantiate: async (context) => ({
      memoryBytes: 0,
      restore: () => {
        context.renew();
        return "ready";
      },
      start: () => undefined,
      destroy: () => undefined,
      getAccessLevels: () => ({ kind: "levels", levels: 0 }),
      handleRequest: () => {
        serve(context);
        return { kind: "ok", response: { status: 200, body: new Uint8Array(0) } };
      },
    }),
  };
  const sent: RunnerMessage[] = [];
  const reclaimer = new MemoryReclaimer(() => undefined);
  const pool = new InstancePool({
    engine,
    maxIdle: 1,
    maxIdleBytes: 0,
    logBytes: 1_000,
    reclaimer,
    made: () => undefined,
  });
  await pool.open();
  const channel = { send: (message: RunnerMessage) => void sent.push(message), sendNow: () => undefined };
  return { calls: new Calls({ channel, pool, replyBytes: 0 }), sent };
}

test("what the host says of an outbound request reaches nobody once its call has ended", async () => {
  const heard: number[] = [];
  const sink: HttpSink = {
    wanted: (bytes) => heard.push(bytes),
    response: () => undefined,
    chunk: () => undefined,
    end: () => undefined,
    fail: () => undefined,
  };
  const { calls, sent } = await openCalls((context) => {
    context.port(OUTBOUND_HTTP_PORT)?.open(GET, sink);
    calls.receive({ kind: "http-wanted", exchange: 1, bytes: 1 });
  });
  calls.receive({ kind: "request", call: 1, due: 0, request: { id: "", method: "", payload: new Uint8Array(0) } });
  expect(sent.map(({ kind }) => kind)).toEqual(["http-request", "response"]);
  calls.receive({ kind: "http-wanted", exchange: 1, bytes: 2 });
  expect(heard).toEqual([1]);
});

test("a call whose guest says nothing costs no record, and one that says something has it as its own", async () => {
  let isLoud = false;
  const { calls, sent } = await openCalls((context) => {
    if (isLoud) context.log.log("info", "said");
  });
  for (const call of [1, 2, 3]) {
    isLoud = call === 2;
    calls.receive({ kind: "request", call, due: 0, request: { id: "", method: "", payload: new Uint8Array(0) } });
  }
  expect(sent.map((message) => [message.kind, "call" in message && message.call])).toEqual([
    ["response", 1],
    ["log", 2],
    ["response", 2],
    ["response", 3],
  ]);
});
