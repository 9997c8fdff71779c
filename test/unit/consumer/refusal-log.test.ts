import { describe, expect, test } from "vitest";
import { RefusalLog } from "../../../src/consumer/refusal-log.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

const PER_SECOND = FIXED_LIMITS.refusalsLoggedPerSecond;

/** As many as two seconds have room for may be written at once. */
const AT_ONCE = 2 * PER_SECOND;

/** Refusals of plugins at times that the test says. */
function stage() {
  const records: Record<string, unknown>[] = [];
  const logger = createLogger({
    level: "debug",
    pretty: false,
    base: { replica: "r", group: "g" },
    destination: { write: (line: string) => records.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const clock = { ms: 0 };
  const logOf = (plugin: string): RefusalLog => new RefusalLog(logger, plugin as PluginName, () => clock.ms);
  /** Refuses so many messages of a plugin; answers how many records of them were written. */
  const refuse = (log: RefusalLog, messages: number): number => {
    let written = 0;
    for (let message = 0; message < messages; message += 1) log.write(() => (written += 1));
    return written;
  };
  return { refuse, logOf, clock, records };
}

describe("records of requests that were refused", () => {
  test("are written up to a rate", () => {
    const { refuse, logOf, clock, records } = stage();
    const flooded = logOf("flooded");
    expect(refuse(flooded, AT_ONCE * 10)).toBe(AT_ONCE);
    expect(records).toEqual([]);
    clock.ms += 1_000;
    expect(refuse(flooded, AT_ONCE * 10)).toBe(PER_SECOND);
    clock.ms += 3_600_000;
    expect(refuse(flooded, AT_ONCE * 10)).toBe(AT_ONCE);
  });

  test("beyond it are told of by number, once one may be written again", () => {
    const { refuse, logOf, clock, records } = stage();
    const flooded = logOf("flooded");
    refuse(flooded, AT_ONCE + 7);
    clock.ms += 1_000;
    expect(refuse(flooded, 2)).toBe(2);
    expect(records).toEqual([expect.objectContaining({ plugin: "flooded", records: 7 })]);
  });

  test("of one plugin leave those of another as they are", () => {
    const { refuse, logOf } = stage();
    const flooded = logOf("flooded");
    refuse(flooded, AT_ONCE * 10);
    expect(refuse(flooded, 1)).toBe(0);
    expect(refuse(logOf("other"), 1)).toBe(1);
  });
});
