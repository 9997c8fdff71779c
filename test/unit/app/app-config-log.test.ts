import { describe, expect, test } from "vitest";
import { KEEPS_LAST, type ReplicaConfig } from "../../../src/app-config.ts";
import { ConfigLog } from "../../../src/app-config-log.ts";
import type { Diagnostic } from "../../../src/config/diagnostic.ts";
import { PolicySet } from "../../../src/config/policy-set.ts";
import { DEFAULT_REPLICA_LIMITS } from "../../../src/contract/limits.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { remembering } from "./remembering-logger.ts";

describe("what the log tells of the configuration", () => {
  const problem = (file: string): Diagnostic => ({ severity: "error", file, line: 1, column: 1, message: "wrong" });
  const reading = (problems: readonly Diagnostic[], warnings: readonly string[] = []): ReplicaConfig => ({
    consumer: {
      file: "c.yaml",
      group: "g",
      plugins: [],
      limits: {},
      replica: DEFAULT_REPLICA_LIMITS,
      wrpc: { tcp: undefined, nats: undefined },
    },
    policies: new PolicySet([]),
    warnings,
    problems,
    kept: problems.length === 0 ? [] : ["a" as PluginName],
    denied: [],
    paths: [],
  });

  test("is each problem once, however often the files are read, and its end", () => {
    const { logger, lines } = remembering();
    const log = new ConfigLog(logger);
    log.read(reading([]));
    for (let n = 0; n < 3; n++) log.read(reading([problem("a.yaml"), problem("a.yaml")]));
    log.read(reading([problem("a.yaml"), problem("b.yaml")]));
    log.read(reading([]));
    log.read(reading([]));
    const invalid = `error: the configuration is invalid: ${KEEPS_LAST}`;
    expect(lines).toEqual([invalid, invalid, "info: the configuration is valid again and in force"]);
  });

  test("is each warning once, until it was gone", () => {
    const { logger, lines } = remembering();
    const log = new ConfigLog(logger);
    for (const warnings of [["one"], ["one", "two"], ["two"], ["one", "two"]]) log.read(reading([], warnings));
    expect(lines).toEqual(["warn: one", "warn: two", "warn: one"]);
  });
});
