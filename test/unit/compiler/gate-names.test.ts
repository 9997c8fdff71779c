import { describe, expect, test } from "vitest";
import { passGate } from "../../../src/compiler/gate/gate.ts";
import { isSafeExportName, isSafeName } from "../../../src/compiler/gate/names.ts";
import { assemblePlugin } from "../../fixtures/wat/assemble.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";

/** Written as WAT writes them, with the character that makes each one unsafe. */
const UNSAFE: readonly (readonly [string, string])[] = [
  ["a single quote", "a'b"],
  ["a double quote", 'a\\"b'],
  ["a backslash", "a\\\\b"],
  ["a backtick", "a`b"],
  ["a line feed", "a\\nb"],
  ["a carriage return", "a\\rb"],
  ["the line separator U+2028", "a\\u{2028}b"],
  ["a null character", "a\\00b"],
  ["a space", "a b"],
  ["a space behind a number", "a [v2] b"],
  ["a space before what is not a number", "a [vx]"],
  ["a brace", "a{b"],
  ["a parenthesis", "a(b"],
  ["a comment's end", "a*/b"],
  ["a letter beyond ASCII", "a\\u{e9}b"],
  ["the name of the prototype", "__proto__"],
];

describe.each(UNSAFE)("a name with %s", (_what, name) => {
  test("is refused as a core export", async () => {
    const bytes = await assemblePlugin({ insert: { "core-body": `(func (export "${name}"))` } });
    const { code, message } = refusalOf(() => passGate(bytes));
    expect(code).toBe("component-rejected");
    expect(message).toContain("of a core export is not safe");
    expect(message).toContain("in component > core module 0");
    expect(message).toMatch(/^[\x20-\x7e]*$/);
  });

  test.each([
    ["a core import's module", `(import "${name}" "f" (func))`, name],
    ["a core import", `(import "m" "${name}" (func))`, "m"],
  ])("is refused as %s", async (what, coreImport, module) => {
    const bytes = await assemblePlugin({
      insert: { "core-imports": coreImport },
      replace: {
        "(core instance $main (instantiate $main))": `
          (core module $provider (func (export "${module === name ? "f" : name}")))
          (core instance $provider (instantiate $provider))
          (core instance $main (instantiate $main (with "${module}" (instance $provider))))`,
      },
    });
    expect(refusalOf(() => passGate(bytes)).message).toContain(`of ${what} is not safe`);
  });
});

test("a name of an instance that is put together in place is held to the same rule", async () => {
  const bytes = await assemblePlugin({
    insert: {
      modules: `(core module $other (func (export "f"))) (core instance $other (instantiate $other))
        (core instance (export "a'b" (func $other "f")))`,
    },
  });
  expect(refusalOf(() => passGate(bytes)).message).toContain("a core instance's argument or export is not safe");
});

test("the names that toolchains use are safe", () => {
  const names = [
    "",
    "memory",
    "_initialize",
    "$imports",
    "cabi_post_local:network-host/handler@1.0.0#handle-request",
    "[method]key-value-store.get",
    "[resource-drop]key-value-store",
    "[export]local:network-host/handler@1.0.0",
    "cm32p2|wasi:io/poll@0.2|[method]pollable.block",
    "libwasi-emulated-process-clocks.so:memory_base",
    "wasi_snapshot_preview1",
    "fd_write [v2]",
    "GOT.mem",
    "_ZNSt3__112basic_stringIcNS_11char_traitsIcEE",
    "rust_eh_personality$stub.1+2",
  ];
  expect(names.filter((name) => !isSafeName(name))).toEqual([]);
});

describe("other exports than the handler", () => {
  function withExport(name: string): Promise<Uint8Array> {
    return assemblePlugin({
      insert: { exports: `(func $other (canon lift (core func $main "other"))) (export "${name}" (func $other))` },
      replace: { ";; @core-body": '(func (export "other"))' },
    });
  }

  test.each(["init", "exports", "run-it2"])("may be called %s", async (name) => {
    expect(passGate(await withExport(name)).exports).toContain(name);
  });

  test.each(["then", "class", "await", "constructor", "to-string", "handler"])(
    "must not be called %s",
    async (name) => {
      const bytes = await withExport(name);
      expect(refusalOf(() => passGate(bytes)).message).toContain(`the export "${name}"`);
    },
  );

  test("no spelling of a reserved word is safe", () => {
    for (const name of ["then", "THEN", "new", "typeof", "__proto__", "a.b", ""])
      expect(isSafeExportName(name)).toBe(false);
  });

  test("of another interface with the handler's short name are refused", async () => {
    const bytes = await assemblePlugin({
      insert: { exports: '(instance $empty) (export "other:pkg/handler" (instance $empty))' },
    });
    expect(refusalOf(() => passGate(bytes)).message).toContain("hides the contract's handler");
  });
});
