/**
 * The JSON Schemas in `schemas/`: editors complete and check consumer and policy files with them. Generated from the
 * same schemas that the host checks with, in draft 7, which the YAML language server supports best.
 *
 * @module
 */

import { z } from "zod";
import { consumerSchema } from "./consumer-document.ts";
import { policySchema } from "./policy-document.ts";
import { testSchema } from "./test-schema.ts";

/** File name in `schemas/` → JSON Schema. */
export function publishedSchemas(): ReadonlyMap<string, object> {
  return new Map([
    ["consumer.schema.json", toJsonSchema(consumerSchema)],
    ["policy.schema.json", toJsonSchema(policySchema)],
    ["test.schema.json", toJsonSchema(testSchema(() => ""))],
  ]);
}

function toJsonSchema(schema: z.ZodType): object {
  return z.toJSONSchema(schema, { target: "draft-07", io: "input" });
}
