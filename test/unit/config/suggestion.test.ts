import { describe, expect, test } from "vitest";
import { nearest } from "../../../src/config/suggestion.ts";

describe("the nearest known word", () => {
  const keys = ["plugin", "allow", "buckets", "hosts", "limits"];

  test.each([
    ["alow", "allow"],
    ["allwo", "allow"],
    ["Allow", "allow"],
    ["plugins", "plugin"],
    ["bukcet", "buckets"],
    ["host", "hosts"],
  ])("of %s is %s", (word, expected) => {
    expect(nearest(word, keys)).toBe(expected);
  });

  test.each(["zebra", "", "policy", "x".repeat(10_000)])("of %s does not exist", (word) => {
    expect(nearest(word, keys)).toBeUndefined();
  });
});
