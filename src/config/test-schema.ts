/**
 * The shape of a test file, `*.test.yaml`. `schemas/test.schema.json` is generated from it.
 *
 * @module
 */

import { z } from "zod";
import { ACCESS_LEVELS, type AccessLevel } from "../contract/access-levels.ts";
import { HTTP_ERROR_CODES, isHttpFieldValue, isHttpToken } from "../contract/http.ts";
import { FIXED_LIMITS, PLUGIN_LIMITS } from "../contract/limits.ts";
import type { BucketName } from "../contract/names.ts";
import { METHOD_MAX_BYTES, REQUEST_ID_MAX_BYTES } from "../contract/protocol.ts";
import { MAX_STATUS } from "../contract/request.ts";
import { ERROR_CODES, isErrorCode } from "../errors/table.ts";
import { bucketNameSchema, pluginNameSchema, refuseRepetition } from "./field-schemas.ts";
import { limitsSchema } from "./limit-schema.ts";
import { nearest } from "./suggestion.ts";
import { STORE_FAULT_CODES } from "./test-case.ts";
import { eachSchema, NUMBER_TEXT } from "./test-each.ts";
import { expectedBytesSchema, expectedTextSchema, type ReadNamedFile, TEXT_KEYS, valueSchema } from "./test-values.ts";

const LOG_LEVELS = ["info", "warning", "error"] as const;

const MAX_DELAY_MS = 600_000;
const MAX_TIMES = 1_000_000;

const LEVEL_ADVICE = `write a list of ${ACCESS_LEVELS.join(", ")}`;
const CODE_ADVICE = "write an error's code; docs/errors.md lists them";
const KEYS_ADVICE = "write `bucket: { key: value }`, one bucket a line";
const EXPECT_ADVICE =
  "write what is expected, such as { status: 200, body: … } or { error: plugin-error }; {} for any answer";
const URL_ADVICE = "write an absolute URL such as https://api.example.com/users?page=1";

const text = (error: string): z.ZodString => z.string({ error });
/** A whole number; or a text, which a variable becomes. */
const count = (error: string, max: number, min = 0): z.ZodType<number, number | string> =>
  z
    .union([z.int({ error }).min(min, { error }).max(max, { error }), text(error).regex(NUMBER_TEXT, { error })], {
      error,
    })
    .transform(Number)
    .refine((number) => number >= min && number <= max, { error });
const delay = count(`write a whole number of milliseconds, 0 to ${MAX_DELAY_MS}`, MAX_DELAY_MS).optional();
const times = count(`write a whole number, 1 to ${MAX_TIMES}`, MAX_TIMES, 1).optional();
const path = text("write a path").min(1, { error: "write a path" });
const httpCode = z.enum(HTTP_ERROR_CODES, { error: `write an error of wasi:http, such as connection-refused` });

function keysSchema<Value>(value: z.ZodType<Value>): z.ZodType<Record<BucketName, Record<string, Value>>> {
  return z.record(bucketNameSchema, z.record(z.string(), value, { error: "write `key: value`, one a line" }), {
    error: KEYS_ADVICE,
  });
}

const requestSchema = (read: ReadNamedFile) =>
  z.strictObject(
    {
      method: text("write a method's name in quotes")
        .refine((method) => Buffer.byteLength(method) <= METHOD_MAX_BYTES && !/[\r\n]/.test(method), {
          error: `write one line of at most ${METHOD_MAX_BYTES} bytes`,
        })
        .optional()
        .meta({ description: "The method. Default: none." }),
      payload: valueSchema(read).optional().meta({ description: "The payload. Default: empty." }),
      id: text("write an id in quotes")
        .regex(/^[\x20-\x7e]*$/, { error: `write visible ASCII, at most ${REQUEST_ID_MAX_BYTES} characters` })
        .optional()
        .meta({ description: "The request's id. Default: one that the host makes." }),
      timeoutMs: delay.meta({
        description: "How long the caller waits, in milliseconds. Default: the plugin's limit.",
      }),
    },
    { error: "write `method:` and `payload:`, or {} for a request without either" },
  );

const lineSchema = z.union(
  [
    text("write a line of the log"),
    z
      .strictObject({
        text: text("write a text").optional().meta({ description: "The whole line." }),
        ...TEXT_KEYS,
        level: z
          .enum(LOG_LEVELS, { error: `write one of ${LOG_LEVELS.join(", ")}` })
          .optional()
          .meta({ description: "Its level. Default: any." }),
      })
      .superRefine((line, context) => {
        const given = [line.text, line.contains, line.matches].filter((part) => part !== undefined);
        if (given.length !== 1)
          context.addIssue({
            code: "custom",
            message: "write one of text, contains and matches, and level if it matters",
          });
      }),
  ],
  { error: "write a line's text, or { text: …, level: … }" },
);

/** No enum: in a union, the misfit of one has no guess at what was meant. */
const errorCodeSchema: z.ZodType<string, string> = text(CODE_ADVICE)
  .superRefine((code, context) => {
    if (isErrorCode(code)) return;
    const guess = nearest(code, ERROR_CODES);
    const message = guess === undefined ? CODE_ADVICE : `did you mean "${guess}"? Else ${CODE_ADVICE}`;
    context.addIssue({ code: "custom", message });
  })
  .meta({ enum: [...ERROR_CODES], description: "A code of docs/errors.md." });

