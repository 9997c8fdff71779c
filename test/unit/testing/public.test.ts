/** `network-host/testing` on a real component. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPlugin, type PluginUnderTest } from "../../../src/testing/public.ts";
import { COMPONENTS } from "../../harness/plugins.ts";
import { childrenOf } from "../../harness/processes.ts";

let folder = "";
let plugin: PluginUnderTest;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "public-"));
  plugin = await openPlugin(COMPONENTS.gauntlet("all"), { cacheDir: folder, limits: { deadlineMs: 30_000 } });
});
afterAll(async () => {
  await plugin?.close();
  await rm(folder, { recursive: true, force: true });
});

test("it says what it loaded", () => {
  expect([plugin.name, plugin.engine]).toEqual(["gauntlet-all", "linker"]);
  expect(plugin.requested).toEqual(["key-value-read", "key-value-write", "outbound-http"]);
});

test("a call has a status, a body and the log, or an error", async () => {
  plugin.scene();
  const bytes = new Uint8Array([0, 255]);
  expect(await plugin.call("echo", bytes, { id: "id-1" })).toMatchObject({ id: "id-1", status: 200, error: undefined });
  expect((await plugin.call("echo", bytes)).body).toEqual(Buffer.from(bytes));
  expect((await plugin.call("echo", { json: { a: 1 } })).json()).toEqual({ a: 1 });
  expect((await plugin.call("log", "hello")).log[1]).toEqual({ source: "log", level: "warning", text: "hello" });
  expect(await plugin.call("err")).toMatchObject({
    status: undefined,
    text: "",
    error: { code: "plugin-error", text: "the plugin says no", retryable: false },
  });
  const { error } = await plugin.call("trap");
  expect(error).toMatchObject({ code: "plugin-trapped", detail: expect.stringContaining("unreachable") as string });
  expect((await plugin.call("loop", "", { timeoutMs: 200 })).error?.code).toBe("deadline-exceeded");
});

test("a scene has keys of its own, which the plugin reads and writes", async () => {
  const scene = plugin.scene({ keys: { users: { ada: "lovelace", raw: new Uint8Array([1]) } } });
  expect((await plugin.call("get", "users\nada")).text).toBe("lovelace");
  await plugin.call("set", "users\nbyron\nlord");
  expect(scene.texts("users")).toEqual({ ada: "lovelace", raw: "\u0001", byron: "lord" });
  expect(scene.keys("users").get("raw")).toEqual(Buffer.from([1]));
  const next = plugin.scene();
  expect((await plugin.call("get", "users\nada")).status).toBe(404);
  expect(next.texts("users")).toEqual({});
});

test("a scene's faults are those of a file", async () => {
  const scene = plugin.scene({ store: [{ on: "get", times: 1, fail: "store-timeout" }] });
  expect(() => scene.verify()).toThrow("no operation of the store met this fault");
  const { error } = await plugin.call("get", "users\nada");
  expect(error).toMatchObject({ retryable: true, text: expect.stringMatching(/^store-timeout: /) as string });
  expect((await plugin.call("get", "users\nada")).status).toBe(404);
  scene.verify();
});

describe("HTTP", () => {
  test("is answered as the scene says, and can be looked at", async () => {
    const request = { url: "http://a.test/x", headers: { "x-none": /./ } };
    const scene = plugin.scene({ http: [{ request, response: { status: 204 } }] });
    expect(await plugin.call("http", "a.test\n/x")).toMatchObject({ status: 204 });
    expect(scene.requests()).toMatchObject([{ method: "GET", url: "http://a.test/x", expected: true }]);
    expect(() => scene.verify()).toThrow("the header field x-none of GET http://a.test/x is not there");
  });

  test("that the scene does not have is refused, and verify says so", async () => {
    const scene = plugin.scene({ http: [{ request: { url: "http://a.test/x" }, fail: "DNS-error" }] });
    expect((await plugin.call("http", "a.test\n/y")).error?.code).toBe("plugin-error");
    expect(scene.requests()).toMatchObject([{ url: "http://a.test/y", expected: false }]);
    expect(() => scene.verify()).toThrow(
      "the plugin sent an HTTP request that the case does not have\n  + GET http://a.test/y\nthe HTTP exchange GET http://a.test/x did not take place",
    );
  });
});

test("levels that nothing used are known", async () => {
  await using other = await openPlugin(COMPONENTS.gauntlet("read-write"), { cacheDir: folder, name: "other" });
  other.scene();
  await other.call("get", "users\nada");
  expect([other.name, other.unused]).toEqual(["other", ["key-value-write"]]);
});

test("mistakes are told with the option, and what cannot be loaded with its code", async () => {
  const mistake = (): unknown => plugin.scene({ store: [{ on: "got" as "get" }] });
  expect(mistake).toThrow('store[0].on: "got" cannot be used; did you mean "get"?');
  await expect(openPlugin("none.wasm", { cacheDir: folder })).rejects.toMatchObject({ code: "component-unreadable" });
  await writeFile(join(folder, "none.yaml"), "plugin: none\n");
  const denied = openPlugin(COMPONENTS.gauntlet("read"), { cacheDir: folder, policy: join(folder, "none.yaml") });
  await expect(denied).rejects.toMatchObject({ code: "denied" });
});

test("closing ends its processes", async () => {
  const before = await childrenOf(process.pid);
  const other = await openPlugin(COMPONENTS.echo, { cacheDir: folder });
  expect((await childrenOf(process.pid)).length).toBeGreaterThan(before.length);
  await other.close();
  await other.close();
  await expect.poll(async () => (await childrenOf(process.pid)).length).toBe(before.length);
});
