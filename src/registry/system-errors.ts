/**
 * Classifies the operating system's errors about folders.
 *
 * @module
 */

/** Does the error have one of these system codes? */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** Is the disk full, or the user's quota used up? */
export function isFull(error: unknown): boolean {
  return hasCode(error, "ENOSPC", "EDQUOT");
}

/** Is the folder not writable, however often it is tried? */
export function isUnwritable(error: unknown): boolean {
  return isFull(error) || hasCode(error, "EROFS", "EACCES", "EPERM");
}
