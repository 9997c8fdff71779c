import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { FIXED_LIMITS } from "../../src/contract/limits.ts";
import { ACCESS_LEVELS } from "../../src/contract/access-levels.ts";
import { smallestOf, took } from "../harness/clocks.ts";
import { COMPONENTS, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { buildComponent } from "../unit/runner/artifacts.ts";
import { failure } from "../harness/failure.ts";
import { gauntletRequesting } from "./levels.ts";
import { openScene, type Scene } from "./scene.ts";

const FLAG_SETS = [0, 1, 2, 3, 4, 5, 6, 7] as const;
/** Less than half of what a probe has. */
const AT_ONCE_MS = 900;
const SHARED = { shared: { board: "board" } };

function levelsOf(bits: number): readonly string[] {
  return ACCESS_LEVELS.filter((_, bit) => (bits & (1 << bit)) !== 0);
}

async function metricsOf(scene: Scene<never>): Promise<string> {
  return await (await fetch(`${scene.replica.healthUrl}/metrics`)).text();
}

/** A server of loopback that counts who comes. */
async function openTrap(): Promise<{ readonly port: number; visits(): number } & AsyncDisposable> {
  let visits = 0;
  const server = createServer((socket) => {
    visits += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    port: address.port,
    visits: () => visits,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("every operation under every set of flags: without its flag it is denied and the backend sees nothing", () => {
  test.each(FLAG_SETS)("flags %i", async (bits) => {
    await using trap = await openTrap();
    const own = { allow: levelsOf(bits), buckets: SHARED };
    const policy = (bits & 4) === 0 ? own : { ...own, hosts: [`http://127.0.0.1:${trap.port}`] };
    await using scene = await openScene({
      actors: {
        subject: { component: await gauntletRequesting(bits), policy },
        witness: { component: COMPONENTS.gauntlet("read-write"), policy: { ...READ_WRITE, buckets: SHARED } },
      },
    });
    expect((await scene.call("witness", "set", "board\nbefore\nby the witness")).status).toBe(200);

    const read = await scene.call("subject", "get", "board\nbefore");
    if ((bits & 1) === 0)
      expect([read.error, read.text]).toEqual(["plugin-error", expect.stringMatching(/^access-denied: /)]);
    else expect([read.status, read.text]).toEqual([200, "by the witness"]);

    const write = await scene.call("subject", "set", "board\nafter\nby the subject");
    const seen = await scene.call("witness", "get", "board\nafter");
    if ((bits & 2) === 0) {
      expect([write.error, write.text]).toEqual(["plugin-error", expect.stringMatching(/^access-denied: /)]);
      expect(seen.status).toBe(404);
    } else {
      expect([write.status, seen.text]).toEqual([200, "by the subject"]);
    }

    if ((bits & 4) === 0) {
      const http = await scene.call("subject", "http", `127.0.0.1:${trap.port}\n/`);
      expect(http.error).toBe("plugin-error");
      expect(trap.visits()).toBe(0);
    }

    const metrics = await metricsOf(scene);
    const done = [
      ...metrics.matchAll(/network_host_kv_operations_total\{plugin="([^"]+)",operation="(\w+)",outcome="ok"\}/g),
    ];
    const byTheSubject = done
      .filter(([, plugin]) => plugin === scene.name("subject"))
      .map(([, , operation]) => operation);
    expect(new Set(byTheSubject)).toEqual(new Set(["get", "set"].filter((_, bit) => (bits & (1 << bit)) !== 0)));
    await scene.unharmed();
  });

  test.each(FLAG_SETS.filter((bits) => bits !== 0))(
    "flags %i requested and nothing allowed: denied by name, and handle-request never runs",
    async (bits) => {
      await using scene = await openScene({ actors: { subject: { component: await gauntletRequesting(bits) } } });
      const reply = await scene.call("subject", "echo", "x", { "Rpc-Id": "denied" });
      const text = `The plugin requests ${levelsOf(bits).join(", ")}, which the policy does not allow.`;
      expect(reply.headers).toEqual(failure("denied", "denied", { "Nats-Service-Error": text }));
      expect(reply.data).toHaveLength(0);
      await expect(scene.runnerOf("subject")).rejects.toThrow();
      await scene.unharmed();
    },
  );
});

describe("get-access-levels", () => {
  const EVERYTHING = { allow: [...ACCESS_LEVELS], hosts: ["https://example.com"] };

  test("that changes its answer: the first one stands, and a grant of nothing lets nothing through", async () => {
    await using scene = await openScene({
      actors: { changing: { component: COMPONENTS.probe("changing"), policy: EVERYTHING } },
    });
    for (let request = 0; request < 3; request += 1) {
      const reply = await scene.call("changing", "any");
      expect([reply.error, reply.text]).toEqual(["plugin-error", expect.stringMatching(/^access-denied: /)]);
    }
    await scene.unharmed();
  });

  test.each([
    ["hangs", "loop", `within ${FIXED_LIMITS.probeMs} ms`],
    ["traps", "trap", "unreachable"],
    ["takes all memory", "hog", "unreachable"],
  ])("that %s: probe-failed, and requests are answered at once", async (_what, probe, says) => {
    await using scene = await openScene({
      actors: { probed: { component: COMPONENTS.probe(probe), policy: EVERYTHING } },
    });
    const { err } = await scene.loadError("probed");
    expect(err).toMatchObject({ code: "probe-failed", message: expect.stringContaining(says) });
    const ask = async (): Promise<void> => {
      const reply = await scene.call("probed", "any", "", { "Rpc-Id": "probed" });
      expect(reply.headers).toEqual(failure("plugin-unloadable", "probed"));
    };
    expect(await smallestOf(AT_ONCE_MS, () => took(ask))).toBeLessThan(AT_ONCE_MS);
    await expect(scene.runnerOf("probed")).rejects.toThrow();
    await scene.unharmed();
  });

  test("that sets bits without a meaning gets no more than the flags it names", async () => {
    await using scene = await openScene({
      actors: { bits: { component: COMPONENTS.probe("unknown-bits"), policy: { allow: ["key-value-write"] } } },
    });
    const reply = await scene.call("bits", "any");
    expect(["plugin-unloadable", undefined]).toContain(reply.error);
    await scene.unharmed();
  });
});

describe("a probe that uses what it is about to ask for", () => {
  test("writes nothing to the store", async () => {
    await using scene = await openScene({
      actors: {
        eager: {
          component: COMPONENTS.probe("store"),
          policy: { allow: ["key-value-write"], buckets: { shared: { "user-data": "board" } } },
        },
        witness: { component: COMPONENTS.gauntlet("read"), policy: { allow: ["key-value-read"], buckets: SHARED } },
      },
    });
    expect((await scene.call("witness", "get", "board\nprobe")).status).toBe(404);
    expect(await metricsOf(scene)).not.toContain(`operations_total{plugin="${scene.name("eager")}"`);
    // Afterwards, with the grant, the same operation works: it was the probe that was denied.
    expect((await scene.call("eager", "any")).status).toBe(200);
    expect((await scene.call("witness", "get", "board\nprobe")).text).toBe("reached");
    await scene.unharmed();
  });

  test("opens no connection", async () => {
    await using trap = await openTrap();
    const target = `http://127.0.0.1:${trap.port}`;
    await using scene = await openScene({
      actors: {
        eager: {
          component: await buildComponent(eagerHttp(`127.0.0.1:${trap.port}`)),
          policy: { allow: ["outbound-http"], hosts: [target] },
        },
      },
    });
    expect((await scene.call("eager", "any")).status).toBe(200);
    expect(trap.visits()).toBe(0);
    await scene.unharmed();
  });

  /** Sends a request from within `get-access-levels`; its handler does nothing. */
  function eagerHttp(authority: string): string {
    return `(module
      (import "cm32p2|wasi:http/types@0.2" "[constructor]fields" (func $fields (result i32)))
      (import "cm32p2|wasi:http/types@0.2" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
      (import "cm32p2|wasi:http/types@0.2" "[method]outgoing-request.set-authority"
        (func $authority (param i32 i32 i32 i32) (result i32)))
      (import "cm32p2|wasi:http/types@0.2" "[method]outgoing-request.set-scheme"
        (func $scheme (param i32 i32 i32 i32 i32) (result i32)))
      (import "cm32p2|wasi:http/outgoing-handler@0.2" "handle" (func $send (param i32 i32 i32 i32)))
      (memory (export "cm32p2_memory") 2)
      (data (i32.const 1024) "${authority}")
      (func (export "cm32p2_initialize"))
      (func (export "cm32p2_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
      (func (export "cm32p2|local:network-host/handler@1|get-access-levels") (result i32)
        (local $outgoing i32)
        (local.set $outgoing (call $request (call $fields)))
        (drop (call $authority (local.get $outgoing) (i32.const 1) (i32.const 1024) (i32.const ${authority.length})))
        (drop (call $scheme (local.get $outgoing) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
        (call $send (local.get $outgoing) (i32.const 0) (i32.const 0) (i32.const 2048))
        (i32.const 4))
      (func (export "cm32p2|local:network-host/handler@1|handle-request")
        (param i32 i32 i32 i32 i32 i32) (result i32)
        (i32.store16 (i32.const 68) (i32.const 200))
        (i32.const 64)))`;
  }
});

describe.each(["sqlite", "mongodb"] as const)("keys of two plugins that use the same bucket, in %s", (store) => {
  let scene: Scene<"left" | "right">;

  beforeAll(async () => {
    const actor = { component: COMPONENTS.gauntlet("read-write"), policy: READ_WRITE };
    const database = uniqueName("keys").replaceAll("-", "_");
    const url = new URL(inject("mongodbUrl"));
    url.pathname = `/${database}`;
    scene = await openScene({
      actors: { left: actor, right: actor },
      ...(store === "mongodb" && { replica: { mongodbUrl: url.href } }),
    });
  });

  afterAll(async () => {
    await scene[Symbol.asyncDispose]();
  });

  test.each([
    ["plain", "a"],
    ["a path to the other plugin", "../right/a"],
    ["a null character", "a\0b"],
    ["an operator", "$ne"],
    ["an operator as an object", '{"$gt":""}'],
    ["a path into a document", "a.b.c"],
    ["an object's prototype", "__proto__"],
    ["a quote and a comment", "a'; --"],
    ["a wildcard", "%_*"],
    ["beyond the first plane", "\u{1f600}"],
  ])("%s: is stored as data, and the other plugin does not see it", async (_what, key) => {
    const value = `value of ${JSON.stringify(key)}`;
    expect((await scene.call("left", "set", `user-data\n${key}\n${value}`)).status).toBe(200);
    expect((await scene.call("right", "get", `user-data\n${key}`)).status).toBe(404);
    expect((await scene.call("right", "set", `user-data\n${key}\nother`)).status).toBe(200);
    expect((await scene.call("left", "get", `user-data\n${key}`)).text).toBe(value);
    await scene.unharmed();
  });

  test("keys that differ in a null character or in case are different keys", async () => {
    for (const key of ["k", "K", "k\0", "k\0\0", "k "]) await scene.call("left", "set", `user-data\n${key}\n[${key}]`);
    for (const key of ["k", "K", "k\0", "k\0\0", "k "])
      expect((await scene.call("left", "get", `user-data\n${key}`)).text).toBe(`[${key}]`);
  });

  test.each([
    ["a megabyte", "x".repeat(1_000_000), "invalid-key"],
    ["nothing", "", "invalid-key"],
  ])("a key of %s is a typed error", async (_what, key, code) => {
    const reply = await scene.call("left", "set", `user-data\n${key}\nvalue`);
    expect([reply.error, reply.text]).toEqual(["plugin-error", expect.stringMatching(new RegExp(`^${code}: `))]);
    await scene.unharmed();
  });

  test.each(["../other", "a/b", "", "$cmd", "a\0b", "x".repeat(2_000)])(
    "the bucket %j is a typed error",
    async (bucket) => {
      const reply = await scene.call("left", "set", `${bucket}\nkey\nvalue`);
      expect([reply.error, reply.text]).toEqual(["plugin-error", expect.stringMatching(/^invalid-bucket: /)]);
      await scene.unharmed();
    },
  );
});
