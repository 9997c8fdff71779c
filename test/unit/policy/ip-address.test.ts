import { BlockList } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blockHolds, type IpAddress, parseIpAddress, parseIpBlock } from "../../../src/policy/ip-address.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

/** Reads what is known to be an address. */
function address(text: string): IpAddress {
  const parsed = parseIpAddress(text);
  if (parsed === undefined) throw new TypeError(`${text} is not an address`);
  return parsed;
}

function holds(block: string, inner: string): boolean {
  const parsed = parseIpBlock(block);
  const other = parseIpBlock(inner);
  if (parsed === undefined || other === undefined) throw new TypeError(`${block} or ${inner} is not a block`);
  return blockHolds(parsed, other);
}

describe("an IP address", () => {
  test.each([
    ["0.0.0.0", 32, 0n],
    ["255.255.255.255", 32, 0xffff_ffffn],
    ["127.0.0.1", 32, 0x7f00_0001n],
    ["::", 128, 0n],
    ["::1", 128, 1n],
    ["1::", 128, 1n << 112n],
    ["::ffff:127.0.0.1", 128, 0xffff_7f00_0001n],
    ["64:ff9b::7f00:1", 128, 0x0064_ff9b_0000_0000_0000_0000_7f00_0001n],
    ["1:2:3:4:5:6:7:8", 128, 0x0001_0002_0003_0004_0005_0006_0007_0008n],
    ["1:2:3:4:5:6:1.2.3.4", 128, 0x0001_0002_0003_0004_0005_0006_0102_0304n],
  ])("%s is a number of %i bits", (text, bits, value) => {
    expect(parseIpAddress(text)).toEqual({ bits, value });
  });

  test.each([
    "",
    "a",
    "1.2.3",
    "0x7f.1",
    "2130706433",
    "01.2.3.4",
    "256.1.1.1",
    "[::1]",
    "fe80::1%eth0",
    "1.2.3.4 ",
    ":::",
  ])("is not %j", (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  test("is what the URL parser makes of any spelling", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
        expect(parseIpAddress(text)).toEqual(parseIpAddress(canonical));
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 5_000 },
    );
  });
});

describe("a block of addresses", () => {
  test("holds what Node's own list of blocks says it holds", () => {
    const family = fc.constantFrom(
      { kind: "ipv4", bits: 32, text: fc.ipV4() } as const,
      { kind: "ipv6", bits: 128, text: fc.ipV6() } as const,
    );
    const pair = family.chain(({ kind, bits, text }) =>
      fc.record({ kind: fc.constant(kind), base: text, inner: text, prefix: fc.integer({ min: 1, max: bits }) }),
    );
    fc.assert(
      fc.property(pair, fc.boolean(), ({ kind, base, inner, prefix }, near) => {
        const list = new BlockList();
        list.addSubnet(base, prefix, kind);
        const other = near ? base : inner;
        // Node takes an IPv4-mapped address for the IPv4 address in it; here the two are different addresses.
        if (kind === "ipv6" && address(other).value >> 32n === 0xffffn) return;
        expect(holds(`${base}/${prefix}`, other)).toBe(list.check(other, kind));
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 5_000 },
    );
  });

  test("holds a block that lies within it, and never one that is wider", () => {
    expect(holds("10.0.0.0/8", "10.1.0.0/16")).toBe(true);
    expect(holds("10.1.0.0/16", "10.0.0.0/8")).toBe(false);
    expect(holds("0.0.0.0/0", "255.0.0.0/8")).toBe(true);
    expect(holds("::/0", "10.0.0.0/8")).toBe(false);
    expect(holds("10.9.8.7/8", "10.1.1.1")).toBe(true);
  });

  test.each(["1.2.3.4/33", "::1/129", "1.2.3.4/", "1.2.3.4/-1", "1.2.3.4/1.5", "1.2.3.4/08", "/8", "a/8"])(
    "is not %j",
    (text) => {
      expect(parseIpBlock(text)).toBeUndefined();
    },
  );
});
