import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { FIXED_LIMITS } from "../../src/contract/limits.ts";
import { assemblePlugin, type PluginEdits } from "../fixtures/wat/assemble.ts";
import { COMPONENTS, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { until } from "../../scripts/lib/until.ts";
import { buildComponent } from "../unit/runner/artifacts.ts";
import { openRawPublisher } from "./raw-publisher.ts";
import { openScene, residentBytes, type Scene } from "./scene.ts";

const MIB = 1024 * 1024;

describe("components that are odd, and either work or are refused by name", () => {
  const ODD: Readonly<Record<string, PluginEdits>> = {
    "an import that is exported again": {
      insert: {
        imports: `(import "wasi:cli/environment@0.2.0" (instance $environment
          (export "initial-cwd" (func (result (option string))))))`,
        exports: '(export "wasi:cli/environment@0.2.0" (instance $environment))',
      },
    },
    "components nested to the bound": { insert: { modules: nested(8) } },
    "a core function that is called as the handler is": {
      insert: { "core-body": '(func (export "local:network-host/handler@1.0.0#handle-request"))' },
    },
    "names of JavaScript's own objects in a core module": {
      insert: {
        "core-body": ["constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "then"]
          .map((name) => `(func (export "${name}"))`)
          .join(" "),
      },
    },
    "function names of the debug section with quotes and line breaks": {
      insert: { "core-body": '(func $"a\'b`c\\"d\\n*/e\\u{2028}" (export "named") unreachable)' },
    },
    "a passive segment of a megabyte": { insert: { "core-body": `(data "${"x".repeat(MIB)}")` } },
  };

  test.each(Object.entries(ODD))("%s", async (_what, edits) => {
    await using scene = await openScene({ actors: { odd: { component: await assemblePlugin(edits) } } });
    const name = scene.name("odd");
    const record = await scene.replica.logged(
      (entry) => entry["plugin"] === name && (entry["msg"] === "plugin loaded" || entry["err"] !== undefined),
    );
    const reply = await scene.call("odd", "any");
    if (record["err"] === undefined) expect(reply.status).toBe(200);
    else expect([record["err"], reply.error]).toMatchObject([{ code: expect.any(String) }, "plugin-unloadable"]);
    await scene.unharmed();
  });

  function nested(depth: number): string {
    return depth === 0 ? "" : `(component ${nested(depth - 1)})`;
  }
});

describe("a plugin that computes when nobody asked it to", () => {
  /**
   * Instances that are made later than so many milliseconds after their process began never come to an end. Each call
   * traps, so that the next one needs a new instance on every engine.
   */
  const loopsAfter = (ms: number): string => `(module
    (import "cm32p2|wasi:clocks/monotonic-clock@0.2" "now" (func $now (result i64)))
    (memory (export "cm32p2_memory") 2)
    (func $start (if (i64.gt_u (call $now) (i64.const ${ms}000000)) (then (loop $again (br $again)))))
    (start $start)
    (func (export "cm32p2_initialize"))
    (func (export "cm32p2_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
    (func (export "cm32p2|local:network-host/handler@1|get-access-levels") (result i32) (i32.const 0))
    (func (export "cm32p2|local:network-host/handler@1|handle-request")
      (param i32 i32 i32 i32 i32 i32) (result i32)
      unreachable))`;

  test("while an instance is prepared in an idle moment: its process is ended, though no request waits for it", async () => {
    const AFTER_MS = 8_000;
    await using scene = await openScene({
      actors: { idler: { component: await buildComponent(loopsAfter(AFTER_MS)) } },
      // There, only the end of its process ends a loop.
      replica: { args: ["--engine", "jco"] },
    });
    const runner = await scene.runnerOf("idler");
    // Its loop begins by the clock: what it makes before that, it can make.
    await delay(AFTER_MS);
    // Takes the instance that is there; the next one is prepared, and never is ready.
    const reply = await scene.call("idler", "any");
    expect(["plugin-trapped", "runner-lost"]).toContain(reply.error);
    await until(async () => (await residentBytes(runner)) === 0, {
      what: "the process that computes for nobody is ended",
    });
    await scene.unharmed();
  });
});

describe("a stranger who may publish", () => {
  let scene: Scene<"store">;

  beforeAll(async () => {
    scene = await openScene({
      actors: {
        store: { component: COMPONENTS.gauntlet("read-write"), policy: READ_WRITE },
      },
    });
  });

  afterAll(async () => {
    await scene[Symbol.asyncDispose]();
  });

  test("cannot end the process of a plugin that computes within its deadline, by asking with a short time-out", async () => {
    await using own = await openScene({ actors: { busy: { component: await buildComponent(computesFor(400)) } } });
    const runner = await own.runnerOf("busy");
    expect((await own.call("busy", "any")).status).toBe(200);
    for (let attack = 0; attack < 5; attack += 1) {
      const reply = await own.call("busy", "any", "", { "Rpc-Timeout-Ms": "1" });
      expect(reply.error).toBe("deadline-exceeded");
    }
    expect((await own.call("busy", "any")).status).toBe(200);
    expect(await own.runnerOf("busy")).toBe(runner);
    await own.unharmed();
  });

  test("cannot fill the host's memory by asking for the same large value many times at once", async () => {
    await using own = await openScene({
      actors: {
        store: {
          component: COMPONENTS.gauntlet("read-write"),
          policy: { ...READ_WRITE, limits: { valueBytes: "8MiB" } },
        },
      },
    });
    expect((await own.call("store", "set-size", `user-data\nlarge\n${8 * MIB}`)).status).toBe(200);
    const before = await own.hostMemoryBytes();
    let peak = before;
    const watch = setInterval(() => {
      void own.hostMemoryBytes().then((bytes) => (peak = Math.max(peak, bytes)));
    }, 20);
    const replies = await Promise.all(
      Array.from({ length: 128 }, () => own.call("store", "get", "user-data\nlarge").catch(() => undefined)),
    );
    clearInterval(watch);
    expect(replies.every((reply) => reply?.error !== undefined)).toBe(true);
    // 128 times 8 MiB, if each reply were held.
    expect(peak - before).toBeLessThan(768 * MIB);
    await own.unharmed();
  });

  test("cannot keep others waiting with 5,000 tiny requests at once: the rest is refused at once", async () => {
    const replies = await Promise.all(Array.from({ length: 5_000 }, () => scene.call("store", "echo", "x")));
    const outcomes = new Set(replies.map(({ error, status }) => error ?? status));
    expect([...outcomes].every((outcome) => outcome === 200 || outcome === "overloaded")).toBe(true);
    await scene.unharmed();
  });

  test("cannot make the store grow keys without a bound on each", async () => {
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, index) => scene.call("store", "set", `user-data\nkey ${index}\nvalue`)),
    );
    expect(replies.every(({ status }) => status === 200)).toBe(true);
    await scene.unharmed();
  });

  test("gets nothing by messages whose answers nobody can read", async () => {
    await using publisher = await openRawPublisher(inject("natsUrl"));
    for (const reply of ["_INBOX.gone", "x".repeat(1_000), "_INBOX.é", "\u0001"]) {
      await publisher.publish({
        subject: `rpc.${scene.name("store")}`,
        reply,
        headers: "Rpc-Method: echo",
        payload: "x",
      });
    }
    await scene.unharmed();
  });

  test("gets no answer of a call that was cancelled: what it does afterwards reaches nobody", async () => {
    const reply = await scene.call("store", "sleep", "400", { "Rpc-Timeout-Ms": "50", "Rpc-Id": "late" });
    expect(reply.error).toBe("deadline-exceeded");
    const echoed = await scene.call("store", "echo", "mine", { "Rpc-Id": "next" });
    expect([echoed.text, echoed.headers["Rpc-Id"]]).toEqual(["mine", "next"]);
    await scene.replica.logged(({ id, msg }) => id === "late" && msg === "request");
    // What the guest does after its 400 ms would be here by then.
    await delay(500);
    const records = scene.replica.records.filter(({ id, msg }) => id === "late" && msg === "request");
    expect(records).toHaveLength(1);
    await scene.unharmed();
  });
});

