/**
 * Descriptors that the host inherited when it was started. A child would inherit them in turn, since nothing marked
 * them close-on-exec: Node marks only the first few. A shell or a service manager may leave others open, on files that
 * a child must not reach.
 *
 * In a child, /dev/null takes the place of each. That is impossible for a descriptor whose number is at or above the
 * limit on descriptors (the limit was lowered after it was opened), so the host closes such a descriptor.
 *
 * @module
 */

import type { IOType } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { devNull } from "node:os";

/** `O_CLOEXEC` in the octal flags of /proc/<pid>/fdinfo. */
const CLOSED_ON_EXEC = 0o2000000;

/** A child's descriptors by number, as `spawn` takes them. */
export type Stdio = readonly (IOType | number)[];

let covering: { inherited: readonly number[]; readonly nowhere: number } | undefined;

/**
 * The descriptors of a child: those of `own`, and /dev/null in the place of each that it would inherit unasked. The
 * inherited ones are looked up once, since everything that this process opens itself is closed in its children. Throws
 * where this process has no descriptor left to look with.
 */
export function childDescriptors(own: Stdio): (IOType | number)[] {
  covering ??= { inherited: inheritedDescriptors(), nowhere: openSync(devNull, "r+") };
  if (covering.inherited.length > 0) covering.inherited = closeBeyond(descriptorLimit(), covering.inherited);
  return coverDescriptors(own, covering.inherited, covering.nowhere);
}

/** Closes those that no child can have; returns the others. */
function closeBeyond(limit: number, descriptors: readonly number[]): readonly number[] {
  for (const descriptor of descriptors.filter((each) => each >= limit)) closeSync(descriptor);
  return descriptors.filter((each) => each < limit);
}

/** New descriptors have numbers below this. Other processes may change it at any time. */
function descriptorLimit(): number {
  const limits = readFileSync("/proc/self/limits", "latin1");
  return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
}

/** Numbers of descriptors that a child would inherit unasked. Empty where that cannot be known. */
function inheritedDescriptors(): readonly number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fdinfo").map(Number).filter(isInherited);
}

function isInherited(descriptor: number): boolean {
  if (descriptor <= 2) return false;
  let info: string;
  try {
    info = readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1");
  } catch (error) {
    // `readdirSync` lists its own descriptor, which is closed by now.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
  const flags = /^flags:\s+([0-7]+)$/m.exec(info)?.[1] ?? "0";
  return (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0;
}

/**
 * A child's descriptors: `own`, and `nowhere` (a descriptor of the host for /dev/null) in the place of each
 * inherited one that `own` does not cover.
 */
export function coverDescriptors(own: Stdio, inherited: readonly number[], nowhere: number): (IOType | number)[] {
  const length = Math.max(own.length, ...inherited.map((descriptor) => descriptor + 1));
  return Array.from(
    { length },
    (_, descriptor) => own[descriptor] ?? (inherited.includes(descriptor) ? nowhere : "ignore"),
  );
}
