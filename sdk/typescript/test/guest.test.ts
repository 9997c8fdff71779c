import { expect, test } from "vitest";
import { messageOf, show } from "../src/guest/describe.ts";
import { beginServing } from "../src/guest/phase.ts";
import { createCrypto, createRandom } from "../src/guest/random.ts";

/** Draws from Node, and counts how often. */
function source() {
  let draws = 0;
  const draw = (count: number): Uint8Array => {
    draws += 1;
    return crypto.getRandomValues(new Uint8Array(count));
  };
  return { draw, draws: () => draws };
}

// First: what is done before the host has called cannot be undone.
test("while the component is made, random values are the engine's own, and crypto says why it has none", () => {
  const { draw, draws } = source();
  expect(createRandom(draw, () => 0.25)()).toBe(0.25);
  expect(() => createCrypto(draw).randomUUID()).toThrow(/within a request only/);
  expect(draws()).toBe(0);
});

test("a request draws one seed, and every number from it: spread over all of 0 to 1", () => {
  beginServing();
  const { draw, draws } = source();
  const random = createRandom(draw, () => 0);
  const values = Array.from({ length: 20_000 }, random);
  expect(draws()).toBe(1);
  expect(new Set(values).size).toBeGreaterThan(19_990);
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  const tenths = Object.values(Object.groupBy(values, (value) => Math.floor(value * 10)));
  expect(tenths).toHaveLength(10);
  // Within six standard deviations.
  for (const tenth of tenths) expect(Math.abs((tenth?.length ?? 0) - 2_000)).toBeLessThan(260);
  expect(createRandom(draw, () => 0)()).not.toBe(values[0]);
});

test("the generator is xoshiro128**, by the first numbers of its reference", () => {
  const seed = Uint8Array.from(new Uint8Array(new Uint32Array([1, 2, 3, 4]).buffer));
  const random = createRandom(
    () => seed,
    () => 0,
  );
  const [first, second, third, fourth] = [11_520, 0, 5_927_040, 70_819_200];
  expect([random(), random()]).toEqual(
    [
      [first, second],
      [third, fourth],
    ].map(([upper = 0, lower = 0]) => ((upper >>> 11) * 2 ** 32 + lower) / 2 ** 53),
  );
});

test("a UUID is of version 4, and getRandomValues fills a part of a buffer and no more", () => {
  const web = createCrypto(source().draw);
  expect(web.randomUUID()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const whole = new Uint8Array(64);
  web.getRandomValues(whole.subarray(16, 48));
  expect(whole.subarray(0, 16).every((byte) => byte === 0)).toBe(true);
  expect(whole.subarray(48).every((byte) => byte === 0)).toBe(true);
  expect(whole.subarray(16, 48).some((byte) => byte !== 0)).toBe(true);
  expect(() => web.getRandomValues(new Uint8Array(65_537))).toThrow(RangeError);
});

test("values are shown as one would write them, whatever they are", () => {
  const circle: Record<string, unknown> = { name: "a" };
  circle["self"] = circle;
  const shared = { b: 1 };
  for (const [value, text] of [
    ["text", "text"],
    [undefined, "undefined"],
    [10n, "10"],
    [Symbol("s"), "Symbol(s)"],
    [{ n: 10n, u: undefined, f: () => 1 }, '{"n":"10n","u":"undefined","f":"() => 1"}'],
    [new Map([["k", new Set([1])]]), '{"k":[1]}'],
    [Uint8Array.of(1, 2), "[1,2]"],
    [circle, '{"name":"a","self":"[circular]"}'],
    [[shared, shared], '[{"b":1},{"b":1}]'],
    [{ at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
  ] as const)
    expect(show(value)).toBe(text);
});

test("what an error says to a caller is its message, and of the host's errors the contract's text", () => {
  expect(messageOf(new TypeError("wrong"))).toBe("wrong");
  expect(messageOf("plain")).toBe("plain");
  expect(messageOf(Object.assign(new Error("[object]"), { payload: "denied" }))).toBe("denied");
  expect(messageOf({ code: 1 })).toBe('{"code":1}');
});
