/** What a guest must not hand over: each ends its call as a trap, whatever it wrote. */

import { expect, it } from "vitest";
import { HANDLER } from "../../../src/contract/interface-names.ts";
import { assemblePlugin } from "../../fixtures/wat/assemble.ts";
import { exported, instantiate, prepare } from "./link.ts";

const REQUEST = { id: "1", method: "m", payload: Uint8Array.of(1, 2, 3) };
const PAGE = 65_536;

/** The function's result area is at 16: where its fields are. */
const AT = { tag: 16, status: 20, pointer: 24, length: 28, errPointer: 20, errLength: 24 };

/** Calls `handle-request` of a plugin whose function body is `body`. */
async function handle(body: string, edits: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const component = await assemblePlugin({
    replace: {
      "(i32.store (i32.const 28) (i32.const 0))\n      i32.const 16)": `(i32.store (i32.const 28) (i32.const 0))\n ${body})`,
      ...edits,
    },
  });
  const linked = prepare(component);
  return await exported(linked, instantiate(linked), HANDLER, "handle-request")(REQUEST);
}

function store(at: number, value: number): string {
  return `(i32.store (i32.const ${at}) (i32.const ${value}))`;
}

it("returns what a guest returns as it should", async () => {
  expect(await handle("i32.const 16")).toEqual({ tag: "ok", val: { status: 200, body: new Uint8Array(0) } });
  const filled = `${store(AT.pointer, PAGE - 2)} ${store(AT.length, 2)} (i32.store16 (i32.const ${PAGE - 2}) (i32.const 0x0201)) i32.const 16`;
  expect(await handle(filled)).toEqual({ tag: "ok", val: { status: 200, body: Uint8Array.of(1, 2) } });
});

it.each([
  ["a result at an address that is not aligned", "i32.const 17", "not aligned"],
  ["a result beyond the memory", `i32.const ${PAGE - 4}`, "out of bounds"],
  ["a result at a negative address", "i32.const -16", "out of bounds"],
  [
    "a list that ends beyond the memory",
    `${store(AT.pointer, PAGE - 1)} ${store(AT.length, 2)} i32.const 16`,
    "bounds",
  ],
  ["an empty list beyond the memory", `${store(AT.pointer, PAGE + 1)} i32.const 16`, "out of bounds"],
  ["a list of four gigabytes", `${store(AT.length, -1)} i32.const 16`, "out of bounds"],
  [
    "a case that its variant does not have",
    `(i32.store8 (i32.const ${AT.tag}) (i32.const 2)) i32.const 16`,
    "discriminant",
  ],
  [
    "text that is not UTF-8",
    `(i32.store8 (i32.const ${AT.tag}) (i32.const 1)) ${store(100, 0xff)} ${store(AT.errPointer, 100)} ${store(AT.errLength, 1)} i32.const 16`,
    "not well-formed",
  ],
])("traps on %s", async (_, body, message) => {
  await expect(handle(body)).rejects.toThrow(message);
});

it.each([
  ["nowhere", "i32.const -1", "out of bounds"],
  ["where it does not fit", `i32.const ${PAGE - 1}`, "out of bounds"],
])("traps where the guest allocates %s", async (_, result, message) => {
  const replace = {
    "(param i32 i32 i32 i32) (result i32) i32.const 1024)": `(param i32 i32 i32 i32) (result i32) ${result})`,
  };
  await expect(handle("i32.const 16", replace)).rejects.toThrow(message);
});

it("is not entered again after it trapped", async () => {
  const linked = prepare(await assemblePlugin({ replace: { "i32.const 16)\n": "unreachable)\n" } }));
  const call = exported(linked, instantiate(linked), HANDLER, "handle-request");
  await expect(call(REQUEST)).rejects.toThrow("unreachable");
  await expect(call(REQUEST)).rejects.toThrow("entered while it runs");
});
