/**
 * The error codes that a caller may meet; docs/errors.md of network-host explains them all.
 *
 * Generated from src/errors/table.ts by scripts/generate-sdk/client.ts; do not edit.
 *
 * @module
 */

/** What is known of a code. */
export interface ErrorCodeRow {
  /** The reply's `Nats-Service-Error-Code`. */
  readonly number: number;
  /** May the same request succeed if it is sent again? A reply's own word counts for more. */
  readonly isRetryable: boolean;
  /** May the plugin have done a part of its work, or all of it? */
  readonly mayHaveRun: boolean;
  readonly summary: string;
}

export const ERROR_CODES = {
  "bad-request": {
    number: 400,
    isRetryable: false,
    mayHaveRun: false,
    summary: "The request's subject or headers are malformed; see docs/protocol.md.",
  },
  "payload-too-large": {
    number: 413,
    isRetryable: false,
    mayHaveRun: false,
    summary: "The payload is larger than the plugin's payload limit; send less.",
  },
  "deadline-exceeded": {
    number: 504,
    isRetryable: true,
    mayHaveRun: true,
    summary: "The request's deadline passed before the plugin answered; the work may have been done in part.",
  },
  overloaded: {
    number: 429,
    isRetryable: true,
    mayHaveRun: false,
    summary: "The plugin or the replica is at its limit of concurrent requests; try again after the time given.",
  },
  draining: {
    number: 503,
    isRetryable: true,
    mayHaveRun: true,
    summary: "The replica is stopping; send the request again and another replica takes it.",
  },
  denied: {
    number: 403,
    isRetryable: false,
    mayHaveRun: false,
    summary:
      "The plugin requests an access level that the policy does not allow; the operator must allow it or withdraw the plugin.",
  },
  "plugin-unavailable": {
    number: 503,
    isRetryable: true,
    mayHaveRun: false,
    summary: "The plugin is not loaded at the moment, or its process is restarting; try again later.",
  },
  "plugin-error": {
    number: 500,
    isRetryable: false,
    mayHaveRun: true,
    summary: "The plugin returned an error; its text is in the reply's body.",
  },
  "plugin-trapped": {
    number: 500,
    isRetryable: false,
    mayHaveRun: true,
    summary: "The plugin trapped (crashed) while it handled the request; nothing else was affected.",
  },
  "runner-lost": {
    number: 502,
    isRetryable: true,
    mayHaveRun: true,
    summary: "The plugin's process ended while it handled the request; the work may have been done in part.",
  },
  "memory-exceeded": {
    number: 502,
    isRetryable: true,
    mayHaveRun: true,
    summary: "The plugin's process used more memory than its limit and was ended; the work may have been done in part.",
  },
  "reply-too-large": {
    number: 500,
    isRetryable: false,
    mayHaveRun: true,
    summary: "The plugin's reply is larger than its reply limit or the NATS server's max_payload.",
  },
  "plugin-unloadable": {
    number: 503,
    isRetryable: false,
    mayHaveRun: false,
    summary: "The plugin's component can never be loaded as it is; the replica's log says why. Replace the component.",
  },
  "nats-unavailable": {
    number: 503,
    isRetryable: true,
    mayHaveRun: true,
    summary: "The NATS server could not be reached or refused the connection or the subscription.",
  },
  "no-responders": {
    number: 503,
    isRetryable: true,
    mayHaveRun: false,
    summary:
      "No replica serves this plugin; check the plugin's name and that a replica of its consumer group is running.",
  },
  "bad-reply": {
    number: 502,
    isRetryable: false,
    mayHaveRun: true,
    summary:
      "The reply does not follow the protocol, so something else answers on the plugin's subject; see docs/protocol.md.",
  },
  internal: {
    number: 500,
    isRetryable: false,
    mayHaveRun: true,
    summary: "An unexpected failure inside the host; the log has the details under the request's id.",
  },
} as const satisfies Record<string, ErrorCodeRow>;

/** A code that a caller may meet. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Is this text one of the known codes? A later version of network-host may have more. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}
