/**
 * What the client for callers knows of the protocol: the error codes that a caller may meet, the headers and the bounds. The
 * encoding of wRPC it has from the host's own files, which depend on nothing else.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { PLUGIN_NAME_MAX_LENGTH, PLUGIN_NAME_PATTERN } from "../../src/contract/names.ts";
import { HEADER, METHOD_MAX_BYTES, REQUEST_ID_MAX_BYTES, SUBJECT_ROOT } from "../../src/contract/protocol.ts";
import { MAX_STATUS } from "../../src/contract/request.ts";
import { ERROR_CODES, errorRow } from "../../src/errors/table.ts";
import { formatText, PROJECT_FOLDER } from "../generated-file.ts";

const ERRORS_FILE = "sdk/client/src/error-codes.ts";
const PROTOCOL_FILE = "sdk/client/src/protocol.ts";

/** Files that both sides of wRPC use. They import only each other. */
const WRPC_FILES = ["src/wrpc/frames.ts", "src/wrpc/value-reader.ts", "src/wrpc/value-writer.ts"];
const WRPC_FOLDER = "sdk/client/src/wrpc";

/** File of the project → its text. */
export async function clientSources(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    [ERRORS_FILE, await formatText(ERRORS_FILE, errorCodes())],
    [PROTOCOL_FILE, await formatText(PROTOCOL_FILE, protocol())],
    ...(await Promise.all(WRPC_FILES.map(copyOf))),
  ]);
}

/** The copy of a file, with a line that says so. */
async function copyOf(file: string): Promise<[string, string]> {
  const text = await readFile(join(PROJECT_FOLDER, file), "utf8");
  const [comment, ...rest] = text.split(" * @module\n");
  const note = ` * Generated from ${file} by scripts/generate-sdk/client.ts; do not edit.\n *\n * @module\n`;
  const copy = join(WRPC_FOLDER, basename(file));
  return [copy, await formatText(copy, [`${comment}${note}`, ...rest].join(""))];
}

function errorCodes(): string {
  const rows = ERROR_CODES.flatMap((code) => {
    const { replyCode, retryable, work, summary } = errorRow(code);
    if (work === undefined) return [];
    const row = { number: replyCode, isRetryable: retryable, mayHaveRun: work === "maybe", summary };
    return [`${JSON.stringify(code)}: ${JSON.stringify(row)},`];
  });
  return `/**
 * The error codes that a caller may meet; docs/errors.md of network-host explains them all.
 *
 * Generated from src/errors/table.ts by scripts/generate-sdk/client.ts; do not edit.
 *
 * @module
 */

/** What is known of a code. */
export interface ErrorCodeRow {
  /** The reply's \`Nats-Service-Error-Code\`. */
  readonly number: number;
  /** May the same request succeed if it is sent again? A reply's own word counts for more. */
  readonly isRetryable: boolean;
  /** May the plugin have done a part of its work, or all of it? */
  readonly mayHaveRun: boolean;
  readonly summary: string;
}

export const ERROR_CODES = {
${rows.join("\n")}
} as const satisfies Record<string, ErrorCodeRow>;

/** A code that a caller may meet. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Is this text one of the known codes? A later version of network-host may have more. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}
`;
}

function protocol(): string {
  return `/**
 * Constants of the wire protocol; docs/protocol.md of network-host describes it.
 *
 * Generated from src/contract/ by scripts/generate-sdk/client.ts; do not edit.
 *
 * @module
 */

/** First token of every request's subject. */
export const SUBJECT_ROOT = ${JSON.stringify(SUBJECT_ROOT)};

/** Headers of requests and replies. */
export const HEADER = ${JSON.stringify(HEADER)} as const;

export const PLUGIN_NAME: RegExp = /${PLUGIN_NAME_PATTERN}/;
export const PLUGIN_NAME_MAX_LENGTH = ${PLUGIN_NAME_MAX_LENGTH};
export const METHOD_MAX_BYTES = ${METHOD_MAX_BYTES};
export const REQUEST_ID_MAX_LENGTH = ${REQUEST_ID_MAX_BYTES};
export const MAX_STATUS = ${MAX_STATUS};
`;
}
