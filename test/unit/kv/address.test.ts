import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BucketName } from "../../../src/contract/names.ts";
import { addressId } from "../../../src/kv/address.ts";
import type { KeyAddress } from "../../../src/kv/store.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

describe("the id of an address", () => {
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
        expect(addressId(one) === addressId(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: 5_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  test("ends with the key as it is", () => {
    const id = addressId({
      namespace: { kind: "shared", name: "s" },
      bucket: "b" as BucketName,
      key: "../e\u0301\0%2F",
    });
    expect(id).toBe("shared/s/b/../e\u0301\0%2F");
  });
});
