/**
 * What the kernel lets this process do beyond its user's rights (capabilities(7)).
 *
 * @module
 */

import { readFileSync } from "node:fs";

/** Bits of a set of capabilities. */
export const CAPABILITY = { kill: 1n << 5n, sysNice: 1n << 23n } as const;

/**
 * Is the capability in this process's effective set? False where this system does not report it. Throws where this
 * process has no descriptor left to read it with.
 */
export function holdsCapability(capability: bigint): boolean {
  if (process.platform !== "linux") return false;
  const status = readFileSync("/proc/self/status", "utf8");
  const effective = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return (effective & capability) !== 0n;
}
