/**
 * The prefix of wRPC's subjects: chosen by an operator, and the first tokens of every invocation's subject.
 *
 * @module
 */

/** At most this many characters of a prefix. */
export const PREFIX_MAX_LENGTH = 128;

/** Tokens without blanks and wildcards. The first one keeps it apart from requests, inboxes (`_INBOX`) and the server's own subjects (`$SRV`). */
const PREFIX = /^(?!rpc(?:\.|$))[A-Za-z0-9-][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*$/;

/** The grammar of a prefix as a pattern for schemas and error messages. */
export const PREFIX_PATTERN: string = PREFIX.source;
