/**
 * `Math.random` with values that differ from request to request. The engine's own is seeded when the component is made, so
 * that each request, which starts on that state, would draw the same numbers.
 *
 * The generator is xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it), seeded by the host at the first draw of a
 * request. It is no source of secrets: `crypto` is.
 *
 * @module
 */

import { isServing } from "./phase.ts";

/** Draws that many random bytes from the host. */
export type RandomBytes = (count: number) => Uint8Array;

const SEED_BYTES = 16;
/** The largest request that `getRandomValues` takes, by its standard. */
const MAX_BYTES = 65_536;
const LOWER_BITS = 2 ** 53;

/** @returns `Math.random`: numbers of 53 random bits, at least 0 and less than 1. */
export function createRandom(randomBytes: RandomBytes, whileBuilding: () => number): () => number {
  let state: Uint32Array | undefined;
  const next = (seeded: Uint32Array): number => {
    const [a = 0, b = 0, c = 0, d = 0] = seeded;
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const mixed = c ^ a;
    const other = d ^ b;
    seeded[0] = a ^ other;
    seeded[1] = b ^ mixed;
    seeded[2] = mixed ^ (b << 9);
    seeded[3] = rotate(other, 11);
    return result;
  };
  return () => {
    if (!isServing()) return whileBuilding();
    // A seed of nothing but zeros gives nothing else; the odd number rules it out.
    state ??= new Uint32Array(randomBytes(SEED_BYTES).slice().buffer).map((word, at) => (at === 0 ? word | 1 : word));
    const upper = next(state) >>> 11;
    return (upper * 2 ** 32 + next(state)) / LOWER_BITS;
  };
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** The part of Web Crypto that QuickJS is given. */
export interface GuestCrypto {
  getRandomValues<T extends ArrayBufferView>(into: T): T;
  randomUUID(): string;
}

/** @returns what throws where it is called while the component is made: there is no host then to draw from. */
export function createCrypto(randomBytes: RandomBytes): GuestCrypto {
  function getRandomValues<T extends ArrayBufferView>(into: T): T {
    if (into.byteLength > MAX_BYTES) throw new RangeError(`getRandomValues gives at most ${MAX_BYTES} bytes at once`);
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(draw(into.byteLength));
    return into;
  }
  function draw(count: number): Uint8Array {
    if (isServing()) return randomBytes(count);
    throw new Error(
      "crypto is there within a request only: what stands outside of functions runs once, when the plugin is built",
    );
  }
  return {
    getRandomValues,
    randomUUID() {
      const bytes = draw(16).slice();
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    },
  };
}
