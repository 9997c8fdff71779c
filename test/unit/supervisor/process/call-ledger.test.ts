import { describe, expect, test } from "vitest";
import { Violation } from "../../../../src/channel/violation.ts";
import { CallLedger } from "../../../../src/supervisor/process/call-ledger.ts";
import type { RunnerCall } from "../../../../src/supervisor/process/runner-call.ts";

const LOG_BYTES = 1_000;
const CALL = {} as RunnerCall;

function ledgerWith(...ids: readonly number[]): CallLedger {
  const ledger = new CallLedger(LOG_BYTES);
  for (const id of ids) ledger.open(id, 0, CALL);
  return ledger;
}

describe("the ledger of a runner's calls", () => {
  test("knows who listens, until the runner ends the call", () => {
    const ledger = ledgerWith(1, 2);
    expect(ledger.hear(1, 10)).toBe(CALL);
    expect(ledger.close(1)).toMatchObject({ listener: CALL });
    expect(ledger.waiting).toBe(1);
    expect(ledger.hear(1, 10)).toBeInstanceOf(Violation);
    expect(ledger.close(1)).toBeInstanceOf(Violation);
  });

  test("lets a call log all that the worst of its bytes can become, and not much more", () => {
    const ledger = ledgerWith(1);
    // Every byte a control character, which is escaped, and a record a line.
    for (let sent = 0; sent < LOG_BYTES / 100; sent++) expect(ledger.hear(1, 600)).toBe(CALL);
    for (let sent = 0; sent < 3; sent++) ledger.hear(1, 600);
    expect(ledger.hear(1, 600)).toBeInstanceOf(Violation);
  });

  test("counts empty records too", () => {
    const ledger = ledgerWith(1);
    let records = 0;
    while (ledger.hear(1, 0) === CALL) records += 1;
    expect(ledger.hear(1, 0)).toBeInstanceOf(Violation);
    expect(records).toBeLessThan(LOG_BYTES);
  });

  test("drops what comes of a cancelled call until nothing of it can be on its way", () => {
    const ledger = ledgerWith(1);
    expect(ledger.cancel(1)).toBe(true);
    expect(ledger.cancel(1)).toBe(false);
    expect(ledger.waiting).toBe(0);
    expect(ledger.hear(1, 10)).toBeUndefined();
    ledger.beginOperation(1);
    expect(ledger.listener(1)).toBeUndefined();
    ledger.forget(1);
    expect(ledger.hear(1, 10)).toBeInstanceOf(Violation);
  });

  test("has room for as many operations as end", () => {
    const ledger = ledgerWith(1);
    for (let round = 0; round < 1_000; round++) {
      expect(ledger.beginOperation(1)).toBeUndefined();
      expect(ledger.listener(1)).toBe(CALL);
      ledger.endOperation(1);
    }
    let last: Violation | undefined;
    for (let round = 0; round < 1_000; round++) last = ledger.beginOperation(1);
    expect(last?.reason).toContain("more operations in flight");
  });

  test("says of a call that has ended whether its guest used a capability", () => {
    const ledger = ledgerWith(1, 2, 3);
    ledger.use(1);
    ledger.beginOperation(2);
    ledger.hear(3, 10);
    const used = [1, 2, 3].map((id) => {
      const ended = ledger.close(id);
      return ended instanceof Violation ? ended : ended.usedCapability;
    });
    expect(used).toEqual([true, true, false]);
  });

  test("knows which calls a runner has not begun: those behind a ping that it has not answered, and not heard of", () => {
    const ledger = new CallLedger(LOG_BYTES);
    for (const [id, pingsBefore] of [
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 2],
      [5, 3],
    ] as const)
      ledger.open(id, pingsBefore, CALL);
    ledger.open(6, 3);
    ledger.hear(5, 1);
    ledger.cancel(4);
    expect(ledger.unbegun(0)).toEqual([2, 3]);
    expect(ledger.unbegun(1)).toEqual([3]);
    expect(ledger.unbegun(2)).toEqual([]);
  });

  test("hands over who still waits when the runner is gone, each once", () => {
    const ledger = ledgerWith(1, 2, 3);
    ledger.cancel(2);
    ledger.open(4, 0);
    expect(ledger.clear()).toEqual([CALL, CALL]);
    expect(ledger.clear()).toEqual([]);
    expect(ledger.waiting).toBe(0);
  });
});
