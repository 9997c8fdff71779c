/**
 * Beyond the list: what costs an attacker little and would cost the host, a neighbour or the plugin's other callers
 * much.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIXED_LIMITS } from "../../src/contract/limits.ts";
import { HTTP_ERROR_CODES, type HttpErrorCode } from "../../src/contract/http.ts";
import { assemblePlugin, type PluginEdits } from "../fixtures/wat/assemble.ts";
import { startTcpServer } from "../harness/local-server.ts";
import { COMPONENTS, projectFile } from "../harness/plugins.ts";
import { openScene, type Scene } from "./scene.ts";

describe("a few hundred bytes of component that are instantiated many times", () => {
  const SEVERAL: Readonly<Record<string, PluginEdits>> = {
    "one module, nine times: nine memories of the whole limit": {
      insert: { modules: "(core instance (instantiate $main)) ".repeat(8) },
    },
    "components that double themselves at every level": {
      insert: {
        modules: Array.from({ length: 40 }, (_, level) =>
          level === 0
            ? "(component $c0)"
            : `(component $c${level} (alias outer 1 $c${level - 1} (component $inner))
                (instance (instantiate $inner)) (instance (instantiate $inner)))`,
        )
          .concat("(instance (instantiate $c39))")
          .join("\n"),
      },
    },
  };

  test.each(Object.entries(SEVERAL))("%s: refused at the gate", async (_what, edits) => {
    await using scene = await openScene({ actors: { many: { component: await assemblePlugin(edits) } } });
    expect((await scene.loadError("many"))["err"]).toMatchObject({
      code: "component-rejected",
      message: expect.stringMatching(/more than \d+ (?:linear memories|instances)/),
    });
    await scene.unharmed();
  });
});

test("what custom sections say of names and documentation reaches no generated code", async () => {
  const hostile = String.raw`a'b\"c\\d*/e\0a${"`"}`;
  const sections = ["name", "component-name", "package-docs", "producers", hostile];
  const custom = sections.map((name) => `(@custom "${name}" "\\01{\\22${hostile}\\22:\\22${hostile}\\22}")`).join("\n");
  const component = await assemblePlugin({ insert: { "core-body": custom, exports: custom } });
  await using scene = await openScene({ actors: { custom: { component } } });
  const name = scene.name("custom");
  const record = await scene.replica.logged(
    ({ plugin, msg, err }) => plugin === name && (msg === "plugin loaded" || err !== undefined),
  );
  // A validator may refuse them, too; what must not be is generated code that does not parse or does something else.
  if (record["err"] === undefined) expect((await scene.call("custom", "any")).status).toBe(200);
  else expect(record["err"]).toMatchObject({ code: expect.stringMatching(/^(?:component-rejected|compile-failed)$/) });
  await scene.unharmed();
});

/** A frame with a line of one byte: length, kind, call, level, length of the text, text. */
const LINE_FRAME_BYTES = 4 + 1 + 4 + 1 + 4 + 1;
/** What else a request has its process send: what was dropped, the reply. */
const REST_BYTES = 128;

/** Bytes that a process has written so far, its sockets included. */
async function writtenBytes(pid: number): Promise<number> {
  const io = await readFile(`/proc/${pid}/io`, "utf8");
  return Number(/^wchar: (\d+)$/m.exec(io)?.[1]);
}

describe("a plugin that logs with all of its requests at once", () => {
  test("has so many lines a second and no more: the rest is dropped, counted and told", async () => {
    const REQUESTS = 96;
    const LIMITS = { deadlineMs: 60_000, runners: 1 };
    await using scene = await openScene({
      actors: { loud: { component: COMPONENTS.gauntlet("none"), policy: { limits: LIMITS } } },
    });
    const name = scene.name("loud");
    const runner = await scene.runnerOf("loud");
    const quietBytes = await writtenBytes(runner);
    const startMs = performance.now();
    const replies = await Promise.all(
      Array.from({ length: REQUESTS }, () => scene.call("loud", "log-flood", `${FIXED_LIMITS.logLines}\n1`)),
    );
    const sentBytes = (await writtenBytes(runner)) - quietBytes;
    const seconds = (performance.now() - startMs) / 1_000;
    expect(replies.map(({ error }) => error)).toEqual(replies.map(() => undefined));
    const ended = ({ plugin, runMs }: Record<string, unknown>): boolean => plugin === name && runMs !== undefined;
    await expect.poll(() => scene.replica.records.filter(ended).length).toBe(REQUESTS);
    const lines = scene.replica.records.filter(({ plugin, source }) => plugin === name && source === "log").length;
    const allowed = (2 + seconds) * FIXED_LIMITS.logLinesPerSecond;
    // What was saved up, and what came in since: the process sends the host no more than that.
    expect(sentBytes).toBeGreaterThanOrEqual(lines * LINE_FRAME_BYTES);
    expect(sentBytes).toBeLessThanOrEqual(allowed * LINE_FRAME_BYTES + REQUESTS * REST_BYTES);
    expect(lines).toBeLessThanOrEqual(allowed);
    // A line has one byte.
    const dropped = scene.replica.records.reduce((sum, record) => sum + Number(record["droppedLogBytes"] ?? 0), 0);
    expect(lines + dropped).toBe(REQUESTS * FIXED_LIMITS.logLines);
    expect(dropped).toBeGreaterThan(0);
    const isTold = ({ plugin, source, msg }: Record<string, unknown>): boolean =>
      plugin === name && source === "host" && /\d+ lines of the plugin were dropped/.test(String(msg));
    const speakAgain = async (): Promise<boolean> => {
      await scene.call("loud", "log-flood", "1\n1");
      return scene.replica.records.some(isTold);
    };
    await expect.poll(speakAgain, { timeout: 30_000 }).toBe(true);
    await scene.unharmed();
  });
});

describe("outbound HTTP", () => {
  let scene: Scene<"fetcher">;

  beforeAll(async () => {
    scene = await openScene({
      actors: {
        fetcher: {
          component: projectFile("test/components/fetcher.wasm"),
          policy: { allow: ["outbound-http"], hosts: ["http://127.0.0.1:*"] },
        },
      },
    });
  });

  afterAll(async () => {
    await scene?.[Symbol.asyncDispose]();
  });

  function error(code: HttpErrorCode): string {
    return `error-code ${String(HTTP_ERROR_CODES.indexOf(code)).padStart(2, "0")}`;
  }

  const FIELDS = "a: b\r\n".repeat(2_000);
  const RESPONSES: Readonly<Record<string, readonly [response: string, code: HttpErrorCode]>> = {
    "with 2,000 fields": [`HTTP/1.1 200 OK\r\n${FIELDS}content-length: 0\r\n\r\n`, "HTTP-response-header-section-size"],
    "that is announced 2,000 times": [
      `${"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(2_000)}HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n`,
      "HTTP-protocol-error",
    ],
    "that switches to another protocol": [
      "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
      "connection-terminated",
    ],
  };

  test.each(Object.entries(RESPONSES))(
    "a response %s costs its own request and not the process",
    async (_what, [response, code]) => {
      await using server = await startTcpServer((socket) => socket.once("data", () => socket.write(response)));
      const runner = await scene.runnerOf("fetcher");
      const reply = await scene.call("fetcher", "http-full", `0\n${server.authority}\n/\n\n\n\n`);
      expect(reply.text).toBe(error(code));
      expect(await scene.runnerOf("fetcher")).toBe(runner);
      await scene.unharmed();
    },
  );

  test("requests that are opened and dropped are no more than a limit in one call, whatever they come to", async () => {
    await using server = await startTcpServer((socket) => socket.resume());
    const runner = await scene.runnerOf("fetcher");
    const drop = (count: number) => scene.call("fetcher", "http-drop", `${server.authority}\n${count}`);
    expect((await drop(FIXED_LIMITS.httpRequests)).text).toBe(String(FIXED_LIMITS.httpRequests));
    expect((await drop(1_000_000)).text).toBe(error("connection-limit-reached"));
    expect(await scene.runnerOf("fetcher")).toBe(runner);
    await scene.unharmed();
  });
});
