import { expect, test } from "vitest";
import { adviseSize, createSizeBounds, type RunnerUse } from "../../../../src/supervisor/process-pool/runner-size.ts";

const LIMITS = { runners: 64, idleMs: 60_000 };
const BUSY: RunnerUse = { callsInFlight: 8, idleMs: 0, cpu: { computed: 1, callMs: 5 } };

test("a plugin that computes has a process for each processor", () => {
  const bounds = createSizeBounds(LIMITS, 4, { isShared: false });
  expect(adviseSize([BUSY, BUSY, BUSY], bounds)).toBe("grow");
  expect(adviseSize([BUSY, BUSY, BUSY, BUSY], bounds)).toBe("keep");
});

test("one processor is left to others that are active beside it, though it be the second of two", () => {
  const share = { isShared: true };
  for (const [processors, processes] of [
    [4, 3],
    [2, 1],
  ] as const) {
    const bounds = createSizeBounds(LIMITS, processors, share);
    const uses = Array.from({ length: processes }, () => BUSY);
    expect(adviseSize(uses, bounds)).toBe("keep");
    expect(adviseSize([...uses, BUSY], bounds)).toBe("shrink");
  }
});

test("a single processor, and a limit of one, are one process in any case", () => {
  for (const isShared of [true, false]) {
    expect(adviseSize([BUSY], createSizeBounds(LIMITS, 1, { isShared }))).toBe("keep");
    expect(adviseSize([BUSY], createSizeBounds({ ...LIMITS, runners: 1 }, 8, { isShared }))).toBe("keep");
  }
});

test("others that come and go change what it may have", () => {
  const share = { isShared: false };
  const bounds = createSizeBounds(LIMITS, 2, share);
  expect(adviseSize([BUSY], bounds)).toBe("grow");
  share.isShared = true;
  expect(adviseSize([BUSY], bounds)).toBe("keep");
});