const errorSchema = z.union(
  [
    errorCodeSchema,
    z.strictObject({
      code: errorCodeSchema,
      text: expectedTextSchema()
        .optional()
        .meta({ description: "Of plugin-error: the text that the plugin returned." }),
    }),
  ],
  { error: "write an error's code, or { code: …, text: … }; docs/errors.md lists the codes" },
);

const expectSchema = (read: ReadNamedFile) =>
  z
    .strictObject(
      {
        status: count(`write a status, 0 to ${MAX_STATUS}`, MAX_STATUS)
          .optional()
          .meta({ description: "The status that the plugin answers with." }),
        body: expectedBytesSchema(read).optional().meta({ description: "The body of the reply." }),
        error: errorSchema.optional().meta({ description: "The error that the request ends with." }),
        keys: keysSchema(expectedBytesSchema(read)).optional().meta({
          description: "What the store holds afterwards. A bucket that is named has these keys and no others.",
        }),
        log: z.array(lineSchema, { error: "write a list of lines, [] for none" }).optional().meta({
          description: "All lines of the plugin's log, in order.",
        }),
        logIncludes: z.array(lineSchema, { error: "write a list of lines" }).optional().meta({
          description: "Lines that the log has among others.",
        }),
      },
      { error: EXPECT_ADVICE },
    )
    .superRefine(({ status, body, error }, context) => {
      if (error === undefined) return;
      if (status !== undefined)
        context.addIssue({
          code: "custom",
          path: ["status"],
          message: "a reply with an error has none; keep one of both",
        });
      if (body !== undefined)
        context.addIssue({
          code: "custom",
          path: ["body"],
          message: "write the error's text as error: { code: plugin-error, text: … }",
        });
    });

const faultSchema = z
  .strictObject(
    {
      on: z.enum(["get", "set", "any"], { error: "write get, set or any" }).optional().meta({
        description: "Which operations it applies to. Default: any.",
      }),
      bucket: bucketNameSchema.optional().meta({ description: "Only operations on this bucket." }),
      key: text("write a key in quotes").optional().meta({ description: "Only operations on this key." }),
      skip: count("write a whole number", MAX_TIMES).optional().meta({ description: "Operations left alone first." }),
      times: times.meta({ description: "How many operations it applies to. Default: all." }),
      delayMs: delay.meta({ description: "How long the store takes, in milliseconds." }),
      fail: z
        .enum(STORE_FAULT_CODES, { error: `write one of ${STORE_FAULT_CODES.join(", ")}` })
        .optional()
        .meta({ description: "The error that the store ends the operation with; the value stays as it is." }),
    },
    { error: "write a fault, such as { on: get, fail: store-unavailable } or { delayMs: 200 }" },
  )
  .superRefine(({ on, delayMs, fail }, context) => {
    if (delayMs === undefined && fail === undefined)
      context.addIssue({ code: "custom", message: "write what happens: `fail:` or `delayMs:`" });
    if (fail === "store-timeout" && on !== "get")
      context.addIssue({ code: "custom", path: ["fail"], message: "only a read ends so; write `on: get` beside it" });
    if (fail === "store-outcome-unknown" && on !== "set")
      context.addIssue({ code: "custom", path: ["fail"], message: "only a write ends so; write `on: set` beside it" });
  });

const headersSchema = <Value>(value: z.ZodType<Value>) =>
  z.record(z.string().refine(isHttpToken, { error: "write a header field's name" }), value, {
    error: "write `name: value`, one a line",
  });

const fieldValue = text("write a header field's value in quotes").refine(
  (value) => isHttpFieldValue(Buffer.from(value)),
  { error: "write it without control characters" },
);

