import { describe, expect, test } from "vitest";
import { RefusalLog } from "../../../src/consumer/refusal-log.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

const ALLOWED = 2 * FIXED_LIMITS.refusalsLoggedPerSecond;

function stage() {
  const records: Record<string, unknown>[] = [];
  const logger = createLogger({
    level: "debug",
    pretty: false,
    base: { replica: "r", group: "g" },
    destination: { write: (line: string) => records.push(JSON.parse(line) as Record<string, unknown>) },
  });
  return { log: new RefusalLog(logger), records };
}

describe("records of requests that were refused", () => {
  test("are written up to a rate, and told of by number beyond it", async () => {
    const { log, records } = stage();
    const slot = { name: "flooded" as PluginName };
    let written = 0;
    for (let message = 0; message < ALLOWED * 10; message += 1) log.write(slot, () => (written += 1));
    expect(written).toBeGreaterThanOrEqual(ALLOWED);
    expect(written).toBeLessThan(ALLOWED * 5);
    expect(records).toEqual([]);
    // Another one is written as soon as the rate has room again.
    const before = written;
    await expect
      .poll(() => {
        log.write(slot, () => (written += 1));
        return written;
      })
      .toBeGreaterThan(before);
    expect(records[0]).toMatchObject({ plugin: "flooded", records: expect.any(Number) });
    expect(Number(records[0]?.["records"])).toBeGreaterThanOrEqual(ALLOWED * 10 - before);
  });

  test("of one plugin leave those of another as they are", () => {
    const { log } = stage();
    const flooded = { name: "flooded" as PluginName };
    for (let message = 0; message < ALLOWED * 10; message += 1) log.write(flooded, () => undefined);
    let written = 0;
    log.write({ name: "other" as PluginName }, () => (written += 1));
    expect(written).toBe(1);
  });
});
