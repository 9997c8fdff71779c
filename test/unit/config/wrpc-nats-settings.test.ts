import { describe, expect, test } from "vitest";
import { parseConsumer } from "../../../src/config/consumer-document.ts";
import { formatDiagnostic } from "../../../src/config/diagnostic.ts";
import type { WrpcNatsSettings } from "../../../src/contract/wrpc-settings.ts";

function parse(nats: object): { readonly nats: WrpcNatsSettings | undefined; readonly errors: readonly string[] } {
  const plugins = ["a", "b"].map((name) => ({ name, component: `${name}.wasm` }));
  const parsed = parseConsumer(JSON.stringify({ group: "g", plugins, wrpc: { nats } }), "c.yaml");
  if (parsed.kind === "valid") return { nats: parsed.value.wrpc.nats, errors: [] };
  return { nats: undefined, errors: parsed.errors.map(formatDiagnostic) };
}

describe("wrpc.nats of a consumer file", () => {
  test("is a prefix and plugins of the group", () => {
    for (const prefix of ["wrpc", "a.b-c.D_1", "rpcs", "x".repeat(128)])
      expect(parse({ prefix, plugins: ["b"] })).toEqual({ nats: { prefix, plugins: new Set(["b"]) }, errors: [] });
  });

  test("is refused where the prefix could be another's subject: requests, inboxes, the server's own, patterns", () => {
    for (const prefix of [
      "rpc",
      "rpc.x",
      "_INBOX",
      "_INBOX.x",
      "$SRV",
      "$JS.API",
      "*",
      "a.*",
      "a.>",
      "",
      ".a",
      "a.",
      "a..b",
      "a b",
      "é",
    ])
      expect(parse({ prefix, plugins: ["a"] }).errors, prefix).toEqual([
        expect.stringContaining("the first token is neither rpc"),
      ]);
    expect(parse({ prefix: "x".repeat(129), plugins: ["a"] }).errors).toHaveLength(1);
  });

  test("is refused where the list is empty, repeats itself, or names a plugin that the group does not have", () => {
    expect(parse({ prefix: "w", plugins: [] }).errors).toHaveLength(1);
    expect(parse({ prefix: "w", plugins: ["a", "a"] }).errors).toEqual([expect.stringContaining("in the list twice")]);
    expect(parse({ prefix: "w", plugins: ["a", "c"] }).errors).toEqual([
      expect.stringContaining("the group has no such plugin"),
    ]);
    expect(parse({ prefix: "w" }).errors).toHaveLength(1);
    expect(parse({ prefix: "w", plugins: ["a"], group: "x" }).errors).toHaveLength(1);
  });
});
