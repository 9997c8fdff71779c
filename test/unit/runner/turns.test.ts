import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { Turns } from "../../../src/runner/turns.ts";

let turns: Turns;
let started: string[];

beforeEach(() => {
  turns = new Turns();
  started = [];
});

/** A guest that computes for a slice of starts. */
function longGuest(name: string): () => undefined {
  return () => {
    started.push(name);
    const untilMs = performance.now() + 5;
    while (performance.now() < untilMs);
  };
}

/** Turns of the event loop in which this many guests are resumed. */
async function turnsThatResume(count: number, resumptions: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    for (let resumption = 0; resumption < resumptions; resumption += 1) turns.noteResumption();
    await turn();
  }
}

test("guests start in the order of their requests, and a slice of starts is followed by another in the next turn", async () => {
  for (const name of ["a", "b", "c"]) turns.take(longGuest(name));
  expect(started).toEqual(["a"]);
  await turnsThatResume(1, 0);
  expect(started).toEqual(["a", "b"]);
  await turnsThatResume(1, 0);
  expect(started).toEqual(["a", "b", "c"]);
});

test("guests that wait start after those that are resumed", async () => {
  for (const name of ["a", "b"]) turns.take(longGuest(name));
  await turnsThatResume(5, 1);
  expect(started).toEqual(["a"]);
  await turnsThatResume(1, 0);
  expect(started).toEqual(["a", "b"]);
});

test("guests that are resumed without end hold up the others for a while only", async () => {
  for (const name of ["a", "b", "c"]) turns.take(longGuest(name));
  await turnsThatResume(7, 1);
  expect(started).toEqual(["a"]);
  await turnsThatResume(1, 1);
  expect(started).toEqual(["a", "b"]);
  await turnsThatResume(1, 8);
  expect(started).toEqual(["a", "b", "c"]);
});

test("a guest that starts among resumptions may suspend before the next does", async () => {
  const begun = Promise.withResolvers<void>();
  turns.take(longGuest("a"));
  turns.take(() => {
    started.push("b");
    return begun.promise;
  });
  turns.take(longGuest("c"));
  await turnsThatResume(1, 8);
  await turnsThatResume(3, 8);
  expect(started).toEqual(["a", "b"]);
  begun.resolve();
  await turnsThatResume(1, 8);
  await turnsThatResume(1, 8);
  expect(started).toEqual(["a", "b", "c"]);
});

test("once no guest waits, one that comes starts at once", async () => {
  turns.take(longGuest("a"));
  turns.take(longGuest("b"));
  await turnsThatResume(1, 8);
  await turnsThatResume(2, 0);
  turns.take(longGuest("c"));
  expect(started).toEqual(["a", "b", "c"]);
});