test("a replica that is told to stop while a hostile plugin is being loaded does not wait for it", async () => {
  await using scene = await openScene({ actors: {} });
  const component = await assemblePlugin({
    insert: { "core-body": "(func $start (loop $again (br $again))) (start $start)" },
  });
  const known = new Set(await scene.children());
  await scene.recast({ [uniqueName("loops")]: { component } });
  await until(async () => (await scene.children()).some((child) => !known.has(child)), {
    what: "the load is in progress",
  });
  await scene.unharmed();
  expect(await scene.replica.stop()).toMatchObject({ code: 0 });
  // Had it waited, the load would have come to its time limit.
  expect(JSON.stringify(scene.replica.records)).not.toContain(`not ready within ${FIXED_LIMITS.loadMs} ms`);
});

test("many instances that all hold what they may are bounded by the machine's memory, not by their number", async () => {
  await using scene = await openScene({
    actors: { hog: { component: COMPONENTS.gauntlet("none"), policy: { limits: { memoryBytes: 16 * MIB } } } },
  });
  const runner = await scene.runnerOf("hog");
  const replies = await Promise.all(
    Array.from({ length: 100 }, () => scene.call("hog", "grow", "1000000").catch(() => undefined)),
  );
  expect(replies.every((reply) => reply !== undefined)).toBe(true);
  expect(await residentBytes(runner)).toBeLessThan(1_500 * MIB);
  await scene.unharmed();
});

/** Computes for so long, then answers. */
function computesFor(ms: number): string {
  return `(module
    (import "cm32p2|wasi:clocks/monotonic-clock@0.2" "now" (func $now (result i64)))
    (memory (export "cm32p2_memory") 2)
    (func (export "cm32p2_initialize"))
    (func (export "cm32p2_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
    (func (export "cm32p2|local:network-host/handler@1|get-access-levels") (result i32) (i32.const 0))
    (func (export "cm32p2|local:network-host/handler@1|handle-request")
      (param i32 i32 i32 i32 i32 i32) (result i32)
      (local $end i64)
      (local.set $end (i64.add (call $now) (i64.const ${ms}000000)))
      (loop $again (br_if $again (i64.lt_u (call $now) (local.get $end))))
      (i32.store16 (i32.const 68) (i32.const 200))
      (i32.const 64)))`;
}
