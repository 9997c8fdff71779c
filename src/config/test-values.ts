/**
 * The values of a test file: bytes as an author writes them, and what is expected of bytes and of texts. A text stands for
 * its UTF-8; a map with one key says what else it is.
 *
 * @module
 */

import { z } from "zod";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { parseSizeText, SIZE_TEXT } from "../contract/size-text.ts";
import { NUMBER_TEXT } from "./test-each.ts";

/** Reads a file that a test file names; returns its bytes, or what keeps it from being read. */
export type ReadNamedFile = (path: string) => Uint8Array | string;

/** What bytes must be. */
export type ExpectedBytes =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly as: "text" | "binary" }
  /** Equal as JSON, whatever the order of keys and the blanks. */
  | { readonly kind: "json"; readonly value: unknown }
  | { readonly kind: "contains"; readonly text: string }
  | { readonly kind: "matches"; readonly pattern: RegExp }
  | { readonly kind: "length"; readonly bytes: number };

/** What a text must be. */
export type ExpectedText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "contains"; readonly text: string }
  | { readonly kind: "matches"; readonly pattern: RegExp };

const VALUE_ADVICE =
  "write a text (a number in quotes), or one of { json: … }, { base64: … }, { hex: … }, { file: … }, { size: 1MiB }, { parts: […] }";
const EXPECTED_ADVICE = `${VALUE_ADVICE}, { contains: … }, { matches: … }, { length: … }`;
const TEXT_ADVICE = "write a text, { contains: … } or { matches: … }";

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const HEX = /^(?:[0-9a-fA-F]{2})*$/;

const SIZE_OR_NUMBER = new RegExp(`${SIZE_TEXT.source}|${NUMBER_TEXT.source}`);

const text = (error: string): z.ZodString => z.string({ error });

const valueShape = {
  text: text("write a text in quotes").optional().meta({ description: "The UTF-8 of a text." }),
  json: z.unknown().optional().meta({ description: "JSON: any YAML value, written without blanks." }),
  base64: text("write base64 in quotes")
    .regex(BASE64, { error: "write base64 with its padding" })
    .optional()
    .meta({ description: "Bytes in base64." }),
  hex: text("write hexadecimal digits in quotes")
    .regex(HEX, { error: "write pairs of hexadecimal digits" })
    .optional()
    .meta({ description: "Bytes in hexadecimal digits." }),
  file: text("write a file's path")
    .min(1, { error: "write a file's path" })
    .optional()
    .meta({ description: "The content of a file; the path begins at the test file's folder." }),
  size: sizeSchema("write a number of bytes, or a size such as 64KiB or 1MiB")
    .optional()
    .meta({ description: "So many bytes, all of them that of `fill`." }),
  fill: text("write one ASCII character")
    .regex(/^[\x20-\x7e]$/, { error: "write one ASCII character" })
    .optional()
    .meta({ description: "With `size`: the character of which the value consists. Default: x." }),
};

const expectationShape = {
  contains: text("write a text").optional().meta({ description: "A text that must be part of it." }),
  matches: patternSchema().optional(),
  length: sizeSchema("write a number of bytes").optional().meta({ description: "Its length in bytes." }),
};

function patternSchema(): z.ZodType<string> {
  return text("write a regular expression")
    .superRefine((source, context) => {
      const compiled = compile(source);
      if (typeof compiled === "string") context.addIssue({ code: "custom", message: compiled });
    })
    .meta({ description: "A regular expression of JavaScript with the flags s and u, which must match some part." });
}

/** The expression, or what to write instead. */
function compile(source: string): RegExp | string {
  try {
    return new RegExp(source, "su");
  } catch (error) {
    return `write a regular expression of JavaScript (${(error as Error).message})`;
  }
}

function sizeSchema(error: string): z.ZodType<number, number | string> {
  return z
    .union([z.int({ error }).min(0, { error }), text(error).regex(SIZE_OR_NUMBER, { error })], { error })
    .transform((size) => (typeof size === "string" && SIZE_TEXT.test(size) ? parseSizeText(size) : Number(size)))
    .refine((bytes) => bytes >= 0 && bytes <= FIXED_LIMITS.testValueBytes, {
      error: `write at most ${FIXED_LIMITS.testValueBytes} bytes`,
    });
}

/** One for each reader: it contains itself. */
const valueSchemas = new WeakMap<ReadNamedFile, z.ZodType<Uint8Array>>();

/** With the parts of a value that has several, which are values themselves. */
function shapeWithParts(read: ReadNamedFile) {
  const parts = z
    .array(
      z.lazy(() => valueSchema(read)),
      { error: "write a list of values" },
    )
    .optional()
    .meta({ description: "Several values, one after another." });
  return { ...valueShape, parts };
}

