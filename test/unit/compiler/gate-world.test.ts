import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { passGate } from "../../../src/compiler/gate/gate.ts";
import { assemble, assemblePlugin, keyValueStoreImport } from "../../fixtures/wat/assemble.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";

function withImport(wat: string): Promise<Uint8Array> {
  return assemblePlugin({ insert: { imports: wat } });
}

/** An import of wasi:io/poll and of a stream interface that uses it, at some versions. */
function streams(pollVersion: string, streamsVersion: string): string {
  return `
    (import "wasi:io/poll@${pollVersion}" (instance $poll
      (export "pollable" (type $pollable (sub resource)))
      (export "[method]pollable.block" (func (param "self" (borrow $pollable))))
      (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:io/streams@${streamsVersion}" (instance
      (export "input-stream" (type $input-stream (sub resource)))
      (alias outer 1 $pollable (type $outer))
      (export "pollable" (type $pollable (eq $outer)))
      (export "[method]input-stream.subscribe"
        (func (param "self" (borrow $input-stream)) (result (own $pollable))))))`;
}

describe("imports that are offered", () => {
  test("the contract's key-value store passes", async () => {
    expect(passGate(await withImport(keyValueStoreImport())).imports).toEqual([
      "local:network-host/key-value-store@1.0.0",
    ]);
  });

  test.each(["0.2.0", "0.2.3", "0.2.12"])("WASI %s passes, resources of other interfaces included", async (version) => {
    expect(passGate(await withImport(streams(version, version))).imports).toEqual([
      `wasi:io/poll@${version}`,
      `wasi:io/streams@${version}`,
    ]);
  });

  test("different interfaces may come in different releases of WASI 0.2", async () => {
    expect(passGate(await withImport(streams("0.2.0", "0.2.9"))).imports).toHaveLength(2);
  });

  test.each(["echo-c/echo", "user-data-rust/user-data-rust"])("the example %s passes", (name) => {
    const bytes = readFileSync(new URL(`../../../examples/${name}.wasm`, import.meta.url));
    expect(passGate(bytes).exports).toEqual(["local:network-host/handler@1.0.0"]);
  });
});

