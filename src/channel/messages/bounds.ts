/**
 * Bounds of texts in messages that no limit of a plugin or of the contract is for.
 *
 * @module
 */

/** A sentence for a log, or an error that a guest reads. */
export const SENTENCE_BYTES = 64 * 1024;

/** As many characters of any text are a sentence. */
export const SENTENCE_CHARACTERS = SENTENCE_BYTES / 4;
