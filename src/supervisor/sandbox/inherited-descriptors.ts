/**
 * Descriptors that the host itself was started with and never asked for: a child would inherit them in turn,
 * since nothing marked them to be closed. Node marks only the first few; a shell or a service manager may
 * leave others, with files behind them that are no child's business.
 *
 * @module
 */

import type { IOType } from "node:child_process";
import { openSync, readdirSync, readFileSync } from "node:fs";
import { devNull } from "node:os";

/** `O_CLOEXEC` in the octal flags of /proc/<pid>/fdinfo. */
const CLOSED_ON_EXEC = 0o2000000;

/** A child's descriptors by number, as `spawn` takes them. */
export type Stdio = readonly (IOType | number)[];

let covering: { readonly inherited: readonly number[]; readonly nowhere: number } | undefined;

/**
 * The descriptors of a child: those of `own`, and /dev/null in the place of each that it would inherit unasked.
 * What there is to inherit is looked up once: all that this process opens itself is closed in its children.
 */
export function childDescriptors(own: Stdio): (IOType | number)[] {
  covering ??= { inherited: inheritedDescriptors(), nowhere: openSync(devNull, "r+") };
  return coverDescriptors(own, covering.inherited, covering.nowhere);
}

/** Numbers of descriptors that a child would inherit unasked. Empty where that cannot be known. */
function inheritedDescriptors(): readonly number[] {
  try {
    return readdirSync("/proc/self/fdinfo").map(Number).filter(isInherited);
  } catch {
    return [];
  }
}

function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1] ?? "0";
    return descriptor > 2 && (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0;
  } catch {
    // The descriptor that listed them is closed by now.
    return false;
  }
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
