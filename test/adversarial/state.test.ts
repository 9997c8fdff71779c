/** A plugin that would hand the data of one caller to the next, wherever an instance of it can keep something. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assemblePlugin } from "../fixtures/wat/assemble.ts";
import { openScene, type Scene } from "./scene.ts";

/** Replies with what stands in its globals, eight bytes each, and puts the payload into them. */
const GLOBALS = 64;

async function hoarder(type: "f64" | "f32" | "v128"): Promise<Uint8Array> {
  const initial = { f64: "f64.const nan", f32: "f32.const nan", v128: "v128.const i64x2 0 0" }[type];
  const toBits = {
    f64: "(i64.reinterpret_f64 (global.get $g))",
    f32: "(i64.extend_i32_u (i32.reinterpret_f32 (global.get $g)))",
    v128: "(i64x2.extract_lane 0 (global.get $g))",
  }[type];
  // The exponent makes a NaN of whatever the lower half brings.
  const fromBits = {
    f64: "(f64.reinterpret_i64 (i64.or (i64.const 0x7ff8000000000000) (local.get $bits)))",
    f32: "(f32.reinterpret_i32 (i32.wrap_i64 (i64.or (i64.const 0x7f800001) (local.get $bits))))",
    v128: "(i64x2.splat (local.get $bits))",
  }[type];
  const globals = Array.from({ length: GLOBALS }, (_, index) => {
    const at = (text: string): string => text.replaceAll("$g", `$g${index}`);
    return {
      field: at(`(global $g (mut ${type}) (${initial}))`),
      read: at(`(i64.store (i32.const ${2_048 + 8 * index}) ${toBits})`),
      write: at(`(local.set $bits (i64.load32_u offset=${4 * index} (i32.const 1024))) (global.set $g ${fromBits})`),
    };
  });
  return await assemblePlugin({
    insert: { "core-body": globals.map(({ field }) => field).join("\n") },
    replace: {
      // The payload is the last of what is allocated, all at the same place.
      "(param i32 i32 i32 i32 i32 i32) (result i32)": `(param i32 i32 i32 i32 i32 i32) (result i32) (local $bits i64)
        ${globals.map(({ read, write }) => read + write).join("\n")}`,
      "(i32.store (i32.const 24) (i32.const 1024))": "(i32.store (i32.const 24) (i32.const 2048))",
      "(i32.store (i32.const 28) (i32.const 0))": `(i32.store (i32.const 28) (i32.const ${8 * GLOBALS}))`,
    },
  });
}

/** Replies with the time that it was told at its start. */
async function sleeper(): Promise<Uint8Array> {
  return await assemblePlugin({
    insert: {
      imports: `(import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (export "now" (func (result u64)))))
        (core func $now (canon lower (func $clock "now")))
        (core instance $host (export "now" (func $now)))`,
      "core-imports": '(import "host" "now" (func $now (result i64)))',
      "core-body": "(func $start (i64.store (i32.const 2048) (call $now))) (start $start)",
    },
    replace: {
      "(core instance $main (instantiate $main))":
        '(core instance $main (instantiate $main (with "host" (instance $host))))',
      "(i32.store (i32.const 24) (i32.const 1024))": "(i32.store (i32.const 24) (i32.const 2048))",
      "(i32.store (i32.const 28) (i32.const 0))": "(i32.store (i32.const 28) (i32.const 8))",
    },
  });
}

describe("a plugin that hoards", () => {
  let scene: Scene<"f64" | "f32" | "v128" | "sleeper">;

  beforeAll(async () => {
    scene = await openScene({
      actors: {
        f64: { component: await hoarder("f64") },
        f32: { component: await hoarder("f32") },
        v128: { component: await hoarder("v128") },
        sleeper: { component: await sleeper() },
      },
    });
  });

  afterAll(async () => {
    await scene[Symbol.asyncDispose]();
  });

  test.each(["f64", "f32", "v128"] as const)("finds in no %s what the caller before left there", async (role) => {
    const secret = "what one caller sent is nothing for the next one".padEnd(4 * GLOBALS, ".");
    const first = await scene.call(role, "any", secret);
    expect([first.status, first.text.length > 0]).toEqual([200, true]);
    for (let request = 0; request < 20; request += 1)
      expect((await scene.call(role, "any", secret)).text).toBe(first.text);
    await scene.unharmed();
  });

  test("is not told the same time for ever where it asks at its start", async () => {
    const first = (await scene.call("sleeper", "any")).text;
    await expect.poll(async () => (await scene.call("sleeper", "any")).text).not.toBe(first);
    await scene.unharmed();
  });
});
