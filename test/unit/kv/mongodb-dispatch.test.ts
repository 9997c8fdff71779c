import { BSON } from "mongodb";
import { afterEach, describe, expect, test } from "vitest";
import { statementsOf } from "../../../src/kv/drivers/mongodb-commands.ts";
import { Dispatch } from "../../../src/kv/drivers/mongodb-dispatch.ts";
import { type WatchedEntry, watchedEntry } from "./entries.ts";

const watched: WatchedEntry<void>[] = [];

function entriesOf(...keys: string[]): WatchedEntry<void>[] {
  const made = keys.map((key) => watchedEntry<void>("write", key, `value of ${key}`));
  watched.push(...made);
  return made;
}

afterEach(() => {
  for (const { abandon } of watched.splice(0)) abandon();
});

const idsOf = (made: readonly WatchedEntry<void>[]): Dispatch<void> =>
  new Dispatch(
    made.map(({ entry }) => entry),
    (sent) => ({ $in: sent.map(({ id }) => id) }),
  );
/** As a server reads it. */
const sentAs = (dispatch: Dispatch<void>): unknown =>
  BSON.deserialize(BSON.serialize({ content: dispatch }))["content"];

describe("a dispatch", () => {
  test("has its content made when the command is serialised, and then counts as sent", () => {
    const made = entriesOf("a", "b");
    const dispatch = idsOf(made);
    expect(dispatch.sent).toEqual([]);
    expect(made.map(({ entry }) => entry.sends)).toEqual([0, 0]);
    expect(sentAs(dispatch)).toEqual({ $in: ["private/p/b/a", "private/p/b/b"] });
    expect(dispatch.sent).toEqual(made.map(({ entry }) => entry));
    expect(made.map(({ entry }) => entry.sends)).toEqual([1, 1]);
  });

  test("leaves out what nobody waits for any more", () => {
    const made = entriesOf("a", "b", "c");
    made[1]?.abandon();
    const dispatch = idsOf(made);
    expect(sentAs(dispatch)).toEqual({ $in: ["private/p/b/a", "private/p/b/c"] });
    expect(made.map(({ entry }) => entry.sends)).toEqual([1, 0, 1]);
  });

  test("refuses to be serialised for nobody, the first time and again", () => {
    const made = entriesOf("a");
    const dispatch = idsOf(made);
    sentAs(dispatch);
    made[0]?.abandon();
    expect(() => sentAs(dispatch)).toThrow(expect.objectContaining({ code: "store-unavailable" }));
    expect(() => sentAs(idsOf(made))).toThrow(expect.objectContaining({ code: "store-unavailable" }));
    expect(made[0]?.entry.sends).toBe(1);
  });

  test("is sent again with the same values, as the server counts them", () => {
    const made = entriesOf("a", "b");
    const statements = statementsOf(made.map(({ entry }) => entry));
    const first = sentAs(statements);
    made[0]?.abandon();
    expect(sentAs(statements)).toEqual(first);
    expect(first).toMatchObject([{ q: { _id: "private/p/b/a" } }, { q: { _id: "private/p/b/b" }, upsert: true }]);
    expect(made.map(({ entry }) => entry.sends)).toEqual([2, 2]);
  });
});
