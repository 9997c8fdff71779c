/**
 * `policy/<plugin>.yaml`: what the operator allows one plugin. What the file does not name is denied, and an
 * empty list means nothing. The one exception: without `buckets.private`, the plugin may use any private bucket, which no
 * other plugin can see.
 *
 * @module
 */

import { basename } from "node:path";
import { z } from "zod";
import { ACCESS_LEVELS, bitsFromLevels } from "../contract/access-levels.ts";
import { LIMITABLE_METHODS } from "../contract/http.ts";
import { FIXED_LIMITS, PLUGIN_LIMITS, type PluginLimits } from "../contract/limits.ts";
import type { BucketName, Digest, PluginName } from "../contract/names.ts";
import { ALLOWED_HOST_PATTERN, allowedHostProblem } from "../policy/allowed-host.ts";
import { createPolicy } from "../policy/create-policy.ts";
import { parseVerificationKey } from "../signatures/verification-key.ts";
import type { AllowedHost, BucketPolicy, Policy } from "../policy/policy.ts";
import { DiagnosticList, type Parsed, type Position } from "./diagnostic.ts";
import { bucketNameSchema, pluginNameSchema, refuseRepetition } from "./field-schemas.ts";
import { limitsSchema } from "./limit-schema.ts";
import { checkShape } from "./shape.ts";
import { readYaml, type YamlText } from "./yaml-text.ts";

const MAX_BUCKETS = 1024;
const MAX_HOSTS = 1024;
const MAX_DIGESTS = 16;

/** A policy with the place it was written at. */
export interface PolicyDocument {
  readonly file: string;
  /** Where the plugin is named. */
  readonly position: Position;
  readonly policy: Policy;
}

const LEVELS_ADVICE = `write a list of ${ACCESS_LEVELS.join(", ")}, or [] for none`;
const PRIVATE_ADVICE = 'write "any", or a list of bucket names, or [] for none';
const SHARED_ADVICE = "write `name the plugin uses: name of the shared bucket`, one a line";
const HOSTS_ADVICE = "write a list such as [https://api.example.com], or [] for none";

const HOST_ADVICE = "write scheme://host or scheme://host:port in quotes, or { target: …, methods: […] }";
const KEYS_ADVICE = "write a list of public keys in PEM, each as a block of text (|), or leave it out";
const DIGEST_ADVICE = "write sha256: and 64 hexadecimal digits, as inspect and push print it";
const METHODS_ADVICE = `write one or more of ${LIMITABLE_METHODS.join(", ")}`;

const targetSchema = z
  .string({ error: "write scheme://host or scheme://host:port in quotes" })
  .superRefine((host, context) => {
    const message = allowedHostProblem(host);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  })
  .meta({ pattern: ALLOWED_HOST_PATTERN, examples: ["https://api.example.com", "https://*.example.com:8443"] });

const limitedHostSchema = z.strictObject(
  {
    target: targetSchema,
    methods: z
      .array(z.enum(LIMITABLE_METHODS, { error: METHODS_ADVICE }), { error: METHODS_ADVICE })
      .min(1, { error: METHODS_ADVICE })
      .superRefine(refuseRepetition(String))
      .meta({
        uniqueItems: true,
        description: "The only methods allowed; a target written as a plain string allows all methods.",
      }),
  },
  { error: HOST_ADVICE },
);

/** By kind, so that each problem is reported for the form that was written. */
const hostSchema = z.union([targetSchema, limitedHostSchema], { error: HOST_ADVICE });

const bucketsSchema = z
  .strictObject(
    {
      private: z
        .union(
          [
            z.literal("any"),
            z
              .array(bucketNameSchema, { error: PRIVATE_ADVICE })
              .max(MAX_BUCKETS, { error: `write at most ${MAX_BUCKETS} buckets` })
              .superRefine(refuseRepetition(String)),
          ],
          {
            error: PRIVATE_ADVICE,
          },
        )
        .optional()
        .meta({
          description:
            'Private buckets that the plugin may open: "any" (the default), or these only; [] for none. No other plugin sees them.',
        }),
      shared: z.record(bucketNameSchema, bucketNameSchema, { error: SHARED_ADVICE }).optional().meta({
        description:
          "Buckets shared between plugins: the name that this plugin uses for one, and the shared bucket's own name.",
      }),
    },
    { error: "write `private:` or `shared:` below it, or leave it out" },
  )
  .superRefine(({ private: own, shared }, context) => {
    if (own === undefined || own === "any") return;
    for (const [index, name] of own.entries()) {
      if (shared === undefined || !Object.hasOwn(shared, name)) continue;
      const message = "buckets.shared has the same name, which would hide the private bucket; rename one";
      context.addIssue({ code: "custom", path: ["private", index], message });
    }
  });

const keySchema = z
  .string({ error: KEYS_ADVICE })
  .superRefine((text, context) => {
    const parsed = parseVerificationKey(text);
    if (parsed.kind === "problem") context.addIssue({ code: "custom", message: parsed.problem });
  })
  .meta({ pattern: "^\\s*-----BEGIN PUBLIC KEY-----" });

const signedBySchema = z
  .array(keySchema, { error: KEYS_ADVICE })
  .min(1, { error: KEYS_ADVICE })
  .max(FIXED_LIMITS.signatureKeys, { error: `write at most ${FIXED_LIMITS.signatureKeys} keys` })
  .superRefine(refuseRepetition(keyIdOf))
  .optional()
  .meta({
    uniqueItems: true,
    description:
      "Public keys in PEM (ECDSA on P-256, or RSA), one of which must have signed the component; nothing of it is loaded otherwise. Left out: no signature is asked for.",
  });