type ValueFields = { readonly [Name in keyof typeof valueShape]?: z.output<(typeof valueShape)[Name]> } & {
  readonly parts?: readonly Uint8Array[] | undefined;
};

const VALUE_KEYS = ["text", "json", "base64", "hex", "file", "size", "parts"] as const;
const EXPECTED_KEYS = [...VALUE_KEYS, "contains", "matches", "length"] as const;

/** One of `keys`, and `fill` only with `size`. */
function refineOne(keys: readonly string[], advice: string) {
  return (fields: object, context: z.RefinementCtx): void => {
    const given = keys.filter((key) => Object.hasOwn(fields, key));
    if (given.length !== 1) context.addIssue({ code: "custom", message: advice });
    if (Object.hasOwn(fields, "fill") && !Object.hasOwn(fields, "size"))
      context.addIssue({ code: "custom", path: ["fill"], message: "it needs `size` beside it" });
  };
}

/** Bytes: of a payload, a value in the store, a body. */
export function valueSchema(read: ReadNamedFile): z.ZodType<Uint8Array> {
  let schema = valueSchemas.get(read);
  if (schema === undefined) {
    const form = z.strictObject(shapeWithParts(read)).superRefine(refineOne(VALUE_KEYS, VALUE_ADVICE));
    schema = z
      .union([text(VALUE_ADVICE), form], { error: VALUE_ADVICE })
      .transform((written, context) => bytesOf(written, read, context));
    valueSchemas.set(read, schema);
  }
  return schema;
}

/** What a body or a value must be. */
export function expectedBytesSchema(read: ReadNamedFile): z.ZodType<ExpectedBytes> {
  const form = z
    .strictObject({ ...shapeWithParts(read), ...expectationShape })
    .superRefine(refineOne(EXPECTED_KEYS, EXPECTED_ADVICE));
  return z
    .union([text(EXPECTED_ADVICE), form], { error: EXPECTED_ADVICE })
    .transform((written, context): ExpectedBytes => {
      if (typeof written !== "string") {
        if (written.contains !== undefined) return { kind: "contains", text: written.contains };
        if (written.matches !== undefined) return { kind: "matches", pattern: new RegExp(written.matches, "su") };
        if (written.length !== undefined) return { kind: "length", bytes: written.length };
        if ("json" in written) return { kind: "json", value: written.json };
      }
      const isText = typeof written === "string" || written.text !== undefined;
      return { kind: "bytes", bytes: bytesOf(written, read, context), as: isText ? "text" : "binary" };
    });
}

/** What a text must be: a log line, the text of an error, the value of a header field. */
export function expectedTextSchema(): z.ZodType<ExpectedText> {
  const { contains, matches } = expectationShape;
  return z
    .union(
      [
        text(TEXT_ADVICE),
        z.strictObject({ contains, matches }).superRefine(refineOne(["contains", "matches"], TEXT_ADVICE)),
      ],
      { error: TEXT_ADVICE },
    )
    .transform((written) => expectedText(written));
}

/** From a text, or from a map that has `contains` or `matches`. */
export function expectedText(
  written: string | { readonly contains?: string | undefined; readonly matches?: string | undefined },
): ExpectedText {
  if (typeof written === "string") return { kind: "text", text: written };
  if (written.contains !== undefined) return { kind: "contains", text: written.contains };
  return { kind: "matches", pattern: new RegExp(written.matches ?? "", "su") };
}

/** The keys of {@link expectedText}'s map, for shapes that have more keys. */
export const TEXT_KEYS = { contains: expectationShape.contains, matches: expectationShape.matches };

function bytesOf(written: string | ValueFields, read: ReadNamedFile, context: z.RefinementCtx): Uint8Array {
  if (typeof written === "string") return Buffer.from(written);
  if (written.text !== undefined) return Buffer.from(written.text);
  if (written.base64 !== undefined) return Buffer.from(written.base64, "base64");
  if (written.hex !== undefined) return Buffer.from(written.hex, "hex");
  if (written.size !== undefined) return Buffer.alloc(written.size, written.fill ?? "x");
  if (written.parts !== undefined) return joined(written.parts, context);
  if (written.file === undefined) return Buffer.from(JSON.stringify(written.json ?? null));
  const content = read(written.file);
  if (typeof content !== "string") return content;
  context.addIssue({ code: "custom", path: ["file"], message: content });
  return z.NEVER;
}

function joined(parts: readonly Uint8Array[], context: z.RefinementCtx): Uint8Array {
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  if (bytes <= FIXED_LIMITS.testValueBytes) return Buffer.concat(parts);
  context.addIssue({ code: "custom", path: ["parts"], message: `write at most ${FIXED_LIMITS.testValueBytes} bytes` });
  return z.NEVER;
}
