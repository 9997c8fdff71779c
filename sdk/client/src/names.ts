/**
 * Which names, methods and ids a request may have, on whichever way it is sent.
 *
 * @module
 */

import { METHOD_MAX_BYTES, PLUGIN_NAME, PLUGIN_NAME_MAX_LENGTH, REQUEST_ID_MAX_LENGTH } from "./protocol.ts";

const ENCODER = new TextEncoder();

export function isPluginName(text: string): boolean {
  return text.length <= PLUGIN_NAME_MAX_LENGTH && PLUGIN_NAME.test(text);
}

export function isMethodShort(method: string): boolean {
  return ENCODER.encode(method).length <= METHOD_MAX_BYTES;
}

/** What is wrong with a request's id, if anything is. */
export function problemOfId(id: string): string | undefined {
  if (id.length <= REQUEST_ID_MAX_LENGTH && /^[\x21-\x7e]+$/.test(id)) return undefined;
  return `an id is 1 to ${REQUEST_ID_MAX_LENGTH} visible ASCII characters`;
}
