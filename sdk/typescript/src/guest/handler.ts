/**
 * What the host calls, around what the author has written: it says what is wrong with either, in words.
 *
 * Whatever the author's code throws becomes the contract's `err` with its message, on every engine. An error that is not a
 * plain text is logged as well, with its place in the author's files.
 *
 * @module
 */

import { log } from "local:network-host/logging@1.0.0";
import type { AccessLevels, RpcRequest, RpcResponse } from "local:network-host/types@1.0.0";
import { sayKept } from "./console.ts";
import { describeError, messageOf, show } from "./describe.ts";
import { beginServing } from "./phase.ts";

/** The author's `handler`. */
interface Author {
  getAccessLevels(): AccessLevels;
  handleRequest(request: RpcRequest): unknown;
}

const LEVELS = ["keyValueRead", "keyValueWrite", "outboundHttp"];
const MAX_STATUS = 65_535;

/** Looks at what a module exports, while the component is made: what it throws is the build's error. */
export function authorOf(plugin: Readonly<Record<string, unknown>>, file: string): Author {
  const { handler } = plugin;
  const example = "export const handler = { getAccessLevels() { return {}; }, handleRequest(req) { … } };";
  if (typeof handler !== "object" || handler === null) throw new Error(`${file} exports no \`handler\`: ${example}`);
  for (const name of ["getAccessLevels", "handleRequest"])
    if (typeof (handler as Record<string, unknown>)[name] !== "function")
      throw new Error(`the \`handler\` of ${file} has no function ${name}: ${example}`);
  return handler as Author;
}

/** The levels, once each of them is one of the contract's. */
export function accessLevels(author: Author): AccessLevels {
  beginServing();
  sayKept();
  try {
    const levels: unknown = author.getAccessLevels();
    if (typeof levels !== "object" || levels === null)
      throw new Error(`getAccessLevels returned ${show(levels)} in place of an object such as { keyValueRead: true }`);
    const unknown = Object.keys(levels).find((name) => !LEVELS.includes(name));
    if (unknown !== undefined)
      throw new Error(`getAccessLevels asks for ${unknown}, which is none of ${LEVELS.join(", ")}`);
    return levels;
  } catch (error) {
    // The contract has no `err` here, and what the engine makes of an exception does not say which.
    log("error", describeError(error));
    throw error;
  }
}

/** @returns what is thrown in place of an error: both engines make the contract's `err` of a text. */
export function failure(error: unknown): string {
  if (typeof error !== "string") log("error", describeError(error));
  return messageOf(error);
}

/** The response, once it is one. */
export function checkedResponse(response: unknown): RpcResponse {
  if (typeof response !== "object" || response === null)
    throw new TypeError(`handleRequest returned ${show(response)} in place of { status, body }`);
  const { status, body } = response as Partial<Record<keyof RpcResponse, unknown>>;
  if (typeof status !== "number" || !Number.isInteger(status) || status < 0 || status > MAX_STATUS)
    throw new TypeError(
      `handleRequest returned the status ${show(status)}, and not an integer from 0 to ${MAX_STATUS}`,
    );
  if (!(body instanceof Uint8Array))
    throw new TypeError(
      `handleRequest returned a body that is no Uint8Array: a text becomes one by new TextEncoder().encode(text)`,
    );
  return { status, body };
}
