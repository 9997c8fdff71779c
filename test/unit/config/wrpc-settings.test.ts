import { describe, expect, test } from "vitest";
import { parseConsumer } from "../../../src/config/consumer-document.ts";
import type { WrpcSettings } from "../../../src/contract/wrpc-settings.ts";

const FILE = "/group/consumer.yaml";

/** A consumer file of the plugins `a` and `b` with this text at its end. */
function parse(wrpc: string): { settings: WrpcSettings | undefined; errors: readonly string[] } {
  const plugins = "plugins: [{ name: a, component: a.wasm }, { name: b, component: b.wasm }]";
  const parsed = parseConsumer(`group: g\n${plugins}\n${wrpc}\n`, FILE);
  if (parsed.kind === "valid") return { settings: parsed.value.wrpc, errors: [] };
  return { settings: undefined, errors: parsed.errors.map(({ line, message }) => `${line}: ${message}`) };
}

describe("wrpc of a consumer file", () => {
  test("is off where it is absent", () => {
    expect(parse("")).toEqual({ settings: { tcp: undefined }, errors: [] });
  });

  test("gives plugins addresses", () => {
    const { settings, errors } = parse(
      'wrpc: { tcp: { plugins: [{ name: a, listen: "127.0.0.1:7761" }, { name: b, listen: "[::1]:0" }] } }',
    );
    expect(errors).toEqual([]);
    expect([...(settings?.tcp?.plugins ?? [])]).toEqual([
      ["a", { host: "127.0.0.1", port: 7_761 }],
      ["b", { host: "::1", port: 0 }],
    ]);
    expect(settings?.tcp?.tls).toBeUndefined();
  });

  test("opens other addresses than loopback with certificates alone", () => {
    const plugins = 'plugins: [{ name: a, listen: "0.0.0.0:7761" }]';
    expect(parse(`wrpc: { tcp: { ${plugins} } }`).errors).toEqual([
      expect.stringContaining("without tls, callers are not authenticated"),
    ]);
    const tls = "tls: { certFile: s.pem, keyFile: /keys/s.key, clientCaFile: ../ca.pem }";
    expect(parse(`wrpc: { tcp: { ${plugins}, ${tls} } }`).settings?.tcp?.tls).toEqual({
      certFile: "/group/s.pem",
      keyFile: "/keys/s.key",
      clientCaFile: "/ca.pem",
    });
    expect(parse(`wrpc: { tcp: { ${plugins}, tls: { certFile: s.pem, keyFile: s.key } } }`).errors).toHaveLength(1);
  });

  test.each(["[::]:1", "[::ffff:127.0.0.1]:1", "[0:0:0:0:0:0:0:1]:1", "10.0.0.1:1", "128.0.0.1:1"])(
    "takes %s for no loopback address",
    (listen) => {
      expect(parse(`wrpc: { tcp: { plugins: [{ name: a, listen: "${listen}" }] } }`).errors).toEqual([
        expect.stringContaining("write a loopback address"),
      ]);
    },
  );

  test.each(["localhost:1", "127.0.0.1", "127.0.0.1:65536", "127.1:1", "::1:1", "[127.0.0.1]:1", ":1", "127.0.0.1:-1"])(
    "refuses the address %s",
    (listen) => {
      expect(parse(`wrpc: { tcp: { plugins: [{ name: a, listen: "${listen}" }] } }`).errors).toEqual([
        expect.stringContaining("write an IP address and a port"),
      ]);
    },
  );

  test.each([
    ["a plugin that the group does not have", '{ name: c, listen: "127.0.0.1:1" }', "the group has no such plugin"],
    ["a plugin twice", '{ name: a, listen: "127.0.0.1:1" }, { name: a, listen: "127.0.0.1:2" }', "in the list twice"],
    ["an address twice", '{ name: a, listen: "127.0.0.1:1" }, { name: b, listen: "127.0.0.1:1" }', "in the list twice"],
    ["no plugin", "", "write a list of one or more plugins"],
    ["a misspelt key", '{ name: a, listne: "127.0.0.1:1" }', 'did you mean "listen"?'],
  ])("refuses %s", (_, plugins, message) => {
    const { errors } = parse(`wrpc: { tcp: { plugins: [${plugins}] } }`);
    expect(errors.join("\n")).toContain(message);
  });
});
