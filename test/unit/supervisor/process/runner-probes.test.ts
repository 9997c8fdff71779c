/** A probe is judged by the processor: also where the machine is busy, and where the runner stops the guest itself. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FIXED_LIMITS } from "../../../../src/contract/limits.ts";
import { RunnerProbes } from "../../../../src/supervisor/process/runner-probes.ts";

const CALL = 1;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Asks a runner whose guest loops, and which stops it when it is due. `share` is how much of a processor it has. */
async function askLooping(share: number): Promise<{ readonly code: unknown; readonly tookMs: number }> {
  const startMs = performance.now();
  const probes = new RunnerProbes(() => share * (performance.now() - startMs));
  const answered = probes
    .ask(
      CALL,
      (mostMs) => void setTimeout(() => probes.stop(CALL), mostMs),
      () => undefined,
    )
    .then(
      () => undefined,
      ({ code }: { code?: unknown }) => ({ code, tookMs: performance.now() - startMs }),
    );
  await vi.advanceTimersByTimeAsync(10 * FIXED_LIMITS.probeMs);
  const end = await answered;
  if (end === undefined) throw new Error("a guest that loops has answered");
  return end;
}

test.each([1, 0.85, 0.5, 0.35])("a guest that loops with %d of a processor is at fault", async (share) => {
  const { code, tookMs } = await askLooping(share);
  expect(code).toBe("probe-failed");
  expect(tookMs).toBeLessThan((1.2 * FIXED_LIMITS.probeMs) / share);
});

test("a guest that hardly had a processor is not at fault", async () => {
  expect((await askLooping(0.1)).code).toBe("load-failed");
});
