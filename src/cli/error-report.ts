/**
 * How a failed command reports its error: the code, the message and the causes. It escapes foreign texts and removes
 * credentials from them.
 *
 * @module
 */

import type { HostError } from "../errors/host-error.ts";
import { serializeError } from "../telemetry/error-serializer.ts";
import { printableText } from "../telemetry/plugin-text.ts";
import { scrubSecrets } from "../telemetry/redaction.ts";
import { type OutputStream, styled } from "./terminal.ts";

/** The report of an error as text for a terminal, with its line end. */
export function formatError(error: HostError, stream: OutputStream): string {
  const { causes = [], stack } = serializeError(error);
  const lines = [`${styled(stream, "bad", `error ${error.code}:`)} ${printableText(scrubSecrets(error.message))}`];
  for (const cause of causes) {
    if (!saysAlready(error, cause)) lines.push(styled(stream, "quiet", `  because of ${printableText(cause)}`));
  }
  if (stack !== undefined) {
    lines.push(styled(stream, "quiet", printableText(stack)), "This is a bug in network-host: please report it.");
  }
  return `${lines.join("\n")}\n`;
}

/** A message often quotes its cause; `cause` is `Name: message (code)`. */
function saysAlready(error: HostError, cause: string): boolean {
  const message = cause.replace(/^\w+: /, "").replace(/ \(\w+\)$/, "");
  return scrubSecrets(error.message).includes(message);
}
