/**
 * Classifies the statuses with which a registry refuses something.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 * @module
 */

import { z } from "zod";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { HostError } from "../errors/host-error.ts";
import type { ErrorCode } from "../errors/table.ts";
import { quoted } from "./failures.ts";
import { discard, readWhole, type TransportAnswer } from "./transport.ts";

/** A registry that asks for a longer pause is asked again after this one. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;

const errorsSchema = z.object({
  errors: z.array(z.object({ code: z.string().optional(), message: z.string().optional() })).min(1),
});

/** The error of an answer whose status is not the one that was hoped for. Reads a little of its body. */
export async function describeStatus(answer: TransportAnswer, what: string, signal: AbortSignal): Promise<HostError> {
  const { status, url } = answer;
  const said = await wordsOf(answer, signal);
  const message = `${url.host} answers ${status}${said} to ${what}`;
  const retryAfterMs = status === 429 ? retryAfter(answer.header("retry-after")) : undefined;
  return new HostError(codeOfStatus(status), message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401 || status === 403 || status === 407) return "registry-denied";
  if (status === 404) return "registry-not-found";
  if (status === 429) return "registry-throttled";
  return status >= 500 || status === 408 ? "registry-unreachable" : "registry-refused";
}

async function wordsOf(answer: TransportAnswer, signal: AbortSignal): Promise<string> {
  let text: string;
  try {
    text = (await readWhole(answer, FIXED_LIMITS.registryTokenBytes, signal)).toString("utf8");
  } catch {
    discard(answer);
    return "";
  }
  const { data } = errorsSchema.safeParse(jsonOrNothing(text));
  const [first] = data?.errors ?? [];
  const said = first === undefined ? "" : [first.code, first.message].filter((part) => part !== undefined).join(": ");
  return said === "" ? "" : ` (${quoted(said)})`;
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** RFC 9110, section 10.2.3: seconds or a date. */
function retryAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^[0-9]{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}
