/**
 * IP addresses and blocks of them as numbers, so that whether an address lies in a block is arithmetic and not a
 * matter of spelling. Pure.
 *
 * Only the canonical texts are read here (`127.0.0.1`, `::1`): what a resolver or a socket says. The other
 * spellings that a URL may have (`0x7f.1`) are brought into this form by the URL parser first.
 *
 * @module
 */

import { isIPv4, isIPv6 } from "node:net";

/** An address: as many bits as its family has. */
export interface IpAddress {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** A block of addresses: those that share the first `prefix` bits. */
export interface IpBlock extends IpAddress {
  /** 0 to `bits`. A single address is a block of its own, with all bits. */
  readonly prefix: number;
}

/** Reads an address without brackets. Names, zones (`fe80::1%eth0`) and everything else are `undefined`. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (isIPv4(text)) return { bits: 32, value: joinGroups(text.split(".").map(Number), 8) };
  if (!isIPv6(text) || text.includes("%")) return undefined;
  return { bits: 128, value: joinGroups(parseGroups(text), 16) };
}

/** Reads `10.0.0.0/8` or an address alone. Bits behind the prefix may be set: they mean nothing. */
export function parseIpBlock(text: string): IpBlock | undefined {
  const [, base = "", length] = /^([^/]*)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text) ?? [];
  const address = parseIpAddress(base);
  if (address === undefined) return undefined;
  const prefix = length === undefined ? address.bits : Number(length);
  return prefix <= address.bits ? { ...address, prefix } : undefined;
}

/** Does the block hold the address, or the whole of another block? The families never mix. */
export function blockHolds(block: IpBlock, inner: IpAddress & { readonly prefix?: number }): boolean {
  if (block.bits !== inner.bits || (inner.prefix ?? inner.bits) < block.prefix) return false;
  const shift = BigInt(block.bits - block.prefix);
  return block.value >> shift === inner.value >> shift;
}

/** The eight groups of an IPv6 address, `::` filled in and an IPv4 address at its end taken apart. */
function parseGroups(text: string): number[] {
  const [head = "", tail] = text.split("::");
  const first = groupsOf(head);
  if (tail === undefined) return first;
  const last = groupsOf(tail);
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}

function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function joinGroups(groups: readonly number[], bitsEach: number): bigint {
  return groups.reduce((value, group) => (value << BigInt(bitsEach)) | BigInt(group), 0n);
}
