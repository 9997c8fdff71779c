import { describe, expect, test } from "vitest";
import { DUPLICATE_KEY } from "../../../src/kv/drivers/mongodb-errors.ts";
import { settleFound, settleWritten } from "../../../src/kv/drivers/mongodb-replies.ts";
import { watchedEntry } from "./entries.ts";

/** Settles writes of three keys, which were sent so many times, by a server's reply; returns their outcomes. */
async function outcomesOf(reply: object, durability: "acknowledged" | "unacknowledged", sends = 1): Promise<unknown[]> {
  const watched = ["a", "b", "c"].map((key) => watchedEntry<void>("write", key));
  for (let send = 0; send < sends; send++) for (const { entry } of watched) entry.send();
  const lost = settleWritten(
    watched.map(({ entry }) => entry),
    reply,
    durability === "acknowledged" ? undefined : "no majority",
  );
  const outcomes = await Promise.all(
    watched.map(async ({ entry, outcome }) => (lost.includes(entry) ? "lost" : await outcome())),
  );
  for (const { abandon } of watched) abandon();
  return outcomes;
}

const failing = (index: number, code: number): object => ({ n: 2, writeErrors: [{ index, code }] });

describe("a reply to a write", () => {
  test.each([
    ["that counts all statements", { n: 3 }, "acknowledged", [undefined, undefined, undefined]],
    ["with an error of one", failing(1, 121), "acknowledged", [undefined, "store-unavailable", undefined]],
    [
      "with an interruption of one",
      failing(0, 11_601),
      "acknowledged",
      ["store-outcome-unknown", undefined, undefined],
    ],
    ["with a lost race of one", failing(2, DUPLICATE_KEY), "acknowledged", [undefined, undefined, "lost"]],
    ["that counts fewer", { n: 2 }, "acknowledged", Array(3).fill("store-outcome-unknown")],
    ["that counts nothing", { ok: 1 }, "acknowledged", Array(3).fill("store-outcome-unknown")],
    ["that no majority acknowledged", { n: 3 }, "unacknowledged", Array(3).fill("store-outcome-unknown")],
    [
      "that no majority acknowledged, with an error of one",
      failing(1, 121),
      "unacknowledged",
      ["store-outcome-unknown", "store-unavailable", "store-outcome-unknown"],
    ],
  ] as const)("%s", async (_, reply, durability, outcomes) => {
    expect(await outcomesOf(reply, durability)).toEqual(outcomes);
  });

  test("to a second attempt does not tell what happened to the first", async () => {
    const outcomes = await outcomesOf(failing(1, 121), "acknowledged", 2);
    expect(outcomes).toEqual([undefined, "store-outcome-unknown", undefined]);
  });
});

describe("a reply to a read", () => {
  const value = new Uint8Array([7]);

  function watchedReads(...keys: string[]) {
    return keys.map((key) => watchedEntry<Uint8Array | undefined>("read", key));
  }

  test("settles what it has, and what is not there", async () => {
    const watched = watchedReads("there", "absent", "foreign");
    const rest = settleFound(
      watched.map(({ entry }) => entry),
      {
        documents: [
          { _id: "private/p/b/there", value },
          { _id: "private/p/b/foreign", value: 7 },
          { _id: "private/p/b/stranger", value },
        ],
        extent: "all",
      },
    );
    expect(rest).toEqual([]);
    expect(await Promise.all(watched.map(({ outcome }) => outcome()))).toEqual([value, undefined, "store-unavailable"]);
  });

  test("that is a part leaves the others to be asked for again", async () => {
    const watched = watchedReads("a", "b");
    const entries = watched.map(({ entry }) => entry);
    expect(settleFound(entries, { documents: [{ _id: "private/p/b/a", value }], extent: "part" })).toEqual([
      entries[1],
    ]);
    expect(await Promise.all(watched.map(({ outcome }) => outcome()))).toEqual([value, "waiting"]);
    watched[1]?.abandon();
  });

  test("that is a part and has nothing ends the asking", async () => {
    const watched = watchedReads("a", "b");
    const entries = watched.map(({ entry }) => entry);
    expect(settleFound(entries, { documents: [], extent: "part" })).toEqual([]);
    expect(await Promise.all(watched.map(({ outcome }) => outcome()))).toEqual(Array(2).fill("store-unavailable"));
  });

  test("about one value has no ids", async () => {
    const [watched] = watchedReads("a");
    if (watched === undefined) throw new Error("no entry");
    settleFound([watched.entry], { documents: [{ value }], extent: "all" });
    expect(await watched.outcome()).toEqual(value);
  });
});
