/**
 * The one table of error codes. Everything that can go wrong and be seen from outside (in a reply, in a
 * log line, on the command line) has a row here; `docs/errors.md` is generated from it.
 *
 * @module
 */

/** Who has to act: the caller, the plugin's author, the operator, something the host depends on, or us. */
export type Fault = "caller" | "plugin" | "operator" | "dependency" | "bug";

/** One row of the table. */
export interface ErrorRow {
  readonly fault: Fault;
  /** May the same request, sent again unchanged, succeed? */
  readonly retryable: boolean;
  /** May it be sent again after a temporary failure of the store during the request? */
  readonly retryableAfterOutage?: true;
  /** Numeric code of the reply (`Nats-Service-Error-Code`), with HTTP's meaning of the hundreds. */
  readonly replyCode: number;
  /** Of codes that a caller of plugins may meet: has the plugin done nothing, or perhaps a part of its work, or all of it? */
  readonly work?: "none" | "maybe";
  /** A sentence that is safe to show to a stranger: what happened and what to do. */
  readonly summary: string;
}

/** Code → row. A code, once released, keeps its meaning. */
export const ERRORS = {
  // The request itself.
  "bad-request": {
    fault: "caller",
    retryable: false,
    replyCode: 400,
    work: "none",
    summary: "The request's subject or headers are malformed; see docs/protocol.md.",
  },
  "payload-too-large": {
    fault: "caller",
    retryable: false,
    replyCode: 413,
    work: "none",
    summary: "The payload is larger than the plugin's payload limit; send less.",
  },
  "deadline-exceeded": {
    fault: "plugin",
    retryable: true,
    replyCode: 504,
    work: "maybe",
    summary: "The request's deadline passed before the plugin answered; the work may have been done in part.",
  },

  // Admission.
  overloaded: {
    fault: "operator",
    retryable: true,
    replyCode: 429,
    work: "none",
    summary: "The plugin or the replica is at its limit of concurrent requests; try again after the time given.",
  },
  draining: {
    fault: "operator",
    retryable: true,
    replyCode: 503,
    work: "maybe",
    summary: "The replica is stopping; send the request again and another replica takes it.",
  },
  denied: {
    fault: "operator",
    retryable: false,
    replyCode: 403,
    work: "none",
    summary:
      "The plugin requests an access level that the policy does not allow; the operator must allow it or withdraw the plugin.",
  },
  "plugin-unavailable": {
    fault: "operator",
    retryable: true,
    replyCode: 503,
    work: "none",
    summary: "The plugin is not loaded at the moment, or its process is restarting; try again later.",
  },

  // The run.
  "plugin-error": {
    fault: "plugin",
    retryable: false,
    retryableAfterOutage: true,
    replyCode: 500,
    work: "maybe",
    summary: "The plugin returned an error; its text is in the reply's body.",
  },
  "plugin-trapped": {
    fault: "plugin",
    retryable: false,
    retryableAfterOutage: true,
    replyCode: 500,
    work: "maybe",
    summary: "The plugin trapped (crashed) while it handled the request; nothing else was affected.",
  },
  "runner-lost": {
    fault: "plugin",
    retryable: true,
    replyCode: 502,
    work: "maybe",
    summary: "The plugin's process ended while it handled the request; the work may have been done in part.",
  },
  "memory-exceeded": {
    fault: "plugin",
    retryable: true,
    replyCode: 502,
    work: "maybe",
    summary: "The plugin's process used more memory than its limit and was ended; the work may have been done in part.",
  },
  "reply-too-large": {
    fault: "plugin",
    retryable: false,
    replyCode: 500,
    work: "maybe",
    summary: "The plugin's reply is larger than its reply limit or the NATS server's max_payload.",
  },

  // Capabilities, as a plugin sees them in the error string of a call.
  "access-denied": {
    fault: "plugin",
    retryable: false,
    replyCode: 403,
    summary: "The operation needs an access level or a bucket that the plugin's grant does not hold.",
  },
  "invalid-bucket": {
    fault: "plugin",
    retryable: false,
    replyCode: 400,
    summary: "A bucket's name is 1 to 128 of the characters a-z, A-Z, 0-9, '.', '_' and '-'.",
  },
  "invalid-key": {
    fault: "plugin",
    retryable: false,
    replyCode: 400,
    summary: "A key is 1 byte or more of UTF-8 and no longer than the key limit.",
  },
  "value-too-large": {
    fault: "plugin",
    retryable: false,
    replyCode: 413,
    summary: "The value is larger than the value limit; store less under one key.",
  },
  "store-unavailable": {
    fault: "dependency",
    retryable: true,
    replyCode: 503,
    summary: "The key-value store could not be reached or refused the operation; nothing was written.",
  },
  "store-timeout": {
    fault: "dependency",
    retryable: true,
    replyCode: 504,
    summary: "The key-value store did not answer a read in time.",
  },
  "store-outcome-unknown": {
    fault: "dependency",
    retryable: true,
    replyCode: 504,
    summary: "The connection to the key-value store was lost during a write; the write may or may not have happened.",
  },

  // Loading a plugin.
  "component-unreadable": {
    fault: "operator",
    retryable: true,
    replyCode: 503,
    summary: "The component's file could not be read; check that it exists and that the host may read it.",
  },
  "component-rejected": {
    fault: "plugin",
    retryable: false,
    replyCode: 503,
    summary: "The component breaks a rule of the gate; the message names the rule, the place and what to do.",
  },
  "compile-failed": {
    fault: "plugin",
    retryable: false,
    replyCode: 503,
    summary:
      "The component passed the gate but could not be compiled; the message says why, and docs/build-errors.md says what to do.",
  },
  "plugin-unloadable": {
    fault: "plugin",
    retryable: false,
    replyCode: 503,
    work: "none",
    summary: "The plugin's component can never be loaded as it is; the replica's log says why. Replace the component.",
  },
  "load-failed": {
    fault: "operator",
    retryable: true,
    replyCode: 503,
    summary:
      "The plugin's process ended, or got no processor time, before it had loaded the component; the host tries again.",
  },
  "resources-exhausted": {
    fault: "operator",
    retryable: true,
    replyCode: 503,
    summary:
      "The machine ran out of descriptors, processes, memory, disk space or processor time; the host tries again.",
  },
  "probe-failed": {
    fault: "plugin",
    retryable: false,
    replyCode: 503,
    summary: "get-access-levels trapped, hung or returned a value of the wrong type.",
  },

  // The component registry.
  "registry-unreachable": {
    fault: "dependency",
    retryable: true,
    replyCode: 503,
    summary:
      "The component registry could not be reached, did not answer in time or answered with a server error; the host tries again.",
  },
  "registry-throttled": {
    fault: "dependency",
    retryable: true,
    replyCode: 503,
    summary: "The component registry answers too many requests with 429; the host tries again later.",
  },
  "registry-denied": {
    fault: "operator",
    retryable: true,
    replyCode: 503,
    summary:
      "The component registry refused the credentials, or there were none; log in with docker login or oras login.",
  },
  "registry-not-found": {
    fault: "operator",
    retryable: true,
    replyCode: 503,
    summary:
      "The component registry has no such repository, tag or digest; check the reference, or push the component.",
  },
  "registry-refused": {
    fault: "operator",
    retryable: false,
    replyCode: 502,
    summary: "The component registry refused the request; the message has its answer.",
  },
  "registry-redirect-refused": {
    fault: "dependency",
    retryable: true,
    replyCode: 502,
    summary:
      "The component registry redirected to an address or a scheme that is not allowed, or too often; nothing was sent there.",
  },
  "registry-content-wrong": {
    fault: "dependency",
    retryable: true,
    replyCode: 502,
    summary:
      "What the component registry sent is malformed, too large, or not what its digest and size say; nothing of it was kept.",
  },
  "artifact-unusable": {
    fault: "operator",
    retryable: false,
    replyCode: 503,
    summary: "The registry's artifact is not one WebAssembly component; push it with network-host push, wkg or oras.",
  },
  "digest-not-allowed": {
    fault: "operator",
    retryable: false,
    replyCode: 503,
    summary:
      "The policy names the digests of the components that it allows, and this is none of them; nothing of it is loaded.",
  },
  "signature-missing": {
    fault: "operator",
    retryable: true,
    replyCode: 503,
    summary:
      "The policy demands that the component is signed by one of its keys, and no signature in the registry fits; sign it with network-host sign or cosign, and the host looks again.",
  },
  "signature-needs-registry": {
    fault: "operator",
    retryable: false,
    replyCode: 503,
    summary:
      "The policy demands a signature, and the component is a file, which has none; push and sign it, and name it by oci:// in the consumer file.",
  },
  "component-differs": {
    fault: "operator",
    retryable: false,
    replyCode: 500,
    summary:
      "The registry's component is another one than the file that sign --component names; nothing was signed. Push the file, and sign the reference that push prints.",
  },
  "key-unusable": {
    fault: "operator",
    retryable: false,
    replyCode: 500,
    summary: "The key cannot sign or verify; the message says why. ECDSA on P-256 and RSA can.",
  },

  // Starting and running a replica, and the command line.
  "config-invalid": {
    fault: "operator",
    retryable: false,
    replyCode: 500,
    summary:
      "A consumer, policy or test file is invalid; the message names the file, the line and what to write instead.",
  },
  "usage-invalid": {
    fault: "operator",
    retryable: false,
    replyCode: 400,
    summary: "A command-line flag or an environment variable has a value that cannot be used; see --help.",
  },
  "listen-failed": {
    fault: "operator",
    retryable: true,
    replyCode: 500,
    summary:
      "An address of the consumer file cannot be listened on: use one of this machine that no other process listens on.",
  },
  "nats-unavailable": {
    fault: "dependency",
    retryable: true,
    replyCode: 503,
    work: "maybe",
    summary: "The NATS server could not be reached or refused the connection or the subscription.",
  },
  "no-responders": {
    fault: "operator",
    retryable: true,
    replyCode: 503,
    work: "none",
    summary:
      "No replica serves this plugin; check the plugin's name and that a replica of its consumer group is running.",
  },
  "bad-reply": {
    fault: "dependency",
    retryable: false,
    replyCode: 502,
    work: "maybe",
    summary:
      "The reply does not follow the protocol, so something else answers on the plugin's subject; see docs/protocol.md.",
  },
  "drain-timeout": {
    fault: "operator",
    retryable: true,
    replyCode: 503,
    summary: "Requests were still running when the drain time was over; they were answered with an error.",
  },
  "replica-unreachable": {
    fault: "operator",
    retryable: true,
    replyCode: 503,
    summary:
      "No running replica answers on a control socket; check that one runs as this user and uses the same --control.",
  },
  "control-timeout": {
    fault: "operator",
    retryable: true,
    replyCode: 504,
    summary: "A replica was not done with what reload or status asked for in the time given; it goes on with it.",
  },
  "build-failed": {
    fault: "plugin",
    retryable: false,
    replyCode: 500,
    summary: "A plugin's project could not be built; the language's own tool says where.",
  },
  "tool-missing": {
    fault: "operator",
    retryable: false,
    replyCode: 500,
    summary: "A program that a command needs is not installed; the message says which, and how to install it.",
  },
  "output-failed": {
    fault: "operator",
    retryable: false,
    replyCode: 500,
    summary: "A command's output could not be written; check the disk, or the program that reads the output.",
  },
  internal: {
    fault: "bug",
    retryable: false,
    replyCode: 500,
    work: "maybe",
    summary: "An unexpected failure inside the host; the log has the details under the request's id.",
  },
} as const satisfies Record<string, ErrorRow>;

/** A stable code of the table. */
export type ErrorCode = keyof typeof ERRORS;

/** All codes, in the table's order. */
export const ERROR_CODES = Object.keys(ERRORS) as readonly ErrorCode[];

/** The row of a code. */
export function errorRow(code: ErrorCode): ErrorRow {
  return ERRORS[code];
}

/** Is this text one of the table's codes? */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}
