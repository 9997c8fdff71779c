/**
 * Addresses that are not of the public internet: those that a machine, a network or a cloud reserves,
 * and those that embed an IPv4 address, which may be any address. No wild card, no name and no
 * wider block of a policy opens them; see `egress-rules.ts`. Pure.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry/
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry/
 * @module
 */

import { blockHolds, type IpAddress, type IpBlock, parseIpAddress, parseIpBlock } from "./ip-address.ts";

/** Block → what it is for, in the words of a message. */
const SPECIAL: Readonly<Record<string, string>> = {
  "0.0.0.0/8": "an unspecified address",
  "10.0.0.0/8": "a private address",
  "100.64.0.0/10": "a carrier's private address",
  "127.0.0.0/8": "a loopback address",
  "168.63.129.16/32": "a cloud's metadata address",
  "169.254.0.0/16": "a link-local or metadata address",
  "172.16.0.0/12": "a private address",
  "192.0.0.0/24": "a protocol's address",
  "192.0.2.0/24": "a documentation address",
  "192.88.99.0/24": "a 6to4 relay's address",
  "192.168.0.0/16": "a private address",
  "198.18.0.0/15": "a benchmark's address",
  "198.51.100.0/24": "a documentation address",
  "203.0.113.0/24": "a documentation address",
  "224.0.0.0/4": "a multicast address",
  "240.0.0.0/4": "a reserved address",
  "::/128": "an unspecified address",
  "::1/128": "a loopback address",
  "::/96": "an IPv4-compatible address",
  "::ffff:0:0/96": "an IPv4-mapped address",
  "::ffff:0:0:0/96": "an IPv4-translated address",
  "64:ff9b::/96": "a NAT64 address",
  "64:ff9b:1::/48": "a local NAT64 address",
  "100::/64": "a discard address",
  "2001::/23": "a protocol's address (Teredo and others)",
  "2001:db8::/32": "a documentation address",
  "2002::/16": "a 6to4 address",
  "3fff::/20": "a documentation address",
  "5f00::/16": "a segment routing address",
  "fc00::/7": "a private address",
  "fe80::/10": "a link-local address",
  "fec0::/10": "a site-local address",
  "ff00::/8": "a multicast address",
  // Only 2000::/3 is assigned for the internet: what is left of the rest is nobody's.
  "::/3": "a reserved address",
  "4000::/2": "a reserved address",
  "8000::/1": "a reserved address",
};

/** A block that is not of the public internet. */
export interface SpecialBlock {
  readonly block: IpBlock;
  /** What it is, as `a loopback address`. */
  readonly what: string;
}

const BLOCKS: readonly SpecialBlock[] = Object.entries(SPECIAL).flatMap(([text, what]) => {
  const block = parseIpBlock(text);
  return block === undefined ? [] : [{ block, what }];
});

/** The special blocks that hold the whole of it, the one that says most first; none for an address of the internet. */
export function specialBlocksOf(address: IpAddress | IpBlock): SpecialBlock[] {
  return BLOCKS.filter(({ block }) => blockHolds(block, address)).sort((a, b) => b.block.prefix - a.block.prefix);
}

/** Is it an address outside the public internet? */
export function isSpecialAddress(text: string): boolean {
  const address = parseIpAddress(text);
  return address !== undefined && specialBlocksOf(address).length > 0;
}

/** What `localhost` stands for, whatever a resolver says. */
export const LOOPBACK_ADDRESSES: readonly string[] = ["127.0.0.1", "::1"];

/** The blocks that naming `localhost` opens. */
export const LOOPBACK_BLOCKS: readonly IpBlock[] = ["127.0.0.0/8", "::1/128"].flatMap(
  (text) => parseIpBlock(text) ?? [],
);
