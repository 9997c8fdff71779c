/**
 * The contract's flags `access-levels` as TypeScript values. The bit order is the WIT's order of declaration
 * (component model, flags are numbered from the least significant bit).
 *
 * @module
 */

/** One access level, named as in the contract. */
export type AccessLevel = "key-value-read" | "key-value-write" | "outbound-http";

/** All levels in the contract's order: the index is the flag's bit. */
export const ACCESS_LEVELS: readonly AccessLevel[] = ["key-value-read", "key-value-write", "outbound-http"];

/** A set of levels as the bits of the contract's flags: 0 is the empty set, 7 is all. */
export type AccessLevelBits = number;

/** Every bit that the contract defines. */
export const ALL_ACCESS_LEVEL_BITS: AccessLevelBits = (1 << ACCESS_LEVELS.length) - 1;

export function levelsFromBits(bits: AccessLevelBits): AccessLevel[] {
  return ACCESS_LEVELS.filter((_, index) => (bits & (1 << index)) !== 0);
}

export function bitsFromLevels(levels: Iterable<AccessLevel>): AccessLevelBits {
  let bits = 0;
  for (const level of levels) bits |= 1 << ACCESS_LEVELS.indexOf(level);
  return bits;
}
