import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BucketName } from "../../../src/contract/names.ts";
import { documentId } from "../../../src/kv/drivers/mongodb-commands.ts";
import { Dispatch } from "../../../src/kv/drivers/mongodb-dispatch.ts";
import type { KeyAddress } from "../../../src/kv/store.ts";

describe("the id of a document", () => {
  // Few characters, so that names often run together; more of them than the names' grammars allow.
  const text = fc.string({ unit: fc.constantFrom("a", "b", "-", "/", "%", "2", "F", "\0", "é", "."), maxLength: 6 });
  const address: fc.Arbitrary<KeyAddress> = fc.record({
    namespace: fc.oneof(
      text.map((plugin) => ({ kind: "private", plugin }) as const),
      text.map((name) => ({ kind: "shared", name }) as const),
    ),
    bucket: text.map((bucket) => bucket as BucketName),
    key: text,
  });

  test("is different for different addresses, also beyond the grammars of their names", () => {
    fc.assert(
      fc.property(address, address, (one, other) => {
        expect(documentId(one) === documentId(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: 5_000, interruptAfterTimeLimit: 5_000 },
    );
  });

  test("ends with the key as it is", () => {
    const id = documentId({
      namespace: { kind: "shared", name: "s" },
      bucket: "b" as BucketName,
      key: "../e\u0301\0%2F",
    });
    expect(id).toBe("shared/s/b/../e\u0301\0%2F");
  });
});

describe("a dispatch", () => {
  test("stands for its id, and counts how often it was serialised", () => {
    const dispatch = new Dispatch("id");
    expect(dispatch.sends).toBe(0);
    expect([dispatch.toBSON(), dispatch.toBSON()]).toEqual(["id", "id"]);
    expect(dispatch.sends).toBe(2);
  });

  test("that was abandoned is not serialised any more", () => {
    const dispatch = new Dispatch("id");
    dispatch.abandon();
    expect(() => dispatch.toBSON()).toThrow();
    expect(dispatch.sends).toBe(0);
  });
});