describe("imports that are refused", () => {
  const LOG = '(export "log-level" (type $level (eq $cases)))';
  const logging = (func: string): string =>
    `(import "local:network-host/logging@1.0.0" (instance (type $cases (enum "info" "warning" "error")) ${LOG} ${func}))`;

  test.each([
    ["a built-in module of Node", '(import "node:fs/promises" (instance))', "is not offered"],
    ["a property that every object has", '(import "constructor" (instance))', "is not offered"],
    ["a plain function", '(import "log" (func))', "is not offered"],
    ["an interface that WASI does not have", '(import "wasi:io/pipes@0.2.0" (instance))', "is not offered"],
    ["the handler", '(import "local:network-host/handler@1.0.0" (instance))', "is not offered"],
    ["an interface without its version", '(import "wasi:io/poll" (instance))', "has a version that is not offered"],
    ["WASI 0.3", '(import "wasi:io/poll@0.3.0" (instance))', "has a version that is not offered"],
    [
      "a release candidate",
      '(import "wasi:io/poll@0.2.0-rc-2023-11-10" (instance))',
      "has a version that is not offered",
    ],
    ["version 9.9.9", '(import "wasi:io/poll@9.9.9" (instance))', "has a version that is not offered"],
    [
      "another version of the contract",
      '(import "local:network-host/logging@1.0.1" (instance))',
      "has a version that is not offered",
    ],
    [
      "two versions of one interface",
      streams("0.2.0", "0.2.0") + '(import "wasi:io/poll@0.2.1" (instance))',
      "is imported twice",
    ],
    ["a function by an interface's name", '(import "wasi:io/poll@0.2.0" (func))', "is not an interface"],
    [
      "a function that is not in WIT",
      keyValueStoreImport('(export "delete-all" (func))'),
      'has no function "delete-all"',
    ],
    [
      "a method that every object has",
      keyValueStoreImport('(export "constructor" (func))'),
      'has no function "constructor"',
    ],
    [
      "a resource that is not in WIT",
      keyValueStoreImport('(export "secret" (type (sub resource)))'),
      'has no resource "secret"',
    ],
    [
      "an instance inside of an interface",
      keyValueStoreImport('(export "inner" (instance))'),
      "is not a function or type",
    ],
    [
      "a parameter of another type",
      logging('(export "log" (func (param "level" u32) (param "message" string)))'),
      "parameter level",
    ],
    [
      "a parameter of another name",
      logging('(export "log" (func (param "level" $level) (param "text" string)))'),
      "parameter 1",
    ],
    ["a parameter less", logging('(export "log" (func (param "level" $level)))'), "1 parameters in place of 2"],
    [
      "another result",
      logging('(export "log" (func (param "level" $level) (param "message" string) (result u8)))'),
      "the result",
    ],
    [
      "an enum with other cases",
      '(import "local:network-host/logging@1.0.0" (instance (type $c (enum "info" "error" "warning")) (export "log-level" (type $level (eq $c))) (export "log" (func (param "level" $level) (param "message" string)))))',
      "parameter level",
    ],
    [
      "another interface's resource",
      `${keyValueStoreImport()} (alias export $store "key-value-store" (type $wrong))
       (import "wasi:io/poll@0.2.0" (instance (alias outer 1 $wrong (type $t)) (export "pollable" (type $p (eq $t)))
         (export "[method]pollable.block" (func (param "self" (borrow $p))))))`,
      "parameter self",
    ],
    [
      "a resource of the component's own that it exports by another's name",
      `(type $own (resource (rep i32))) (export $forged "pollable" (type $own) (type (sub resource)))
       (import "wasi:io/poll@0.2.0" (instance (alias outer 1 $forged (type $t)) (export "pollable" (type $p (eq $t)))
         (export "[method]pollable.block" (func (param "self" (borrow $p))))))`,
      "parameter self",
    ],
  ])("%s", async (_what, wat, message) => {
    const bytes = await withImport(wat);
    const error = refusalOf(() => passGate(bytes));
    expect(error.code).toBe("component-rejected");
    expect(error.message).toContain(message);
  });
});

describe("the handler", () => {
  test("must be exported", async () => {
    const bytes = await assemble("(component)");
    expect(refusalOf(() => passGate(bytes)).message).toContain('does not export "local:network-host/handler@1.0.0"');
  });

  test("of another version does not count", async () => {
    const bytes = await assemblePlugin({ replace: { "handler@1.0.0": "handler@1.1.0" } });
    expect(refusalOf(() => passGate(bytes)).message).toContain('does not export "local:network-host/handler@1.0.0"');
  });

  test("must have both functions", async () => {
    const bytes = await assemblePlugin({
      replace: { '(export "get-access-levels" (func $get-access-levels) (func (type $get-access-levels\')))': "" },
    });
    expect(refusalOf(() => passGate(bytes)).message).toContain('lacks the function "get-access-levels"');
  });

  test.each([
    [
      "another order of flags",
      '"key-value-read" "key-value-write"',
      '"key-value-write" "key-value-read"',
      "get-access-levels",
    ],
    ["another name of a field", '(field "id" string)', '(field "ident" string)', "handle-request"],
    ["another type of a field", '(field "status" u16)', '(field "status" u32)', "handle-request"],
    ["another error type", "(error string)", "(error u32)", "handle-request"],
    ["another name of the parameter", '(param "req" ', '(param "request" ', "handle-request"],
  ])("must have the contract's types: %s is refused", async (_what, text, replacement, member) => {
    const bytes = await assemblePlugin({ replace: { [text]: replacement } });
    const { message } = refusalOf(() => passGate(bytes));
    expect(message).toContain(`"${member}" of the export`);
    expect(message).toContain("has another type than in WIT");
  });
});
