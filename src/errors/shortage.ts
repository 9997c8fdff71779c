/**
 * Failures of the machine, not of the work on it: it ran out of descriptors, processes, memory or disk, or the disk failed.
 * The same work may succeed later.
 *
 * @module
 */

const SHORTAGES: ReadonlySet<unknown> = new Set([
  "EAGAIN",
  "EDQUOT",
  "EIO",
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "ENOSPC",
  "EROFS",
  "ESTALE",
  "ETIMEDOUT",
]);

/** Did the system refuse it because something ran out? */
export function isShortage(error: unknown): boolean {
  return error instanceof Error && "code" in error && SHORTAGES.has(error.code);
}
