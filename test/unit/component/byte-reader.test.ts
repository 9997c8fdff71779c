import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ITEMS_MAX, NAME_MAX_BYTES } from "../../../src/component/byte-reader.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const BUDGET = { interruptAfterTimeLimit: PROPERTY_TIME_MS };

function reader(...bytes: readonly number[]): ByteReader {
  return ByteReader.of(Uint8Array.from(bytes), "test");
}

function unsignedLeb(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if (rest === 0n) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

function signedLeb(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const done = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
    if (done) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

describe("numbers", () => {
  test("every unsigned number of 32 bits is read back", () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (value) => reader(...unsignedLeb(BigInt(value))).u32() === value),
      BUDGET,
    );
    expect(reader(...unsignedLeb(0xffff_ffffn)).u32()).toBe(0xffff_ffff);
  });

  test("every signed number of 33 bits is read back", () => {
    const range = { min: -(2n ** 32n), max: 2n ** 32n - 1n };
    fc.assert(
      fc.property(fc.bigInt(range), (value) => reader(...signedLeb(value)).s33() === Number(value)),
      BUDGET,
    );
    expect(reader(...signedLeb(range.min)).s33()).toBe(Number(range.min));
    expect(reader(...signedLeb(range.max)).s33()).toBe(Number(range.max));
  });

  test("every unsigned number of 64 bits is read back", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (value) => reader(...unsignedLeb(value)).u64() === value,
      ),
      BUDGET,
    );
  });

  test.each([
    ["u32", [0xff, 0xff, 0xff, 0xff, 0x10]],
    ["u32", [0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
    ["s33", [0x80, 0x80, 0x80, 0x80, 0x20]],
    ["u64", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]],
  ] as const)("a number that does not fit %s is refused", (kind, bytes) => {
    expect(refusalOf(() => reader(...bytes)[kind]()).message).toContain("longer than");
  });

  test("a number without an end is refused", () => {
    expect(refusalOf(() => reader(0x80).u32()).code).toBe("component-rejected");
  });
});

describe("names and lists", () => {
  test("a name is read as UTF-8, and what is not UTF-8 is refused with its place", () => {
    expect(reader(3, 0x61, 0xc3, 0xa9).name()).toBe("aé");
    expect(refusalOf(() => reader(2, 0xc3, 0x28).name()).message).toContain("not valid UTF-8 (at byte 3, in test)");
  });

  test("a name of more than the limit is refused before it is read", () => {
    const bytes = unsignedLeb(BigInt(NAME_MAX_BYTES + 1));
    expect(refusalOf(() => reader(...bytes).name()).message).toContain(`at most ${NAME_MAX_BYTES}`);
  });

  test("a list that announces more items than there are bytes is refused before anything is allocated", () => {
    const bytes = unsignedLeb(0xffff_ffffn);
    expect(refusalOf(() => reader(...bytes).vector((item) => item.u8())).message).toContain("does not fit");
  });

  test("the items of one file are counted over all its parts", () => {
    const half = Math.floor(ITEMS_MAX / 2) + 1;
    const list = new Uint8Array([...unsignedLeb(BigInt(half)), ...new Uint8Array(half)]);
    const bytes = new Uint8Array(2 * list.length);
    bytes.set(list);
    bytes.set(list, list.length);
    const whole = ByteReader.of(bytes, "test");
    expect(whole.sub(list.length).vector((item) => item.u8())).toHaveLength(half);
    expect(refusalOf(() => whole.vector((item) => item.u8())).message).toContain(`more than ${ITEMS_MAX}`);
  });

  test("a part cannot be read beyond its end", () => {
    const whole = reader(1, 2, 3);
    const part = whole.sub(2);
    expect([part.u8(), part.u8(), part.atEnd, whole.u8()]).toEqual([1, 2, true, 3]);
    expect(refusalOf(() => part.u8()).message).toContain("unexpected end");
    expect(refusalOf(() => whole.sub(1)).message).toContain("fewer follow");
  });
});
