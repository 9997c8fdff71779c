/** Calls over TCP, in the bytes that the crates of wRPC sent and took. */

import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { isCallError } from "../src/call-error.ts";
import { wrpcOverTcp, type WrpcPlugin, type WrpcPluginOptions } from "../src/wrpc.ts";

const HANDLER = `20${hex("local:network-host/handler@1.0.0")}`;

/** What the crates' client sends for these calls, and what the crates' server answers. */
const RECORDED = {
  levels: { call: `00${HANDLER}11${hex("get-access-levels")}0000`, result: "000105" },
  request: {
    call: `00${HANDLER}0e${hex("handle-request")}0008013702${hex("ok")}02${hex("hi")}`,
    ok: "000600f7030268 69",
  },
  err: "000601046e6f2037",
};

interface Peer {
  readonly plugin: WrpcPlugin;
  /** What each connection sent, up to its end. */
  readonly calls: string[];
  readonly sockets: Socket[];
}

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise<void>((resolve) => server.close(() => resolve()));
});

/** Answers every call with these bytes, in these parts; `undefined` is no answer. */
async function serve(result: readonly string[] | undefined, options: WrpcPluginOptions = {}): Promise<Peer> {
  const calls: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined);
    socket.on("end", () => {
      calls.push(Buffer.concat(chunks).toString("hex"));
      if (result === undefined) return;
      for (const part of result) socket.write(bytes(part));
      socket.end();
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { plugin: wrpcOverTcp({ port, plugin: "echo", ...options }), calls, sockets };
}

function hex(text: string): string {
  return Buffer.from(text).toString("hex");
}

function bytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}

/** A frame of plain bytes. */
function frame(data: string): string {
  const { length } = bytes(data);
  const size = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return `00${Buffer.from(size).toString("hex")}${data}`;
}

async function failureOf(
  call: Promise<unknown>,
): Promise<{ code: string; message: string; mayHaveRun: boolean; text: string }> {
  try {
    await call;
  } catch (error) {
    if (!isCallError(error)) throw error;
    const { code, message, mayHaveRun } = error;
    return { code, message, mayHaveRun, text: error.text() };
  }
  throw new Error("the call succeeded");
}

describe("over TCP, a call", () => {
  test("of handle-request sends the recorded bytes and reads the recorded result", async () => {
    const { plugin, calls } = await serve([RECORDED.request.ok]);
    const reply = await plugin.handleRequest("ok", "hi", { id: "7" });
    expect([reply.status, reply.text(), reply.id]).toEqual([503, "hi", "7"]);
    expect(calls).toEqual([RECORDED.request.call]);
  });

  test("of get-access-levels does so too", async () => {
    const { plugin, calls } = await serve([RECORDED.levels.result]);
    expect(await plugin.accessLevels()).toEqual(["key-value-read", "outbound-http"]);
    expect(calls).toEqual([RECORDED.levels.call]);
  });

  test("reads a result in many frames and in parts of any size", async () => {
    const data = "00c80103616263";
    const frames = [...bytes(data)].map((byte) => frame(Buffer.from([byte]).toString("hex"))).join("");
    const { plugin } = await serve([frames.slice(0, 2), frames.slice(2, 10), frames.slice(10), frame("")]);
    const reply = await plugin.handleRequest("", "");
    expect([reply.status, reply.text()]).toEqual([200, "abc"]);
  });

  test("makes an id where none is given", async () => {
    const { plugin, calls } = await serve([RECORDED.request.ok]);
    const { id } = await plugin.handleRequest("ok", "hi");
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(calls[0]).toContain(hex(id));
  });

  test("carries megabytes both ways", async () => {
    const body = new Uint8Array(3_000_000).fill(7);
    const result = Buffer.concat([bytes("00c801"), bytes("c08db701"), body]);
    const { plugin, calls } = await serve([`00c78db701${result.toString("hex")}`]);
    const reply = await plugin.handleRequest("", body);
    expect(Buffer.compare(reply.body, body)).toBe(0);
    expect(calls[0]?.length).toBeGreaterThan(2 * body.length);
  });
});

