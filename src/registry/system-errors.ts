/**
 * What the operating system says of a folder that cannot be used as it should.
 *
 * @module
 */

/** Has the error one of these codes of the system? */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** Is there no room left, on the disk or for this user? */
export function isFull(error: unknown): boolean {
  return hasCode(error, "ENOSPC", "EDQUOT");
}

/** Can nothing be written there, whatever is tried again? */
export function isUnwritable(error: unknown): boolean {
  return isFull(error) || hasCode(error, "EROFS", "EACCES", "EPERM");
}
