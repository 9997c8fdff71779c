import { expect, test } from "vitest";
import { Turns } from "../../../src/config/turns.ts";

test("of a long piece of work, done by several, others have the thread every few milliseconds", async () => {
  const turns = new Turns();
  let doneMs = 0;
  let mostMs = 0;
  let state: "working" | "done" = "working";
  const others = (): void => {
    doneMs = 0;
    if (state === "working") setImmediate(others);
  };
  setImmediate(others);
  const work = async (): Promise<void> => {
    for (let piece = 0; piece < 20; piece++) {
      await turns.run(() => {
        const sinceMs = performance.now();
        while (performance.now() - sinceMs < 1);
        doneMs += 1;
        mostMs = Math.max(mostMs, doneMs);
      });
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  state = "done";
  // Pieces of a millisecond or more, in turns of two; the others may come at the end of one and the beginning of the next.
  expect(mostMs).toBeLessThanOrEqual(6);
});
