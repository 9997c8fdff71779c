import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parseConsumer } from "../../../src/config/consumer-document.ts";
import { formatDiagnostic } from "../../../src/config/diagnostic.ts";
import { DEFAULT_REPLICA_LIMITS, FIXED_LIMITS } from "../../../src/contract/limits.ts";

const FILE = "consumers/default.yaml";

function errorsOf(text: string): string[] {
  const parsed = parseConsumer(text, FILE);
  return parsed.kind === "invalid" ? parsed.errors.map(formatDiagnostic) : [];
}

describe("a consumer file", () => {
  test("takes as many plugins as allowed and no more", () => {
    const text = (count: number): string => {
      const lines = Array.from({ length: count }, (_, index) => `  - { name: p${index}, component: p.wasm }\n`);
      return `group: g\nplugins:\n${lines.join("")}`;
    };
    const { consumerPlugins } = FIXED_LIMITS;
    expect(parseConsumer(text(consumerPlugins), FILE).kind).toBe("valid");
    expect(errorsOf(text(consumerPlugins + 1))).toEqual([
      expect.stringContaining(`at most ${consumerPlugins} plugins`),
    ]);
  });

  test("becomes a document with its defaults filled in", () => {
    const text = `group: default
plugins:
  - name: echo
    component: ../examples/echo.wasm
  - { name: other, component: /opt/other.wasm, version: 1.2.3-rc.1+build, description: Does "things". }
limits: { payloadBytes: 2MiB, deadlineMs: 100 }
replica: { concurrency: 7 }
`;
    expect(parseConsumer(text, FILE)).toEqual({
      kind: "valid",
      warnings: [],
      value: {
        file: FILE,
        group: "default",
        plugins: [
          {
            name: "echo",
            component: { kind: "file", path: resolve("examples/echo.wasm") },
            version: "0.0.0",
            description: "",
            position: { line: 3, column: 5 },
          },
          {
            name: "other",
            component: { kind: "file", path: "/opt/other.wasm" },
            version: "1.2.3-rc.1+build",
            description: 'Does "things".',
            position: { line: 5, column: 5 },
          },
        ],
        limits: { payloadBytes: 2 * 1024 * 1024, deadlineMs: 100 },
        wrpc: { tcp: undefined, nats: undefined },
        replica: { ...DEFAULT_REPLICA_LIMITS, concurrency: 7 },
      },
    });
  });

  const good = "group: default\nplugins: [{ name: echo, component: e.wasm }]\n";

  test.each([
    ["no group", "plugins: [{ name: echo, component: e.wasm }]", "1:1: group is missing; write the queue group's name"],
    ["a group that is not a token", good.replace("default", "a.b"), '1:8: group: "a.b" cannot be used'],
    ["no plugins", "group: default", "1:1: plugins is missing; write a list of one or more plugins"],
    [
      "an empty list of plugins",
      "group: default\nplugins: []",
      "2:10: plugins: a list cannot be used; write a list of one",
    ],
    ["a plugin in a word", "group: default\nplugins: [echo]", '2:11: plugins[0]: "echo" cannot be used; write `name:`'],
    [
      "a name in capitals",
      good.replace("echo", "Echo"),
      '2:19: plugins[0].name: "Echo" cannot be used; write lower-case',
    ],
    ["a name of 64 characters", good.replace("echo", "e".repeat(64)), "2:19: plugins[0].name:"],
    ["a number for a name", good.replace("echo", "42"), "2:19: plugins[0].name: 42 cannot be used"],
    [
      "a URL for a component",
      good.replace("e.wasm", "oci://x/y"),
      '2:36: plugins[0].component: "oci://x/y" cannot be used',
    ],
    ["an empty component", good.replace("e.wasm", '""'), '2:36: plugins[0].component: "" cannot be used'],
    [
      "a number for a version",
      good.replace(" }", ", version: 1.0 }"),
      '2:53: plugins[0].version: 1 cannot be used; write a semantic version in quotes, such as "1.0.0"',
    ],
    [
      "a control character in a description",
      good.replace(" }", ', description: "a\\e[1m" }'),
      "2:57: plugins[0].description:",
    ],
    [
      "a misspelt key in a plugin",
      good.replace(" }", ", componnent: x }"),
      '2:44: unknown key "componnent" in plugins[0]; did you mean "component"?',
    ],
    [
      "a plugin's limit for the replica",
      `${good}replica: { deadlineMs: 5 }`,
      '3:12: unknown key "deadlineMs" in replica; the keys here are concurrency, drainMs',
    ],
  ])("with %s is refused with the place and what to write", (_, text, message) => {
    expect(errorsOf(text)).toEqual([expect.stringContaining(`${FILE}:${message}`)]);
  });

  test("names each plugin once", () => {
    const text =
      "group: g\nplugins:\n  - { name: a, component: a }\n  - { name: b, component: b }\n  - { name: a, component: c }\n";
    expect(errorsOf(text)).toEqual([
      `${FILE}:5:13: plugins[2].name: "a" cannot be used; it is in the list twice; keep one`,
    ]);
  });
});
