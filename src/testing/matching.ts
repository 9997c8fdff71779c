/**
 * Is something as it is expected to be? `undefined` where it is; else how it differs. Pure.
 *
 * @module
 */

import { isUtf8 } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import type { ExpectedBytes, ExpectedText } from "../config/test-values.ts";
import { differenceOfBytes, differenceOfJson, differenceOfTexts, type DifferenceLine, shortly } from "./difference.ts";

/** Compares bytes. */
export function matchBytes(expected: ExpectedBytes, received: Uint8Array): DifferenceLine[] | undefined {
  switch (expected.kind) {
    case "bytes":
      return Buffer.compare(expected.bytes, received) === 0 ? undefined : differenceOfBytes(expected.bytes, received);
    case "json":
      return matchJson(expected.value, received);
    case "length":
      return expected.bytes === received.length
        ? undefined
        : [
            { kind: "expected", text: `${expected.bytes} bytes` },
            { kind: "received", text: `${received.length} bytes: ${shortly(received)}` },
          ];
    case "contains":
    case "matches": {
      const text = isUtf8(received) ? Buffer.from(received).toString() : undefined;
      return text !== undefined && isMatch(expected, text)
        ? undefined
        : [
            { kind: "expected", text: describeText(expected) },
            { kind: "received", text: shortly(received) },
          ];
    }
  }
}

/** Compares a text. */
export function matchText(expected: ExpectedText, received: string): DifferenceLine[] | undefined {
  if (isMatch(expected, received)) return undefined;
  if (expected.kind === "text") return differenceOfTexts(expected.text, received);
  return [
    { kind: "expected", text: describeText(expected) },
    { kind: "received", text: shortly(Buffer.from(received)) },
  ];
}

export function isMatch(expected: ExpectedText, received: string): boolean {
  switch (expected.kind) {
    case "text":
      return expected.text === received;
    case "contains":
      return received.includes(expected.text);
    case "matches":
      return expected.pattern.test(received);
  }
}

/** What is expected, in one line. */
export function describeText(expected: ExpectedText): string {
  switch (expected.kind) {
    case "text":
      return JSON.stringify(expected.text);
    case "contains":
      return `a text that contains ${JSON.stringify(expected.text)}`;
    case "matches":
      return `a text that matches /${expected.pattern.source}/`;
  }
}

/** The same of bytes. */
export function describeBytes(expected: ExpectedBytes): string {
  switch (expected.kind) {
    case "bytes":
      return shortly(expected.bytes);
    case "json":
      return `JSON ${shortly(Buffer.from(JSON.stringify(expected.value) ?? "null"))}`;
    case "length":
      return `${expected.bytes} bytes`;
    case "contains":
    case "matches":
      return describeText(expected);
  }
}

function matchJson(expected: unknown, received: Uint8Array): DifferenceLine[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(received).toString()) as unknown;
  } catch {
    return [
      { kind: "expected", text: "JSON" },
      { kind: "received", text: shortly(received) },
    ];
  }
  return isDeepStrictEqual(expected, value) ? undefined : differenceOfJson(expected, value);
}
