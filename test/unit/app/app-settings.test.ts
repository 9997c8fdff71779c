import { describe, expect, test } from "vitest";
import { ReplicaSettings } from "../../../src/app-settings.ts";
import type { ConsumerDocument } from "../../../src/config/consumer-document.ts";
import { DEFAULT_REPLICA_LIMITS, type ReplicaLimits } from "../../../src/contract/limits.ts";
import { remembering } from "./remembering-logger.ts";

function consumer(replica: Partial<ReplicaLimits>, group = "g"): ConsumerDocument {
  const limits = { ...DEFAULT_REPLICA_LIMITS, ...replica };
  return { file: "c.yaml", group, plugins: [], limits: {}, replica: limits, wrpc: { tcp: undefined, nats: undefined } };
}

describe("what a consumer file says of the replica", () => {
  test("is applied at once where it can be", () => {
    const { logger, lines } = remembering();
    const settings = new ReplicaSettings(consumer({}), logger);
    settings.follow(consumer({ concurrency: 7, drainMs: 8 }));
    expect([settings.concurrency, settings.drainMs]).toEqual([7, 8]);
    settings.follow(consumer({ concurrency: 7, drainMs: 8 }));
    expect(lines).toEqual(["info: setting changed", "info: setting changed"]);
  });

  test("stays as it was where it cannot, with a warning for each key and value that names both", () => {
    const { logger, lines } = remembering();
    const settings = new ReplicaSettings(consumer({ eagerPlugins: 8 }), logger);
    const inForce = settings.follow(consumer({ eagerPlugins: 2 }, "other"));
    expect([inForce.group, inForce.replica.eagerPlugins, settings.group]).toEqual(["g", 8, "g"]);
    settings.follow(consumer({ eagerPlugins: 2 }, "other"));
    const warnings = [
      "warn: group was changed and takes a restart: g stays in force",
      "warn: replica.eagerPlugins was changed and takes a restart: 8 stays in force",
    ];
    expect(lines).toEqual(warnings);
    settings.follow(consumer({ eagerPlugins: 8 }));
    settings.follow(consumer({ eagerPlugins: 2 }));
    expect(lines).toEqual([...warnings, warnings[1]]);
  });
});