describe("over TCP, a call that fails", () => {
  test("with the plugin's own error has its whole text", async () => {
    const { plugin } = await serve([RECORDED.err]);
    expect(await failureOf(plugin.handleRequest("no", ""))).toMatchObject({
      code: "plugin-error",
      mayHaveRun: true,
      text: "no 7",
    });
  });

  test("with a refusal has the refusal's code and what the table says of it", async () => {
    const text = "overloaded: The plugin is at its limit.";
    const { plugin } = await serve([frame(`01${text.length.toString(16)}${hex(text)}`)]);
    const failure = await failureOf(plugin.handleRequest("", ""));
    expect(failure).toMatchObject({ code: "overloaded", mayHaveRun: false });
    expect(failure.message).toMatch(/^overloaded: The plugin is at its limit\. \(echo, id /);
  });

  test("without a complete result is bad-reply, and the plugin may have run", async () => {
    for (const part of [[], [frame("")], [frame("00f7")], ["00"], ["0006f7"]]) {
      const { plugin } = await serve(part);
      expect(await failureOf(plugin.handleRequest("", ""))).toMatchObject({ code: "bad-reply", mayHaveRun: true });
    }
  });

  test("with something else than a result is bad-reply", async () => {
    const cases = [
      frame("02"),
      frame("00f7030268 6900"),
      "010300",
      hex("HTTP/1.1 400 Bad Request"),
      frame("01 02 c3 28"),
    ];
    for (const answer of cases) {
      const { plugin } = await serve([answer]);
      expect(await failureOf(plugin.handleRequest("", "")), answer).toMatchObject({ code: "bad-reply" });
    }
    const { plugin } = await serve([frame("08")]);
    expect(await failureOf(plugin.accessLevels())).toMatchObject({ code: "bad-reply" });
  });

  test("with a longer result than allowed ends the connection at once", async () => {
    const { plugin, sockets } = await serve([frame(`00c801 7a${"61".repeat(122)}`)], { maxResultBytes: 100 });
    expect((await failureOf(plugin.handleRequest("", ""))).message).toMatch(/more than 100 bytes/);
    expect(sockets).toHaveLength(1);
  });

  test("where nothing listens is no-responders: the plugin has not run", async () => {
    const { plugin } = await serve(undefined);
    await new Promise<void>((resolve) => servers.splice(0)[0]?.close(() => resolve()));
    expect(await failureOf(plugin.handleRequest("", ""))).toMatchObject({ code: "no-responders", mayHaveRun: false });
  });

  test("by its time budget is deadline-exceeded, and closes the connection", async () => {
    const { plugin, sockets } = await serve(undefined);
    const failure = failureOf(plugin.handleRequest("", "", { timeoutMs: 50 }));
    expect(await failure).toMatchObject({ code: "deadline-exceeded", mayHaveRun: true });
    await closed(sockets[0]);
  });

  test("by the caller's signal rejects with its reason, and closes the connection", async () => {
    const { plugin, sockets, calls } = await serve(undefined);
    const controller = new AbortController();
    const call = plugin.handleRequest("", "", { signal: controller.signal });
    await expect.poll(() => calls.length).toBe(1);
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    await closed(sockets[0]);
    await expect(plugin.handleRequest("", "", { signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow(
      "before",
    );
    expect(sockets).toHaveLength(1);
  });

  test("for what it asks is bad-request, and nothing is sent", async () => {
    const { plugin, sockets } = await serve([RECORDED.request.ok]);
    for (const [method, id] of [
      ["x".repeat(256), "1"],
      ["", ""],
      ["", "a b"],
      ["", "x".repeat(129)],
    ] as const)
      expect(await failureOf(plugin.handleRequest(method, "", { id }))).toMatchObject({ code: "bad-request" });
    await expect(plugin.handleRequest("", "", { timeoutMs: 0 })).rejects.toThrow(RangeError);
    expect(() => wrpcOverTcp({ port: 1, timeoutMs: Number.NaN })).toThrow(RangeError);
    expect(sockets).toHaveLength(0);
  });
});

async function closed(socket: Socket | undefined): Promise<void> {
  if (socket === undefined) throw new Error("there was no connection");
  // The half that this side has open ends when the other resets the connection, or when it notices on writing.
  await expect.poll(() => socket.destroyed || !socket.write("00"), { timeout: 5_000 }).toBe(true);
}