const exchangeSchema = (read: ReadNamedFile) =>
  z
    .strictObject(
      {
        request: z
          .strictObject(
            {
              method: text("write a method such as GET")
                .refine(isHttpToken, { error: "write a method such as GET" })
                .optional()
                .meta({ description: "Default: GET." }),
              url: text(URL_ADVICE)
                .refine((url) => /^https?:\/\//.test(url) && URL.canParse(url), { error: URL_ADVICE })
                .meta({ description: "The whole URL, query included." }),
              headers: headersSchema(expectedTextSchema())
                .optional()
                .meta({ description: "Header fields that it has, among others." }),
              body: expectedBytesSchema(read).optional().meta({ description: "Its body." }),
            },
            { error: "write the request that is expected: { method: …, url: … }" },
          )
          .meta({ description: "The request that the plugin sends." }),
        delayMs: delay.meta({ description: "How long the server takes before it answers or fails." }),
        response: z
          .strictObject(
            {
              status: count("write a status, 200 to 599", 599, 200).optional().meta({ description: "Default: 200." }),
              headers: headersSchema(fieldValue).optional().meta({ description: "Its header fields." }),
              body: valueSchema(read).optional().meta({ description: "Its body. Default: empty." }),
              chunks: z
                .array(valueSchema(read), { error: "write a list of values" })
                .optional()
                .meta({ description: "The body in several parts, instead of `body`." }),
              fail: httpCode.optional().meta({ description: "How the response breaks off after its body." }),
            },
            { error: "write a response such as { status: 200, body: … }" },
          )
          .superRefine(({ body, chunks }, context) => {
            if (body !== undefined && chunks !== undefined)
              context.addIssue({ code: "custom", path: ["chunks"], message: "keep one of `body` and `chunks`" });
          })
          .optional()
          .meta({ description: "What the server answers." }),
        fail: httpCode.optional().meta({ description: "The error that the request ends with, instead of a response." }),
        times: times.meta({ description: "How often the plugin sends this request. Default: 1." }),
      },
      { error: "write an exchange: { request: …, response: … } or { request: …, fail: … }" },
    )
    .superRefine(({ response, fail }, context) => {
      if ((response === undefined) === (fail === undefined))
        context.addIssue({ code: "custom", message: "write one of `response:` and `fail:`" });
    });

const REQUEST = { description: "The request that is sent to the plugin." };
const EXPECT = { description: "What has to be so after it. {} for any answer of the plugin." };

const stepShape = (read: ReadNamedFile) => ({
  request: requestSchema(read).meta(REQUEST),
  expect: expectSchema(read).meta(EXPECT),
});

/** The shape of a case. */
export const caseSchema = (read: ReadNamedFile) =>
  z
    .strictObject(
      {
        name: text("write a sentence that says what the plugin does").min(1, { error: "write a sentence" }).meta({
          description: "A sentence that says what the plugin does; no two cases have the same.",
        }),
        needs: z
          .array(z.enum(ACCESS_LEVELS as [AccessLevel, ...AccessLevel[]], { error: LEVEL_ADVICE }), {
            error: LEVEL_ADVICE,
          })
          .optional()
          .meta({ description: "The case is left out if the plugin does not request all of these levels." }),
        each: eachSchema.optional().meta({
          description:
            "Values for the variables in the case's texts, ${name}: it runs once for each combination of them.",
        }),
        keys: keysSchema(valueSchema(read)).optional().meta({ description: "What the store holds at the beginning." }),
        store: z
          .array(faultSchema, { error: "write a list of faults" })
          .optional()
          .meta({ description: "What goes wrong in the store. Of several faults for an operation the first applies." }),
        http: z.array(exchangeSchema(read), { error: "write a list of exchanges" }).optional().meta({
          description: "HTTP requests that the plugin sends, and what it gets for them.",
        }),
        request: requestSchema(read).optional().meta(REQUEST),
        expect: expectSchema(read).optional().meta(EXPECT),
        steps: z
          .array(z.strictObject(stepShape(read), { error: "write a step: { request: …, expect: … }" }), {
            error: "write a list of steps",
          })
          .min(1, { error: "write at least one step" })
          .optional()
          .meta({ description: "Several requests, one after another, instead of `request` and `expect`." }),
      },
      { error: "write a case: `name:`, `request:` and `expect:`" },
    )
    .superRefine(({ request, expect, steps }, context) => {
      if (steps === undefined) {
        if (request === undefined)
          context.addIssue({ code: "custom", message: "write `request:`, or `steps:` for several" });
        else if (expect === undefined)
          context.addIssue({ code: "custom", message: `write \`expect:\`; ${EXPECT_ADVICE}` });
        return;
      }
      for (const [key, value] of Object.entries({ request, expect }))
        if (value !== undefined)
          context.addIssue({ code: "custom", path: [key], message: "it belongs into a step where there are `steps`" });
    });

/** The shape of a test file. `read` reads the files that values name. */
export const testSchema = (read: ReadNamedFile) =>
  z
    .strictObject(
      {
        component: path
          .optional()
          .meta({ description: "The component's file. The command line may name another one." }),
        plugin: pluginNameSchema(
          "The plugin's name. Default: the policy's, else that of the component's file.",
        ).optional(),
        policy: path.optional().meta({
          description: "The plugin's policy file. Default: whatever the plugin requests, any private bucket, any host.",
        }),
        limits: limitsSchema(
          PLUGIN_LIMITS,
          "Limits as a consumer file sets them; a policy's go before them.",
        ).optional(),
        cases: z
          .array(caseSchema(read), { error: "write a list of cases" })
          .min(1, { error: "write at least one case" })
          .max(FIXED_LIMITS.testCases, { error: `write at most ${FIXED_LIMITS.testCases} cases` })
          .superRefine(
            refuseRepetition(
              ({ name }: { name: string }) => name,
              (index) => [index, "name"],
            ),
          )
          .meta({ description: "The cases, which run in this order." }),
      },
      { error: "write at least `cases:`" },
    )
    .meta({
      title: "network-host tests",
      description: "Cases for one plugin, which network-host test runs.",
    });

export type CaseFields = z.output<ReturnType<typeof caseSchema>>;
export type LineFields = z.output<typeof lineSchema>;
export type FaultFields = z.output<typeof faultSchema>;
export type ExchangeFields = z.output<ReturnType<typeof exchangeSchema>>;