const digestTextSchema = z
  .string({ error: DIGEST_ADVICE })
  .regex(/^sha256:[0-9a-f]{64}$/, { error: DIGEST_ADVICE })
  .transform((text) => text.slice("sha256:".length) as Digest);

const digestSchema = z
  .union(
    [
      digestTextSchema,
      z
        .array(digestTextSchema, { error: DIGEST_ADVICE })
        .min(1, { error: DIGEST_ADVICE })
        .max(MAX_DIGESTS, { error: `write at most ${MAX_DIGESTS} digests` })
        .superRefine(refuseRepetition(String)),
    ],
    { error: DIGEST_ADVICE },
  )
  .optional()
  .meta({
    description:
      "The component's own digest, sha256:<hex>, or a list of them: nothing of any other component is loaded. Left out: any component.",
  });

/** The same key may be written in several ways. */
function keyIdOf(text: string): string {
  const parsed = parseVerificationKey(text);
  return parsed.kind === "key" ? parsed.key.id : text;
}

/** The shape of a policy file. */
export const policySchema = z
  .strictObject(
    {
      plugin: pluginNameSchema("The plugin that this policy is for; the file is called <plugin>.yaml."),
      allow: z
        .array(z.enum(ACCESS_LEVELS, { error: `write one of ${ACCESS_LEVELS.join(", ")}` }), { error: LEVELS_ADVICE })
        .superRefine(refuseRepetition(String))
        .optional()
        .meta({
          uniqueItems: true,
          description:
            "Access levels that the plugin may have. A plugin that requests any other level is denied as a whole. Default: none.",
        }),
      buckets: bucketsSchema
        .optional()
        .meta({ description: "Which buckets of the key-value store the plugin may open." }),
      hosts: z
        .array(hostSchema, { error: HOSTS_ADVICE })
        .max(MAX_HOSTS, { error: `write at most ${MAX_HOSTS} hosts` })
        .superRefine(refuseRepetition((host: AllowedHost) => (typeof host === "string" ? host : host.target)))
        .optional()
        .meta({
          uniqueItems: true,
          description:
            "Targets of outbound HTTP, as scheme://host[:port]; * stands for any scheme, host, first label or port. Private addresses only where named. Left out or []: none.",
        }),
      digest: digestSchema,
      signedBy: signedBySchema,
      limits: limitsSchema(PLUGIN_LIMITS, "Limits of this plugin that differ from its consumer group's.").optional(),
    },
    { error: "write at least `plugin: <name>`" },
  )
  .meta({
    title: "network-host policy",
    description: "What one plugin may do. Everything that is not named here is denied.",
  });

type PolicyFields = z.output<typeof policySchema>;

/** Reads a policy file's text. `file` is its path or name: its last part must be `<plugin>.yaml`. Pure. */
export function parsePolicy(text: string, file: string): Parsed<PolicyDocument> {
  const problems = new DiagnosticList(file);
  const yaml = readYaml(text, problems);
  const fields = yaml === undefined ? undefined : checkShape(policySchema, yaml, problems);
  if (yaml !== undefined) checkFileName(yaml, file, problems);
  if (yaml === undefined || fields === undefined || problems.errors.length > 0) {
    return { kind: "invalid", errors: problems.errors };
  }
  warnOfIdleKeys(fields, yaml, problems);
  const document = { file, position: yaml.valueAt(["plugin"]), policy: toPolicy(fields) };
  return { kind: "valid", value: document, warnings: problems.warnings };
}

/** An operator finds a policy by its file's name, so the name must match. */
function checkFileName(yaml: YamlText, file: string, problems: DiagnosticList): void {
  const plugin: unknown = (yaml.data as { plugin?: unknown } | null)?.plugin;
  const name = basename(file);
  if (typeof plugin !== "string" || name === `${plugin}.yaml`) return;
  problems.error(
    yaml.valueAt(["plugin"]),
    `the policy of ${JSON.stringify(plugin)} is in ${name}; rename the file to ${plugin}.yaml or correct the name`,
  );
}

/** Keys that are right but have no effect without another one. */
function warnOfIdleKeys(fields: PolicyFields, yaml: YamlText, problems: DiagnosticList): void {
  const allow = fields.allow ?? [];
  const allowsHttp = allow.includes("outbound-http");
  if (fields.hosts !== undefined && fields.hosts.length > 0 && !allowsHttp) {
    problems.warning(yaml.keyAt(["hosts"]), "hosts have no effect without outbound-http in allow");
  }
  if (allowsHttp && (fields.hosts ?? []).length === 0) {
    problems.warning(yaml.keyAt(["allow"]), "outbound-http reaches nothing while hosts names no target");
  }
  if (fields.buckets !== undefined && !allow.some((level) => level.startsWith("key-value-"))) {
    problems.warning(
      yaml.keyAt(["buckets"]),
      "buckets have no effect without key-value-read or key-value-write in allow",
    );
  }
}

function toPolicy(fields: PolicyFields): Policy {
  const keys = fields.signedBy?.flatMap((text) => {
    const parsed = parseVerificationKey(text);
    return parsed.kind === "key" ? [parsed.key] : [];
  });
  const shared = Object.entries(fields.buckets?.shared ?? {}) as [BucketName, BucketName][];
  const buckets: BucketPolicy = { private: fields.buckets?.private ?? "any", shared: new Map(shared) };
  return createPolicy({
    plugin: fields.plugin satisfies PluginName,
    allow: bitsFromLevels(fields.allow ?? []),
    buckets,
    hosts: fields.hosts ?? [],
    ...(fields.digest !== undefined && { digests: [fields.digest].flat() }),
    ...(keys !== undefined && { signedBy: keys }),
    limits: (fields.limits ?? {}) satisfies Partial<PluginLimits>,
  });
}
