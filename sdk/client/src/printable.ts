/**
 * Texts of others in a form that may be shown.
 *
 * @module
 */

const MAX_TEXT_LENGTH = 256;

/** What comes from outside may end in a terminal. */
export function printable(text: string): string {
  return text.slice(0, MAX_TEXT_LENGTH).replace(/[^\x20-\x7e]+/g, " ");
}
