/**
 * Failures of the machine and not of what was being done on it: no descriptor, process, memory or disk was left, or the
 * disk failed. The same thing may well succeed later.
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

/** Did the system refuse it for the lack of something? */
export function isShortage(error: unknown): boolean {
  return error instanceof Error && "code" in error && SHORTAGES.has(error.code);
}
