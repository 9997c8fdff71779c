/**
 * Bounds of texts in messages between host and runner that no limit of a plugin is for. Pure.
 *
 * @module
 */

/** A sentence for a log, or an error that a guest reads. */
export const SENTENCE_BYTES: number = 64 * 1024;

/** As many characters of any text are a sentence. */
export const SENTENCE_CHARACTERS: number = SENTENCE_BYTES / 4;

/** A character of UTF-16 takes at most this many bytes of UTF-8. */
export const UTF8_PER_CHARACTER = 3;
