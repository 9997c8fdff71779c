/**
 * What callers may send.
 *
 * @module
 */

/** A text goes as UTF-8. */
export type Payload = string | Uint8Array;

/** The payload of a value as JSON. @throws TypeError where JSON has no such value: `undefined`, a function, a cycle, a bigint. */
export function json(value: unknown): Payload {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`JSON has no value for ${typeof value}`);
  return text;
}

export function bytesOf(payload: Payload): Uint8Array {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
}
